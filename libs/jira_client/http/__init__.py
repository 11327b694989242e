"""One request to Jira: its way out, its pace, its limits, its secrets. Nothing here knows what an answer means."""
