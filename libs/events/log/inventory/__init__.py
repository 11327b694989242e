"""What the log holds of each issue: its project, whether it is gone, and the ids of its comments and worklogs.

A table beside the log, of one row an issue, that each append keeps up in its own transaction. A mark says up to which
position it is true. An append that finds the mark at the log's former end moves it on; one that does not leaves table
and mark alone, as a program of a former version does that knows of neither: whoever asks catches up first.

What lives here: what an event says of it, the fold, the table on SQLite and PostgreSQL. What never does: Jira.
"""
