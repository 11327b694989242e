"""The census: what Jira lists of a project, compared id by id with what is stored.

What lives here: its workflow, its steps (`activities`), what they decide (pure: `compare`, `verdicts`, `brake`,
`differences`) and what it remembers. It stands on the steps of a sync and is known by none of them.
"""
