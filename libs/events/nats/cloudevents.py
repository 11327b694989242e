"""Events as CloudEvents 1.0 on NATS, binary mode: attributes in headers, the stored bytes as the body.

Source of the rules: the CloudEvents NATS protocol binding. Header values are percent-encoded where they hold anything
but printable ASCII.
"""

import functools
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from libs.events.log.batches import Recorded
from libs.events.log.digests import digest
from libs.events.types.topics import decode, entity_of

MESSAGE_ID: Final = "Nats-Msg-Id"
DATA_REFERENCE: Final = "ce-dataref"
DIGEST: Final = "ce-digest"
"""Of the stored bytes: tells the event of this log from one of another log in the same place."""
TRACE: Final = "traceparent"
"""Of the sending, where it is traced; `ce-traceparent` is that of the append, and the same for ever."""

LARGEST: Final = 2**63 - 1
"""Positions are 64-bit numbers in the databases."""

_POSITION: Final = re.compile(r"[1-9][0-9]{0,18}")
_SAFE: Final = "!#$&'()*+,/:;<=>?@[]^_`{|}~.-"
_PLAIN: Final = re.compile(rf"[A-Za-z0-9{re.escape(_SAFE)}]*")


def subject_of(recorded: Recorded) -> str:
    """`jira.<site>.<project>.<entity>.<event>`."""
    return _subject(recorded.event.site, recorded.event.project, recorded.topic)


@functools.lru_cache(maxsize=4096)
def _subject(site: str, project: str, topic: str) -> str:
    return f"jira.{_token(site)}.{_token(project)}.{subject_end(topic)}"


def subject_end(topic: str) -> str:
    """`<entity>.<event>`: the same for every version of a topic."""
    event = re.sub(r"(?<!^)(?=[A-Z])", "_", topic.partition(".")[0]).lower()
    return f"{entity_of(topic)}.{event}"


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", text) or "_"


def headers_of(recorded: Recorded, *, referenced: bool = False) -> dict[str, str]:
    """The headers of an event. `referenced`: the body stays in the log, and the header says where."""
    event = recorded.event
    position = str(recorded.position)
    headers = {
        MESSAGE_ID: position,
        "ce-specversion": "1.0",
        "ce-id": position,
        "ce-source": encoded(f"/jira/{event.site}"),
        "ce-type": encoded(recorded.topic),
        "ce-subject": str(event.stream_id),
        "ce-time": event.occurred_at.isoformat(),
        "ce-datacontenttype": "application/json",
        "ce-sequence": str(event.stream_version),
        DIGEST: digest(recorded.raw).hex(),
    }
    if event.trace:
        headers["ce-traceparent"] = encoded(event.trace)
    if referenced:
        headers[DATA_REFERENCE] = f"event-store:{position}"
    return headers


@functools.lru_cache(maxsize=1024)
def encoded(value: str) -> str:
    """Percent-encoded where the binding asks for it: space, quotation mark, per cent, and all but printable ASCII."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_SAFE)


def position_in(headers: Mapping[str, str]) -> int | None:
    """The position that a message claims, if it is written as positions are."""
    return position_of(headers.get("ce-id", ""))


def position_of(text: str) -> int | None:
    """A position; None for what `int` would take for a number as well, such as `+7`, `1_0` or other digits."""
    position = int(text) if _POSITION.fullmatch(text) else 0
    return position if 0 < position <= LARGEST else None


def recorded_of(headers: Mapping[str, str], body: bytes) -> Recorded:
    """The event of a message.

    Raises:
        ValueError, LookupError: not a message of the relay, of an unknown topic, or not readable.
    """
    missing = [name for name in ("ce-id", "ce-type") if name not in headers]
    if missing:
        raise ValueError(f"not a CloudEvent of the relay: header {', '.join(missing)} is missing")
    if (position := position_in(headers)) is None:
        raise ValueError("not a CloudEvent of the relay: its id is no position")
    if DATA_REFERENCE in headers:
        raise ValueError(f"the body is too large for NATS; read it from the log: {unquote(headers[DATA_REFERENCE])}")
    if headers.get(DIGEST, digest(body).hex()) != digest(body).hex():
        raise ValueError("not a CloudEvent of the relay: its body is another than its digest says")
    topic = unquote(headers["ce-type"])
    event = decode(topic, body)
    if (headers.get("ce-subject"), headers.get("ce-sequence")) != (str(event.stream_id), str(event.stream_version)):
        raise ValueError("not a CloudEvent of the relay: its body is of another event than its headers say")
    return Recorded(position, event, topic, body)
