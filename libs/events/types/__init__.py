"""Every type of event, its topic, and how older shapes are read.

Imports nothing of the log or NATS.
"""
