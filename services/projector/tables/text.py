"""Text as both databases can store it."""


def storable(text: str) -> str:
    """PostgreSQL stores every character but NUL."""
    return text.replace("\x00", "")
