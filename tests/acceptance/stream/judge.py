"""Compares stream and log by means of neither: the stream message by message over NATS' API, the log by plain SQL."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sqlite3
from collections import Counter
from typing import Any, Final, NamedTuple

import psycopg
from nats.aio.client import Client

from libs.events.log.encoding.compressor import Zstandard

SQLITE: Final = "SELECT rowid, topic, state FROM stored_events ORDER BY 1"
POSTGRESQL: Final = "SELECT notification_id, topic, state FROM jdi_events ORDER BY 1"


class Message(NamedTuple):
    sequence: int
    subject: str
    headers: bytes
    body: bytes


class Logged(NamedTuple):
    position: int
    topic: str
    state: bytes


def logged(url: str) -> list[Logged]:
    """The whole log, in its order."""
    if url.startswith("sqlite:///"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            rows = database.execute(SQLITE).fetchall()
    else:
        with psycopg.connect(url) as connection:
            rows = connection.execute(POSTGRESQL).fetchall()
    plain = Zstandard().decompress
    return [Logged(position, topic, plain(bytes(state))) for position, topic, state in rows]


def alerts(log: list[Logged]) -> Counter[str]:
    """How often an alert of each code was raised."""
    return Counter(json.loads(each.state)["code"] for each in log if each.topic == "AlertRaised.v1")


async def held(client: Client, stream: str = "JIRA") -> list[Message]:
    """All messages of the stream, in its order; none while there is no stream."""
    info = await _asked(client, f"STREAM.INFO.{stream}")
    state = info.get("state", {"first_seq": 1, "last_seq": 0})
    found: list[Message] = []
    numbers = range(max(state["first_seq"], 1), state["last_seq"] + 1)
    for start in range(0, len(numbers), 100):
        some = numbers[start : start + 100]
        answers = await asyncio.gather(*(_asked(client, f"STREAM.MSG.GET.{stream}", {"seq": each}) for each in some))
        for answer in answers:
            if (message := answer.get("message")) is not None:
                headers, body = (base64.b64decode(message.get(name) or "") for name in ("hdrs", "data"))
                found.append(Message(message["seq"], message["subject"], headers, body))
    return found


async def _asked(client: Client, what: str, body: Any = None) -> dict[str, Any]:
    request = b"" if body is None else json.dumps(body).encode()
    answer: dict[str, Any] = json.loads((await client.request(f"$JS.API.{what}", request, timeout=30)).data)
    return answer


def differences(log: list[Logged], messages: list[Message]) -> list[str]:
    """What keeps the stream from holding the log; empty when it does.

    An event is there when a message has its position as `ce-id`, the subject of its kind and site, and its bytes.
    """
    known = {each.position: each for each in log}
    there = Counter[int]()
    for message in messages:
        event = known.get(_position(message))
        if event is not None and message.body == event.state and message.subject == _subject(event):
            there[event.position] += 1
    return [f"event {position} is not in the stream" for position in known if not there[position]]


def _position(message: Message) -> int:
    for line in message.headers.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"ce-id" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


def _subject(event: Logged) -> str:
    said = json.loads(event.state)
    kind, name = {
        "JiraIssueFetched.v1": ("issue", "jira_issue_fetched"),
        "AlertRaised.v1": ("control", "alert_raised"),
        "AlertResolved.v1": ("control", "alert_resolved"),
    }[event.topic]
    return f"jira.{said['site']}.{said['project'] or '_'}.{kind}.{name}"
