"""Somebody who may publish into the stream, and does: everything but what a client would write, at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from tests.acceptance.stream.judge import Logged

IDS: Final[dict[str, Callable[[random.Random, int], str]]] = {
    "a word": lambda _, __: "not-a-number",
    "empty": lambda _, __: "",
    "negative": lambda _, head: f"-{head}",
    "nought": lambda _, __: "0",
    "beyond 64 bits": lambda _, __: str(2**63),
    "largest": lambda _, __: str(2**63 - 1),
    "much beyond": lambda _, __: str(2**64 + 5),
    "thousands of digits": lambda _, __: "9" * 5000,
    "leading noughts": lambda _, head: f"00{head}",
    "a plus": lambda _, head: f"+{head}",
    "an underscore": lambda _, __: "1_0",
    "spaces": lambda _, head: f"  {head} ",
    "a fraction": lambda _, head: f"{head}.0",
    "exponent": lambda _, __: "1e3",
    "other digits": lambda _, __: "١٢٣",
    "bytes that are no text": lambda _, __: "\udcff\udcfe",
    "an escape": lambda _, __: "\x1b[2J\u202eid",
    "of the next event": lambda _, head: str(head + 1),
    "of a coming event": lambda rng, head: str(head + rng.randint(1, 250)),
    "of a far event": lambda rng, head: str(head + rng.randint(1_000, 10**9)),
    "of an old event": lambda rng, head: str(rng.randint(1, max(head, 1))),
}
RAW_HEADERS: Final = (
    b"NATS/1.0",
    b"NATS/1.0 ",
    b"NATS/1.0 \xff\xff\xff\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\n\r\n",
    b"NATS/1.0\r\nStatus: 503\r\n\r\n",
    b"NATS/1.0\r\nStatus: 404\r\n\r\n",
    b"NATS/1.0\r\nStatus: 409\r\nDescription: Consumer Deleted\r\n\r\n",
    b"NATS/1.0\r\nNats-Msg-Id: 5\r\nNats-Msg-Id: 6\r\nce-id: 7\r\nce-id: 8\r\n\r\n",
    b"\x00\x01\x02",
    b"garbage without end",
    b"NATS/1.0\r\n: nameless\r\nno colon\r\n\r\n",
)


class Hostile:
    """Publishes over a socket of its own, as no client library would let it."""

    def __init__(self, rng: random.Random, nats_url: str, log: Callable[[], Sequence[Logged]]) -> None:
        parts = urlsplit(nats_url)
        self._rng, self._at, self._log = rng, (parts.hostname, parts.port), log
        self.kinds: list[str] = []
        """What was published, in its order."""

    async def publish_for(self, seconds: float, pause: float) -> None:
        """Publish for so long, with pauses of up to so many seconds; NATS may go away meanwhile."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            try:
                reader, writer = await asyncio.open_connection(*self._at)
                writer.write(b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n')
                while asyncio.get_running_loop().time() < until:
                    for _ in range(self._rng.choice((1, 1, 1, 2, 5, 20))):
                        writer.write(self._message())
                    writer.write(b"PING\r\n")
                    await writer.drain()
                    while b"PONG" not in await asyncio.wait_for(reader.readline(), 5):
                        pass
                    await asyncio.sleep(self._rng.random() * pause)
                writer.close()
            except (OSError, TimeoutError):
                await asyncio.sleep(0.05)

    def _message(self) -> bytes:
        kind, subject, headers, body = self._rng.choice((self._with_id, self._with_id, self._raw, self._posing))()
        self.kinds.append(kind)
        sizes = f"{len(headers)} {len(headers) + len(body)}" if headers else f"{len(body)}"
        return (
            f"{'HPUB' if headers else 'PUB'} ".encode() + subject + f" {sizes}\r\n".encode() + headers + body + b"\r\n"
        )

    def _with_id(self) -> tuple[str, bytes, bytes, bytes]:
        kind = self._rng.choice(list(IDS))
        message_id = IDS[kind](self._rng, self._head())
        names = self._rng.choice((("Nats-Msg-Id",), ("Nats-Msg-Id", "ce-id"), ("ce-id",)))
        body = self._rng.choice((b"", b"not ours", b"{}", b"\xff\x00"))
        return f"id: {kind}", self._subject(), written(dict.fromkeys(names, message_id)), body

    def _raw(self) -> tuple[str, bytes, bytes, bytes]:
        headers = self._rng.choice((b"", *RAW_HEADERS))
        return f"headers: {headers!r}", self._subject(), headers, self._rng.choice((b"", b"x"))

    def _posing(self) -> tuple[str, bytes, bytes, bytes]:
        """As a relay of this log, as far as somebody can who reads the stream."""
        log = self._log()
        if not log:
            return self._raw()
        event = self._rng.choice(log)
        kind = self._rng.choice(("copy", "copy without id", "other bytes", "no bytes", "left in the log", "to come"))
        position = event.position if kind != "to come" else self._head() + self._rng.randint(1, 300)
        headers = {
            "Nats-Msg-Id": str(position),
            "Nats-Expected-Stream": "JIRA",
            "ce-specversion": "1.0",
            "ce-id": str(position),
            "ce-source": "/jira/acme",
            "ce-type": event.topic,
            "ce-sequence": "1",
            "jdi-seal": "0" * 32,
        }
        if kind == "copy without id":
            del headers["Nats-Msg-Id"]
        if kind == "left in the log":
            headers["ce-dataref"] = f"event-store:{position}"
        body = {"other bytes": event.state[::-1], "no bytes": b"", "left in the log": b""}.get(kind, event.state)
        return f"posing: {kind}", b"jira.acme.KEY.issue.jira_issue_fetched", written(headers), body

    def _head(self) -> int:
        log = self._log()
        return log[-1].position if log else 0

    def _subject(self) -> bytes:
        return self._rng.choice(
            (
                b"jira.acme.KEY.issue.jira_issue_fetched",
                b"jira.x",
                b"jira.acme._.control.alert_raised",
                b"jira.\xff\xfe.y",
            )
        )


def written(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"NATS/1.0\r\n" + lines.encode(errors="surrogateescape") + b"\r\n"
