"""The stream holds the log, whoever else publishes into it."""
