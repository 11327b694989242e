"""Users and sprints, which Jira shows in many places, here with more and there with less.

Few of their parts decide whether they have changed. A part that an answer leaves out stays as it is known: that makes
no event, and where another part makes one, its payload gets from the last one what it leaves out itself.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import Raw

from libs.events.log.digests import digest
from libs.events.types.event import Event
from libs.events.types.facts import JiraUserFetched, SprintFetched

Said = Mapping[str, str]
"""Key → the part in the form in which it is compared. A part of which nothing was said is missing."""


def _instant(value: Any) -> str:
    """A time in UTC, however its zone is written; what is no time stands for itself."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError):
        return str(value)


def _lower(value: Any) -> str:
    return str(value).lower()


class _Rule(NamedTuple):
    """What counts of an entity."""

    deciding: Mapping[str, Callable[[Any], str]]
    """Key → form of comparison."""
    kept: tuple[str, ...]
    """Keys that make no event but are known for as long as nothing else is said of them."""
    whole: str = ""
    """Key that only the full record has: a part that may be empty and is missing in it is empty, not unsaid."""
    may_be_empty: frozenset[str] = frozenset()
    """In the full record null empties these. Elsewhere, and in all other parts, null says nothing."""


_RULES: Final[Mapping[type[Event], _Rule]] = {
    JiraUserFetched: _Rule({"displayName": str, "active": str, "accountType": str}, kept=("avatarUrls",)),
    SprintFetched: _Rule(
        {
            "name": str,
            "state": _lower,
            "goal": str,
            "startDate": _instant,
            "endDate": _instant,
            "completeDate": _instant,
        },
        kept=("originBoardId",),
        whole="originBoardId",
        may_be_empty=frozenset({"goal", "startDate", "endDate", "completeDate"}),
    ),
}

_objects: Final = msgspec.json.Decoder(dict[str, Raw])
_encoder: Final = msgspec.json.Encoder(order="sorted")


def said(event: Event) -> Said | None:
    """What a user or a sprint says; None of any other event, and of a payload that cannot be read."""
    rule = _RULES.get(type(event))
    if rule is None:
        return None
    try:
        payload = _objects.decode(_payload(event))
    except msgspec.DecodeError:
        return None
    found = {key: form(_value(payload[key])) for key, form in rule.deciding.items() if _speaks(payload.get(key))}
    return dict.fromkeys(rule.may_be_empty, "") | found if _speaks(payload.get(rule.whole)) else found


def digest_of(parts: Said) -> bytes:
    """16 bytes that stand for what was said, and for what was not."""
    return digest(_encoder.encode(parts))


def says_more(parts: Said, known: Said) -> bool:
    """Whether a part differs from the known one. What is not known is empty."""
    return any(value != known.get(key, "") for key, value in parts.items())


def completed(event: Event, last: Event) -> Event:
    """A user or sprint with those parts of the last one of which it says nothing itself."""
    rule = _RULES[type(event)]
    own, known = _objects.decode(_payload(event)), _objects.decode(_payload(last))
    spoken = said(event) or {}
    missing = {
        key: value
        for key, value in known.items()
        if (key in rule.deciding or key in rule.kept) and key not in spoken and not _speaks(own.get(key))
    }
    if spoken.get("state", "closed") != "closed":
        missing.pop("completeDate", None)  # it was closed once, and is open again
    if not missing:
        return event
    whole: Event = msgspec.structs.replace(cast("Any", event), payload=Raw(msgspec.json.encode(own | missing)))
    return whole


def _value(raw: Raw) -> Any:
    """What a part holds; one that no program can hold, such as 1e999, stands as its own text."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw).decode("utf-8", "replace")


def _payload(event: Event) -> Raw:
    return cast("Raw", cast("Any", event).payload)


def _speaks(value: Raw | None) -> bool:
    return value is not None and bytes(value) != b"null"
