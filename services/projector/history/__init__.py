"""What a person reads later: lines of the sync log, the settings history, drifts of Jira's fields. Pure."""
