"""How Jira is asked for issues: by which key of the project, in which parts, and what its answers are believed."""
