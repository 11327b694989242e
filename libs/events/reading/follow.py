"""One loop for live reading, catch-up and rebuild: batches after a position, in order, until told to stop."""

from collections.abc import Iterator, Sequence

from libs.events.log.batches import Recorded
from libs.events.log.store import EventStore
from libs.events.stop import Stopping


def follow(
    store: EventStore,
    after: int,
    stop: Stopping,
    *,
    limit: int = 500,
    topics: Sequence[str] = (),
    timeout: float = 1.0,
) -> Iterator[list[Recorded]]:
    """Yield what comes after a position, for ever; waits at most `timeout` seconds before it looks at `stop` again."""
    while not stop.is_set():
        # The end is noted before the read: an event that comes in between is waited for from the older end, so at once.
        head = store.head() if topics else after
        batch = store.read(after, limit, topics)
        if batch:
            after = batch[-1].position
            yield batch
        else:
            # Nothing of these topics up to the noted end, and nothing will ever appear before it.
            after = max(after, head)
            store.wait(after, timeout)
