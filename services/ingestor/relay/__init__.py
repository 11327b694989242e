"""From the event log to NATS: a process of its own, `python -m services.ingestor.relay`, of which one leads at a time.

It is the only part of ours that publishes, and the only one of the ingestor that speaks to NATS. It knows neither Jira
nor Temporal, and has the credentials of neither.
"""
