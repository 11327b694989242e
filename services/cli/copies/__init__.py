"""Copies of the event log: taken, brought back, and what a restored one must forget."""
