"""Whose a message of the stream is: this log's, a former life's of this log, or somebody else's. Pure, but for the log.

Anybody who may publish can write any header, so none is believed. A message is ours if it says what the log says, byte
by byte. One that the log does not know is of a former life of this log only if it carries this log's seal for its very
place in the stream: the key is in the log's database, and comes back with its backups.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self

from libs.events.log.batches import Recorded
from libs.events.log.digests import digest
from libs.events.log.encoding.compressor import Zstandard, is_compressed
from libs.events.log.store import EventStore, UnreadableEvent
from libs.events.nats.cloudevents import (
    DATA_REFERENCE,
    DIGEST,
    MESSAGE_ID,
    headers_of,
    position_in,
    position_of,
    recorded_of,
    subject_of,
)
from libs.events.nats.stored import Stored

SEAL: Final = "jdi-seal"
EXPECTED_SEQUENCE: Final = "Nats-Expected-Last-Sequence"
WINDOW: Final = 200
"""Events that are read at once to compare messages with."""
LEFT_IN_THE_LOG: Final = 2**17
"""Bytes from which on an event may be too large for a server. The usual limit is eight times that."""

_decompress: Final = Zstandard().decompress
_LATER_ADDED: Final = frozenset({DIGEST, "ce-traceparent"})
"""Headers that messages of former versions do not carry."""


class Foreign(NamedTuple):
    """A message that is not of this log. The texts are somebody else's: shortened, and safe to print."""

    sequence: int
    subject: str
    message_id: str
    why: str
    takes: int | None
    """The position whose message id it has used: the server would take our message for a repetition of it."""

    def __str__(self) -> str:
        named = f" with id {self.message_id}" if self.message_id else ""
        return f"message {self.sequence} on {self.subject}{named}: {self.why}"


class ForeignStreamError(RuntimeError):
    """The stream holds events that this log does not have: the log was restored or truncated, or it is another one."""


class Seals:
    """Marks what this log has published into one stream."""

    def __init__(self, key: bytes, created: str) -> None:
        self._keyed, self._created = hmac.new(key, digestmod="sha256"), created

    def of(self, sequence: int, headers: Mapping[str, str]) -> str:
        """The seal of a message with these headers at this place."""
        about = f"{self._created}\n{sequence}\n{headers.get('ce-id', '')}\n{headers.get(DIGEST, '')}"
        mac = self._keyed.copy()  # what the key is worked into costs most of it, and is the same for all
        mac.update(about.encode())
        return mac.hexdigest()[:32]

    def is_on(self, message: Stored) -> bool:
        seal = message.headers.get(SEAL, "")
        whole = DATA_REFERENCE in message.headers or digest(message.body).hex() == message.headers.get(DIGEST)
        return whole and hmac.compare_digest(seal.encode(), self.of(message.sequence, message.headers).encode())


class Events:
    """The log, looked up by position: messages lie in the stream nearly as events do in the log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._window: dict[int, Recorded] = {}

    def at(self, position: int) -> Recorded | None:
        """The event at a position.

        Raises:
            StoreError: the log does not answer.
        """
        if position not in self._window:
            read = {recorded.position: recorded for recorded in self._store.read(position - 1, WINDOW)}
            if position not in read:
                return None
            self._window = read
        return self._window[position]

    def between(self, after: int, before: int) -> bool:
        """Whether the log holds events there: in PostgreSQL not every number is an event's.

        Raises:
            StoreError: the log does not answer.
        """
        return before - after > 1 and bool(self._store.read(after, 1, stop=before - 1))

    def former_life(self, position: int) -> ForeignStreamError:
        """The error of a stream with an event that this log does not have.

        Raises:
            StoreError: the log does not answer.
        """
        head = self._store.head()
        why = f"ends at event {head}" if position > head else f"has another event {position}"
        return ForeignStreamError(
            f"The stream holds event {position} of another event log, or of a former life of this one, which {why}: it"
            " was restored or truncated. Nothing is published until that is settled: stop the services and run"
            " `jdi restore --finish`, or give this log a NATS server of its own."
        )


def carries(message: Stored, recorded: Recorded) -> bool:
    """Whether a message is this event: the same place, subject, attributes and bytes.

    Its message id is only for the server. One that was missing may be published without, where somebody took its id.
    """
    referenced = DATA_REFERENCE in message.headers
    if message.body != (b"" if referenced else recorded.raw):
        return False
    wanted = headers_of(recorded, referenced=referenced)
    # What this version cannot decode was published by one that could, or under names that say so: its bytes decide.
    readable = not isinstance(recorded.event, UnreadableEvent)
    compared = (wanted.keys() - _LATER_ADDED - {MESSAGE_ID}) if readable else {"ce-id", "ce-type"}
    if readable and message.subject != subject_of(recorded):
        return False
    return all(message.headers.get(name) == wanted[name] for name in compared)


def is_ours(message: Stored, recorded: Recorded, seals: Seals) -> bool:
    """Whether a message is this event of this log. Only a seal is believed that a short body was left in the log."""
    short = DATA_REFERENCE in message.headers and len(recorded.raw) < LEFT_IN_THE_LOG
    return carries(message, recorded) and (not short or seals.is_on(message))


def is_as_stored(message: Stored, recorded: Recorded | None) -> bool:
    """Whether a message has an event of the log as it is stored: compressed, which no older version could read."""
    if recorded is None or not is_compressed(message.body):
        return False
    try:
        return _decompress(message.body) == recorded.raw
    except ValueError:
        return False


def is_of_a_relay(message: Stored) -> bool:
    """Whether a message looks in every way as a relay's do. Others can write such messages, too."""
    try:
        recorded = recorded_of(dict(message.headers), message.body)
    except (ValueError, LookupError):
        return False
    claimed = position_in(message.headers)
    return (
        claimed == recorded.position
        and message.headers.get(MESSAGE_ID) == str(claimed)
        and message.headers.get(EXPECTED_SEQUENCE) == str(message.sequence - 1)
        and carries(message, recorded)
    )


