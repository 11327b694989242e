"""What Jira no longer shows is gone here as well, for the true reason, and nothing else ever is."""
