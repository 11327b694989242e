"""Follow one sync from its start, until its result can be read."""

from collections.abc import Callable

from libs.events import EventStore, SyncSucceeded
from libs.runtime import Stop, engine, read_database
from services.cli.syncs.watch import End, SyncProgress, wait_for_tables, watch_sync


def watch_until_readable(
    store: EventStore,
    after: int,
    progress: SyncProgress,
    stop: Stop,
    on_progress: Callable[[SyncProgress], None],
    *,
    database_url: str,
) -> End | None:
    """Follow the log behind a position until the sync has ended, and the read tables show what it brought.

    Blocks; None when `stop` came first.

    Raises:
        NoProgressError: the sync, or the projector, does not get on.
    """
    end = watch_sync(store, after, progress, stop, on_progress)
    if isinstance(end, SyncSucceeded):
        tables = engine(read_database(database_url), read_only=True)
        try:
            wait_for_tables(tables, progress.end_position, stop)
        finally:
            tables.dispose()
    return end
