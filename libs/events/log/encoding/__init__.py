"""How events are stored: JSON, compressed with a dictionary that knows how they are built."""
