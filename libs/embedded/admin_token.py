"""The admin token: given by the environment, or made once and kept beside the data."""

import secrets
from pathlib import Path
from typing import NamedTuple

from libs.embedded.stack_file import write_private


class AdminToken(NamedTuple):
    value: str
    file: Path | None
    """Where it is kept; None when it was given."""
    made: bool
    """True when it was made just now, and is therefore to be shown, once."""


def admin_token(data_dir: Path, given: str | None) -> AdminToken:
    """`given`, or what `admin-token` in the data folder holds, or a new one written there (mode 0600)."""
    if given:
        return AdminToken(given, None, made=False)
    file = data_dir / "admin-token"
    if file.exists() and (kept := file.read_text(encoding="ascii").strip()):
        return AdminToken(kept, file, made=False)
    value = secrets.token_urlsafe(32)
    write_private(file, f"{value}\n".encode())
    return AdminToken(value, file, made=True)
