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
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, NoReturn, TypeVar

from libs.events import EventStore, open_store
from libs.runtime import configure
from services.projector.batch import Folded
from services.projector.measures import SERVICE
from services.projector.projections import collect

PART: Final = 2000
"""Positions of the log in one part."""
WAITING: Final = 2
"""Parts that a process has folded and that nobody has fetched yet; then it waits. This bounds the memory of all."""
MOST: Final = 4
"""Processes: whoever writes keeps no more of them busy."""
PATIENCE_SECONDS: Final = 30.0
"""For processes that nobody listens to any more: each still folds the part that it is at."""
GARBAGE: Final = 1_000_000
"""Objects between two looks for garbage that refers to itself: rows are many and never are such, yet each look goes
through all of a part's, which would take as long as everything else."""


P = TypeVar("P")
"""What becomes of a part."""

Fold = Callable[[EventStore, int, int], P]
"""Gets the log and the positions that a part lies between. It goes to other processes, so it can be pickled."""


class LostError(RuntimeError):
    """A process is gone before its work was done, or could not do it."""


@dataclass(frozen=True)
class _Work(Generic[P]):
    """What one process has to do."""

    url: str
    fold: Fold[P]
    parts: Sequence[tuple[int, int]]
    deepest: int
    """Calls within calls."""


def every_event(store: EventStore, after: int, upto: int) -> Folded:
    """What the events of a part change, where nothing is parked before them."""
    batch = store.read(after, upto - after, stop=upto)
    streams = b"".join([recorded.event.stream_id.bytes for recorded in batch])
    return Folded(collect(batch, set()), batch[-1].position if batch else 0, streams)


@contextmanager
def folding(url: str, after: int, upto: int, fold: Fold[P]) -> Iterator[Iterator[P]]:
    """What becomes of the events between two positions of a log, part by part, in order.

    To fetch a part raises LostError where the process that has it is gone, or could not read or fold it.
    """
    parts = [(start, min(start + PART, upto)) for start in range(after, upto, PART)]
    count = min(len(os.sched_getaffinity(0)), MOST, len(parts))
    work = [_Work(url, fold, parts[number::count], sys.getrecursionlimit()) for number in range(count)]
    with _processes(work) as connections:
        yield (_fetched(connections[number % count]) for number in range(len(parts)))


@contextmanager
def _processes(shares: Sequence[_Work[P]]) -> Iterator[list[Connection]]:
    """A process for each share of the work, and what comes from each."""
    context = get_context("spawn")  # a fork would hold our locks and connections
    pipes = [context.Pipe(duplex=False) for _ in shares]
    lead = context.Process(target=_lead, args=([theirs for _, theirs in pipes], shares), daemon=True)
    lead.start()
    try:
        for _, theirs in pipes:
            theirs.close()  # so that its end is seen when the process dies
        yield [ours for ours, _ in pipes]
    finally:
        for ours, _ in pipes:
            ours.close()  # whoever sends something more ends by that
        lead.join(PATIENCE_SECONDS)
        lead.kill()
        lead.join()


def _lead(connections: Sequence[Connection], shares: Sequence[_Work[P]]) -> None:
    """Become the processes: loading the program takes as long as some ten thousand events, so it is done once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with the one that began it
    configure(SERVICE, os.environ.get("JDI_LOG_LEVEL") or "info")
    gc.freeze()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    children = [os.fork() or _work_alone(connections, number, share) for number, share in enumerate(shares)]
    for connection in connections:
        connection.close()
    for child in children:
        os.waitpid(child, 0)


def _work_alone(connections: Sequence[Connection], number: int, work: _Work[P]) -> NoReturn:
    """What such a process does; it does not come back."""
    try:
        for other in {*range(len(connections))} - {number}:
            connections[other].close()
        _work(connections[number], work)
    finally:
        os._exit(0)


def _fetched(connection: Connection) -> Any:
    try:
        found = pickle.loads(connection.recv_bytes())  # noqa: S301 - of a process of ours
    except (EOFError, OSError):
        raise LostError("a process that reads the log for the rebuild is gone") from None
    if isinstance(found, LostError):
        raise found
    return found


def _work(connection: Connection, work: _Work[P]) -> None:
    sys.setrecursionlimit(work.deepest)
    folded: queue.Queue[bytes | None] = queue.Queue(WAITING)
    sender = threading.Thread(target=_send, args=(connection, folded))
    sender.start()
    try:
        with closing(open_store(work.url)) as store:
            for after, upto in work.parts:
                part = work.fold(store, after, upto)
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
