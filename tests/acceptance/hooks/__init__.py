"""Webhooks of a busy site, shuffled, lost, doubled and forged: the read tables are Jira's all the same."""
