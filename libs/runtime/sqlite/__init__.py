"""Files of SQLite: engines on them that notice when a file is damaged or replaced, and what is done with such a file.

Knows files, not what is in them: who can make the content again decides what becomes of a damaged one.
"""
