"""Processes that read the log ahead of the one that writes, and fold it: that is most of what a rebuild takes.

Each folds every n-th part of the log. What it makes of a part depends on nothing but the events in it, as long as none
of their streams waits behind a parked event; whoever writes looks (`Projection.apply_folded`). So the tables are those
that one process makes, part by part.
"""

import gc
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from libs.events import EventStore, open_store
from libs.runtime import configure
from services.projector.batch import Folded
from services.projector.measures import SERVICE
from services.projector.projections import collect, collect_last

PART: Final = 2000
"""Positions of the log in one part."""
WAITING: Final = 2
"""Parts that a process has folded and that nobody has fetched yet; then it waits. This bounds the memory of all."""
MOST: Final = 4
"""Processes: whoever writes keeps no more of them busy."""
GARBAGE: Final = 50_000
"""Objects between two looks for garbage that refers to itself: a part makes more, and none of them does."""


class LostError(RuntimeError):
    """A process is gone before its work was done, or could not do it."""


class _Work(NamedTuple):
    """What one process has to do."""

    url: str
    fold: "Fold"
    parts: Sequence[tuple[int, int]]
    head: int
    deepest: int
    """Calls within calls."""


def every_event(store: EventStore, after: int, upto: int, _head: int) -> Folded:
    """What the events of a part change, where nothing is parked before them."""
    batch = store.read(after, PART, stop=upto)
    streams = b"".join([recorded.event.stream_id.bytes for recorded in batch])
    return Folded(collect(batch, set()), batch[-1].position if batch else 0, streams)


def last_facts(store: EventStore, after: int, upto: int, head: int) -> Folded:
    """What the events of a part change, where of each entity only the last fact up to `head` counts.

    Raises:
        Exception: one of them cannot be applied.
    """
    batch = store.read_placed(after, upto, head)
    return Folded(collect_last(batch), batch[-1].recorded.position if batch else 0, b"")


Fold = Callable[[EventStore, int, int, int], Folded]
"""Gets the log, the positions that a part lies between, and the last one of all parts."""


@contextmanager
def folding(url: str, after: int, upto: int, fold: Fold = every_event) -> Iterator[Iterator[Folded]]:
    """What the events between two positions of a log change, part by part, in order.

    To fetch a part raises LostError where the process that has it is gone, or could not read or fold it.
    """
    parts = [(start, min(start + PART, upto)) for start in range(after, upto, PART)]
    count = min(len(os.sched_getaffinity(0)), MOST, len(parts))
    work = [_Work(url, fold, parts[number::count], upto, sys.getrecursionlimit()) for number in range(count)]
    with _processes(work) as connections:
        yield (_fetched(connections[number % count]) for number in range(len(parts)))


@contextmanager
def _processes(shares: Sequence[_Work]) -> Iterator[list[Connection]]:
    """A process for each share of the work, and what comes from each."""
    context = get_context("spawn")  # a fork would hold our locks and connections
    running, connections = [], []
    try:
        for share in shares:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(theirs, share), daemon=True)
            process.start()
            theirs.close()  # so that its end is seen when the process dies
            running.append(process)
            connections.append(ours)
        yield connections
    finally:
        for process in running:
            process.kill()
            process.join()
        for connection in connections:
            connection.close()


def _fetched(connection: Connection) -> Folded:
    try:
        found: Folded | LostError = pickle.loads(connection.recv_bytes())  # noqa: S301 - of a process of ours
    except (EOFError, OSError):
        raise LostError("a process that reads the log for the rebuild is gone") from None
    if isinstance(found, LostError):
        raise found
    return found


def _work(connection: Connection, work: _Work) -> None:
    """What such a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with the one that began it
    sys.setrecursionlimit(work.deepest)
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    configure(SERVICE, os.environ.get("JDI_LOG_LEVEL") or "info")
    folded: queue.Queue[bytes | None] = queue.Queue(WAITING)
    sender = threading.Thread(target=_send, args=(connection, folded))
    sender.start()
    try:
        with closing(open_store(work.url)) as store:
            for after, upto in work.parts:
                part = work.fold(store, after, upto, work.head)
                folded.put(pickle.dumps(part, pickle.HIGHEST_PROTOCOL))
    except Exception as error:  # noqa: BLE001 - the one that writes tells it, and goes another way
        folded.put(pickle.dumps(LostError(f"{type(error).__name__}: {error}")))
    folded.put(None)
    sender.join()


def _send(connection: Connection, folded: "queue.Queue[bytes | None]") -> None:
    try:
        while (part := folded.get()) is not None:
            connection.send_bytes(part)
    except OSError:  # nobody fetches it any more, not even to end us
        os._exit(1)
