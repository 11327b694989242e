"""Watches the syncs: measures them, slows a project's schedule down while it fails, raises and resolves alerts.

Reads sync and control events from the event log, woken by the durable consumer `telemetry` of the NATS stream. Writes
alert events and its own checkpoints (`telemetry/…`) to the log; asks the ingestor, by commands through Temporal, to
slow a schedule down or to restore it. Touches no schedule itself, and never calls Jira.
"""
