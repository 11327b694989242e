"""What search sees: the index, JQL, pages and tokens."""
