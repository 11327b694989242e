"""How the read tables are read: as far as the caller may see, many rows at a time, page by page, and live.

Nothing here knows a type of the schema.
"""
