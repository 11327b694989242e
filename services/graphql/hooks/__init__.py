"""Webhooks of Jira: who may send one, what issues it names, and how that is kept. What it says is never taken as data.

Nothing here asks Jira or starts a sync: hints are stored, and the ingestor is told that there are some.
"""
