"""What could not be read of Jira's answers and is set aside."""
