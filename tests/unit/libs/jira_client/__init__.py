"""Tests of libs.jira_client: real sockets on loopback, no Jira."""
