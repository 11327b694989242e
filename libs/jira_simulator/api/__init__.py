"""The endpoints, and entities as Jira's JSON."""
