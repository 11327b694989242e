"""A disk that is full, and free again, under the whole system: what it says of itself, what goes on, and its end."""
