"""A second file with all API tokens beside the first, for the day on which that is damaged or gone. With SQLite alone.

It is written in the transaction that makes or revokes a token, before its commit: a crash between the two leaves a copy
that knows more, never less, than somebody was told. It holds what the table holds, digests of tokens and no token, as
JSON with a digest of its own, so that damage to it is seen, whatever it is.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine

from libs.access.merging import Row, all_tokens

_IN_USE: Final = "last_used_at"
"""Changes with every use, and is not worth a copy."""

log = structlog.get_logger(__name__)


class NotCopiedError(RuntimeError):
    """The safety copy cannot be written, so nothing was changed; the text says why."""


class _Copy(msgspec.Struct, frozen=True, kw_only=True):
    tokens: list[dict[str, Any]]
    sha256: str


def keep_copy(connection: Connection) -> None:
    """Write the copy as the tokens are in this transaction, to be called before it commits.

    Raises:
        NotCopiedError: it cannot be written.
    """
    file = copy_of(connection.engine)
    if file is None:
        return
    tokens = [_plain(row) for row in all_tokens(connection)]
    if [_lasting(token) for token in tokens] == [_lasting(_plain(row)) for row in _read(file) or ()]:
        return
    try:
        _write(file, msgspec.json.encode(_Copy(tokens=tokens, sha256=_digest(tokens))))
    except OSError as error:
        raise NotCopiedError(
            f"the safety copy of API tokens at {file} cannot be written ({error.strerror}); nothing was changed"
        ) from error


def copied_tokens(engine: Engine) -> Sequence[Row]:
    """What the copy holds; nothing where there is none. One that is damaged is set aside, with a line that says so."""
    file = copy_of(engine)
    if file is None or not file.exists():
        return ()
    found = _read(file)
    if found is None:
        kept = file.with_name(f"{file.name}.damaged")
        if not kept.exists() or kept.is_file():
            file.replace(kept)
        log.warning("the safety copy of API tokens is damaged and set aside", file=str(file), kept=str(kept))
        return ()
    return found


def copy_of(engine: Engine) -> Path | None:
    """Where the copy of an engine's tokens is; None where a database server keeps them."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name:
        return None
    return Path(f"{name}.copy")


def _read(file: Path) -> list[Row] | None:
    """The tokens in the copy; None where there is none that is sound."""
    try:
        copy = msgspec.json.decode(file.read_bytes(), type=_Copy)
        if copy.sha256 != _digest(copy.tokens):
            return None
        return [{**token, "secret_hash": bytes.fromhex(token["secret_hash"])} for token in copy.tokens]
    except (OSError, msgspec.DecodeError, KeyError, ValueError, TypeError):
        return None


def _write(file: Path, data: bytes) -> None:
    """Replace the file at once, and be sure that the disk has it: whoever reads finds the old one or the new one."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _plain(row: Row) -> dict[str, Any]:
    return {**row, "secret_hash": bytes(row["secret_hash"]).hex()}


def _lasting(token: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in token.items() if name != _IN_USE}


def _digest(tokens: list[dict[str, Any]]) -> str:
    return hashlib.sha256(msgspec.json.encode(tokens, order="sorted")).hexdigest()
