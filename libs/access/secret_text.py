"""What a token looks like: `jdi_<id>_<43 characters>`. The prefix lets scanners find one that has leaked."""

import hashlib
import re
import secrets
from typing import Final

_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"jdi_(?P<id>[0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


def new_secret() -> tuple[str, str]:
    """A new id, and the token that it is part of."""
    token_id = secrets.token_hex(_ID_BYTES)
    return token_id, f"jdi_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def id_in(secret: str) -> str | None:
    """The id in a token; None when it has not the form of one."""
    found = _FORM.fullmatch(secret)
    return found["id"] if found is not None else None


def hash_of(secret: str) -> bytes:
    """SHA-256. A slow hash would add nothing: 256 random bits cannot be tried out."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