def foreign(message: Stored, why: str) -> Foreign:
    message_id = message.headers.get(MESSAGE_ID, "")
    return Foreign(message.sequence, printable(message.subject), printable(message_id), why, position_of(message_id))


def printable(text: str, longest: int = 60) -> str:
    """Somebody else's text, short and with nothing in it that a terminal or a log would obey."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in short)


class Tally:
    """What the stream holds of the log: everything up to `top`, but for what is `missing`."""

    def __init__(self, events: Events, seals: Seals, top: int | None, aged: int = 0) -> None:
        """Begin with what is known.

        Args:
            events: the log.
            seals: its own.
            top: None where nothing is known: the first message that is ours then says where the stream begins.
            aged: the position up to which the stream may hold events, or hold them no more.
        """
        self._events, self._seals = events, seals
        self.top = top
        self.missing: list[range] = []
        """Positions, ascending."""
        self._aged = aged

    @property
    def held(self) -> int:
        """The position up to which nothing is missing."""
        return self.missing[0].start - 1 if self.missing else self.top or 0

    def add(self, messages: Sequence[Stored]) -> list[Foreign]:
        """Count messages in, in the order of the stream; those that are not of this log.

        Raises:
            ForeignStreamError: the stream holds what this log had before it was restored or truncated.
            StoreError: the log does not answer.
        """
        return [found for message in messages if (found := self._added(message)) is not None]

    def _added(self, message: Stored) -> Foreign | None:
        if self.top is None and message.sequence == 1:
            # Nothing was ever removed from this stream: it has to hold the whole log.
            self.top = 0
        position = position_in(message.headers)
        if position is None:
            return foreign(message, "it names no position of an event")
        recorded = self._events.at(position)
        if recorded is None or not is_ours(message, recorded, self._seals):
            if is_as_stored(message, recorded):
                return foreign(message, "an older version published it, which could not read it")
            if self._seals.is_on(message):
                raise self._events.former_life(position)
            return foreign(message, f"the log has no event {position}" if recorded is None else "its content differs")
        return self._counted(message, position)

    def _counted(self, message: Stored, position: int) -> Foreign | None:
        if position <= self._aged:
            return None
        if self.top is None:
            self.top = position
        elif position > self.top:
            if self._events.between(self.top, position):
                self.missing.append(range(self.top + 1, position))
            self.top = position
        elif any(position in gap for gap in self.missing):
            self.remove(range(position, position + 1))
        else:
            return foreign(message, f"a copy of event {position}")
        return None

    def expect(self, top: int) -> None:
        """Call missing what the stream lacks at its end, up to `top`.

        Raises:
            StoreError: the log does not answer.
        """
        if self._events.between(self.top or 0, top + 1):
            self.missing.append(range((self.top or 0) + 1, top + 1))
        self.top = max(self.top or 0, top)

    def remove(self, positions: range) -> None:
        """Take positions off what is missing."""
        self.missing = [
            part
            for gap in self.missing
            for part in (
                range(gap.start, min(gap.stop, positions.start)),
                range(max(gap.start, positions.stop), gap.stop),
            )
            if part
        ]

    def follow(self, earlier: Self) -> None:
        """Add what is known of the stream before the place where this tally began."""
        self.top = max(self.top or 0, earlier.top or 0)
        self.missing = earlier.missing + self.missing
