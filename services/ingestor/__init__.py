"""Jira in, events out.

Owns the sync workflows, the schedules and the cursors; reads Jira, and writes the event log. Nothing else in the
project speaks to Jira. `relay`, a process of its own, publishes the log to NATS.
"""
