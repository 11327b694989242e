"""How stored events are compressed, and the dictionary that knows how they are built."""
