"""The census: what Jira lists of a project, compared id by id with what is stored.

What lives here: its workflow, its steps (`activities`), what they decide (pure: `compare`, `differences`, `doubts`),
what it remembers, and `missing`, about issues that Jira does not list. It stands on the steps of a sync and is known by
none of them.
"""
