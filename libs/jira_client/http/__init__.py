"""One request to Jira: its way out, its pace, its limits, its secrets. What an answer means stands in `failures`."""
