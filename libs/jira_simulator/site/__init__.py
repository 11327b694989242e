"""The simulated site: its data, the acts that change it, the log of every change, and all of it as Jira's JSON.

Nothing here knows HTTP or an endpoint.
"""
