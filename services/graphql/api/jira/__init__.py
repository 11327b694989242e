"""The gate to Jira: what is closed because Jira asked for a pause, and opening it by hand."""
