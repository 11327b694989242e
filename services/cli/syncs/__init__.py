"""Watching syncs from the command line: states, progress."""
