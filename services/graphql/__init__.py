"""Read tables in, answers out: the GraphQL API over HTTP, and the console that stands on it.

Reads the read tables; hands commands to the ingestor by way of Temporal; writes nothing itself but who may ask: API
tokens and the sessions of the console.
"""
