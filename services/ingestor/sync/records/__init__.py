"""What single records of Jira come to, however odd they are. Pure: nothing here asks Jira or the log."""
