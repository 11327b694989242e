"""Text as both databases can store it."""

import msgspec


def storable(text: str) -> str:
    """PostgreSQL stores every character but NUL."""
    return text.replace("\x00", "")


def json_text(value: object) -> str:
    """JSON writes NUL escaped, so that any database takes it."""
    return msgspec.json.encode(value).decode()
