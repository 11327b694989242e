"""The state of a project: its settings, its job, its runs, its alerts and notifications.

Events here change a few columns of stored rows; nothing here knows what Jira holds.
"""
