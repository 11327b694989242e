"""When two payloads say the same: the digest of their bytes, and their canonical form without what is noise."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec


class Noise(NamedTuple):
    """Keys that change without the entity having changed."""

    what: str
    keys: frozenset[str]
    inside: frozenset[str] = frozenset()
    """Keys of the objects in which they are noise, lists between them not counted. Empty: in every object."""


def _noise(what: str, keys: str, inside: str = "") -> Noise:
    return Noise(what, frozenset(keys.split()), frozenset(inside.split()))


NOISE: Final = (
    _noise("addresses of this very answer, which differ between the site and the gateway", "self _links"),
    _noise("what else could have been asked for", "expand _expands"),
    _noise("pictures", "avatarUrls iconUrl"),
    _noise("who looked last", "lastViewed"),
    _noise("the clock of a service level: what has run by now", "elapsedTime remainingTime", "ongoingCycle"),
    _noise("whether it is office hours at this moment", "withinCalendarHours", "ongoingCycle"),
    _noise(
        "a time in words that depend on the day of reading (`Today 10:15`); its number stands beside it",
        "friendly",
        "startTime stopTime breachTime statusDate goalDuration elapsedTime remainingTime",
    ),
    _noise("addresses of a file; the file has an id", "content thumbnail", "attachment"),
    _noise("ids that an editor gives to the nodes of a document, and what refers to them", "localId sources", "attrs"),
    _noise("the same in the parameters of a macro", "localId", "parameters"),
    _noise("who watches, our own account among them", "watches watcher", "fields"),
    _noise("whether our own account watches", "isWatching watchCount watchers", "watches watcher"),
    _noise("whether our own account has voted, and who; the number of votes is none", "hasVoted voters", "votes"),
    _noise(
        "what an admin writes beside the name of a thing that many issues share",
        "description helpText statusColor avatarId icon",
        "status statusCategory priority issuetype resolution security projectCategory requestType"
        " components versions fixVersions",
    ),
    _noise("the colour of a group of statuses", "colorName", "statusCategory"),
)
"""All that makes no new version by itself, at any depth. What is named nowhere here is a change: an issue's rank, which
says that this issue was moved, not its neighbour; the name of a status; an issue's own description."""

DEVELOPMENT_CACHE: Final = re.compile(
    r"\s*\{\s*\}\s*"
    r"|\s*\{.*(\bdataType=|\bcachedValue\b|\bisStale\b|\bdevSummaryJson\b|\bSummaryBean@|\"overall\"|\bstateCount=).*\}\s*",
    re.DOTALL,
)
"""The development panel's cache, which Jira writes as text into a custom field and renews when somebody looks."""

NO_ACCOUNT: Final = "unknown"
"""What Jira writes as the account id of who has none."""

CUSTOM_FIELD: Final = "customfield_"

_EVERYWHERE: Final = frozenset[str]().union(*(noise.keys for noise in NOISE if not noise.inside))
_INSIDE: Final[Mapping[str, frozenset[str]]] = {
    place: _EVERYWHERE.union(*(noise.keys for noise in NOISE if place in noise.inside))
    for place in frozenset[str]().union(*(noise.inside for noise in NOISE))
}

_encoder = msgspec.json.Encoder(order="sorted")


def digest(payload: bytes | msgspec.Raw) -> bytes:
    """16 bytes that stand for the payload as it came."""
    return hashlib.blake2b(payload, digest_size=16).digest()


def canonical(payload: bytes | msgspec.Raw) -> bytes:
    """The payload with sorted keys, without what is noise, and with users inside it reduced to their account.

    A user is a fact of their own; an issue has not changed when its reporter was renamed. The payload itself is never
    reduced: where it is a user, their name is what matters.

    Raises:
        msgspec.DecodeError: the payload is not JSON.
        RecursionError: it is nested too deeply to be read.
    """
    decoded = msgspec.json.decode(payload)
    return _encoder.encode(_without_noise(decoded, "") if isinstance(decoded, dict) else _stable(decoded, ""))


def _without_noise(value: dict[str, Any], place: str) -> dict[str, Any]:
    """An object that stands under the key `place`."""
    noise = _INSIDE.get(place, _EVERYWHERE)
    return {key: _stable(inner, key) for key, inner in value.items() if key not in noise}


def _person(value: dict[str, Any]) -> dict[str, Any]:
    """Whoever has an account is a fact of their own; of others the name in this place is all there is."""
    account = value["accountId"]
    if account and account != NO_ACCOUNT:
        return {"accountId": account}
    return {name: value[name] for name in ("accountId", "name", "key", "displayName") if name in value}


def _stable(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        return _person(value) if "accountId" in value else _without_noise(value, place)
    if isinstance(value, list):
        return [_stable(inner, place) for inner in value]
    if isinstance(value, str) and place.startswith(CUSTOM_FIELD) and DEVELOPMENT_CACHE.fullmatch(value):
        return None
    return value
