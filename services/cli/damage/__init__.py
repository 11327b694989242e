"""A database that is damaged or gone: what is said of it at the terminal, and what is not done to it."""
