"""How far the NATS stream has come, read from the stream itself: no other record can disagree with it."""

import asyncio
from datetime import UTC, datetime, timedelta

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, StreamInfo
from nats.js.errors import NotFoundError

from libs.events.log.store import EventStore
from libs.events.nats.cloudevents import MESSAGE_ID, is_of


class ForeignStreamError(RuntimeError):
    """The stream ends with an event that this log does not hold: it was filled from another log."""


async def checkpoint(store: EventStore, jetstream: JetStreamContext, stream: str) -> tuple[int, int]:
    """(position after which to go on, last sequence of the stream).

    Raises:
        ForeignStreamError: the stream was filled from another log.
    """
    info = await jetstream.stream_info(stream)
    last = info.state.last_seq
    # From the end backwards: the newest messages may be gone, or not be ours.
    for sequence in range(last, max(info.state.first_seq, 1) - 1, -1):
        message = await _message(jetstream, stream, sequence)
        if message is not None and message.headers and MESSAGE_ID in message.headers:
            return await asyncio.to_thread(_position_of, store, message.headers, stream), last
    return await asyncio.to_thread(_position_before_what_is_kept, store, info), last


async def _message(jetstream: JetStreamContext, stream: str, sequence: int) -> RawStreamMsg | None:
    try:
        return await jetstream.get_msg(stream, seq=sequence)
    except NotFoundError:
        return None


def _position_of(store: EventStore, headers: dict[str, str], stream: str) -> int:
    position = int(headers[MESSAGE_ID])
    found = store.read(position - 1, 1)
    if not found or not is_of(headers, found[0]):
        raise ForeignStreamError(
            f"Stream {stream} ends with event {position} of another event log. Delete the stream (it is filled again"
            f" from this log), or give this relay a NATS server of its own."
        )
    return position


def _position_before_what_is_kept(store: EventStore, info: StreamInfo) -> int:
    """Where to begin on an empty stream.

    One that never held anything gets the whole log. One that did was emptied by its age limit, or by somebody: it gets
    what it would hold by that limit, so that a quiet month does not bring a project's whole history again.
    """
    if info.state.last_seq == 0 or not info.config.max_age:
        return 0
    kept_since = datetime.now(UTC) - timedelta(seconds=info.config.max_age)
    older, newer = 0, store.head()
    while older < newer:
        middle = (older + newer) // 2
        found = store.read(middle, 1)
        if not found or found[0].event.recorded_at >= kept_since:
            newer = middle
        else:
            older = found[0].position
    return older
