"""What search sees: the index, JQL, pages and tokens. Nothing here knows HTTP or changes the site."""
