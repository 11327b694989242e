"""What the relay measures: its place in the log, and what it finds in the stream."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import Counter

from libs.events import EventStore, waiting_seconds
from libs.runtime import LAG, POSITION, asked

NAME: Final = "relay"

FOREIGN: Final = Counter(
    "jdi_stream_foreign_messages_total",
    "Messages of others that the relay found in the stream, and passed over.",
    ["site"],
)
REPAIRED: Final = Counter(
    "jdi_stream_repaired_events_total",
    "Events that were missing in the stream, and were published again.",
    ["site"],
)


@contextlib.contextmanager
def measured(store: EventStore) -> Iterator[Callable[[int | None], None]]:
    """Measure the relay within the block; gives who is to hear its place, None while another process leads."""
    with contextlib.ExitStack() as leading:
        place: int | None = None

        def relayed(position: int | None) -> None:
            nonlocal place
            before, place = place, position
            if position is None:
                leading.close()
            elif before is None:
                leading.enter_context(asked(POSITION, lambda: place or 0, NAME))
                leading.enter_context(asked(LAG, lambda: waiting_seconds(store, place or 0), NAME))

        yield relayed
