"""What Jira holds, event to row: issues, comments, worklogs, sprints, users, and what is absent.

Pure but for what is already stored of them; nothing here knows how a project is synced.
"""
