"""The projector: events in, read tables out.

It owns the tables of `libs.read_tables` and nothing else. It reads the event log, writes rows and its position in one
transaction, and asks nobody: the tables are a pure fold of the log, so they can be dropped and made again at any time.
"""
