"""Runs that ended or hang in Temporal without an event: found once a minute, and recorded in their place."""
