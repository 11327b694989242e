"""Read tables in, answers out: the GraphQL API over HTTP.

Reads the read tables; asks the ingestor for syncs by way of Temporal; writes nothing itself.
"""
