"""Issues, with comments, worklogs, sprints and users: what Jira holds."""
