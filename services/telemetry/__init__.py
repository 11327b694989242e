"""Watches the syncs and measures them.

Owns the durable consumer `telemetry` of the NATS stream; reads the events of syncs and of the control streams; writes
measures (`/metrics`) and log lines, nothing else.
"""
