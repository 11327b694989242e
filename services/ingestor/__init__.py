"""Jira in, events out.

Owns the sync workflows, the schedules and the cursors; reads Jira; writes the event log, and runs the relay that
publishes it to NATS. Nothing else in the project speaks to Jira.
"""
