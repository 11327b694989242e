"""How requests come in: GraphQL over HTTP and WebSocket, who asks, from which host, how often.

No statement on the read tables and no GraphQL type stands here.
"""
