"""Registered projects, and what people change about them.

Their SELECTs are in `reading/projects.py`: every subject finds its project by them.
"""
