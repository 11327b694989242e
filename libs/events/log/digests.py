"""When two payloads say the same: the digest of their bytes, and their canonical form."""

import hashlib
from typing import Any, Final

import msgspec

VOLATILE: Final = frozenset({"self", "expand", "avatarUrls", "lastViewed", "iconUrl"})
"""Keys that change without the entity having changed: addresses of this very answer, who looked last."""

_encoder = msgspec.json.Encoder(order="sorted")


def digest(payload: bytes | msgspec.Raw) -> bytes:
    """16 bytes that stand for the payload as it came."""
    return hashlib.blake2b(bytes(payload), digest_size=16).digest()


def canonical(payload: bytes | msgspec.Raw) -> bytes:
    """The payload with sorted keys, without what is volatile, and with users inside it reduced to their account.

    A user is a fact of their own; an issue has not changed when its reporter was renamed. The payload itself is never
    reduced: where it is a user, their name is what matters.

    Raises:
        msgspec.DecodeError: the payload is not JSON.
    """
    decoded = msgspec.json.decode(payload)
    return _encoder.encode(_without_volatile(decoded) if isinstance(decoded, dict) else _stable(decoded))


def _without_volatile(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _stable(inner) for key, inner in value.items() if key not in VOLATILE}


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {"accountId": value["accountId"]} if "accountId" in value else _without_volatile(value)
    if isinstance(value, list):
        return [_stable(inner) for inner in value]
    return value
