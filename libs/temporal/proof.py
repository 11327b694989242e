"""Proof that a message comes from one of us: whoever reaches Temporal can start a workflow with any message in it.

The proof is a keyed digest of all that the message says. The key lies in our database, so that only those who may read
the database can give commands.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Final, TypeVar

import msgspec

from libs.temporal.messages import Command, OpenGate

GOOD_FOR: Final = timedelta(days=1, hours=1)
"""What nobody has carried out by then is void, whoever sends it anew. Longer than a command may be under way."""

NO_PROOF: Final = (
    "It carries no proof of who gave it: whoever sent it is of an earlier version, or none of ours."
    " Upgrade what sends commands (GraphQL, telemetry, jdi) and give it again."
)
WRONG_PROOF: Final = (
    "Its proof is not by the key of this event log: it was made or changed by somebody else, or it was meant for"
    " another database. Check that DATABASE_URL is the same everywhere."
)
TOO_OLD: Final = (
    "Its proof is more than a day old: somebody has sent an old command again, or the clocks of two machines differ."
)

_PURPOSE: Final = b"jdi command 1\n"
_ENCODER: Final = msgspec.json.Encoder(order="sorted")

M = TypeVar("M", bound=Command | OpenGate)


def sealed(message: M, key: bytes) -> M:
    """The message with the proof that it was given now, by one who has the key."""
    given_at = str(int(time.time()))
    return msgspec.structs.replace(message, proof=f"{given_at}.{_digest(message, given_at, key)}")


def doubt(message: Command | OpenGate, key: bytes) -> str | None:
    """Why the message is not believed, in words for people; None: it is."""
    if not message.proof:
        return NO_PROOF
    given_at, _, digest = message.proof.partition(".")
    if not hmac.compare_digest(digest.encode(), _digest(message, given_at, key).encode()):
        return WRONG_PROOF
    return TOO_OLD if time.time() - int(given_at) > GOOD_FOR.total_seconds() else None


def _digest(message: Command | OpenGate, given_at: str, key: bytes) -> str:
    return hmac.new(key, _PURPOSE + _said(message, given_at), hashlib.sha256).hexdigest()


def _said(message: Command | OpenGate, given_at: str) -> bytes:
    """All that the message says, in one way of writing.

    Fields at their defaults are left out: a sender or a receiver that does not know one yet means the same.
    """
    fields = {
        field.encode_name: value
        for field in msgspec.structs.fields(message)
        if field.name != "proof" and (value := getattr(message, field.name)) != field.default
    }
    return _ENCODER.encode([message.__struct_config__.tag, given_at, fields])
