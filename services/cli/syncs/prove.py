"""`jdi prove`: ask for a census, and wait for what it finds when that is wanted."""

from datetime import datetime, timedelta
from typing import Final

from libs.events import TOPIC_OF, CensusCompleted, CensusFailed, CensusRequested, EventStore, follow
from libs.runtime import Stop
from services.cli.syncs.watch import Deadline, NoProgressError

Ended = CensusCompleted | CensusFailed
TOPICS: Final = tuple(TOPIC_OF[kind] for kind in (CensusRequested, CensusCompleted, CensusFailed))
QUIET_SECONDS: Final = 900.0
"""A census that says nothing for so long is not waited for any more: one of 100,000 issues takes a minute."""
CLOCKS: Final = timedelta(seconds=2)
"""By which the clocks of two processes may differ."""


def watch_census(
    store: EventStore, after: int, site: str, project: str, request_id: str, stop: Stop, quiet: float = QUIET_SECONDS
) -> Ended | None:
    """Follow the log behind a position until a census ends that began after it was asked for. Blocks.

    One that was under way then has not seen the request. None when `stop` came first.

    Raises:
        NoProgressError: none ended within a quarter of an hour.
    """
    asked_at: datetime | None = None
    until = Deadline(stop, quiet)
    for batch in follow(store, after, until, topics=TOPICS, timeout=0.25):
        for recorded in batch:
            event = recorded.event
            if (event.site, event.project) != (site, project):
                continue
            if isinstance(event, CensusRequested) and event.request_id == request_id:
                asked_at = event.occurred_at
            elif isinstance(event, CensusCompleted | CensusFailed) and _answers(event, asked_at):
                return event
    if stop.is_set():
        return None
    raise NoProgressError(
        f"no census of {project} has ended within {quiet:g} s; is the ingestor running? Ask `jdi doctor`"
    )


def _answers(event: Ended, asked_at: datetime | None) -> bool:
    began = event.occurred_at - timedelta(seconds=event.seconds)
    return asked_at is not None and began >= asked_at - CLOCKS


def described(end: Ended) -> str:
    """One line on how a census ended."""
    if isinstance(end, CensusFailed):
        return f"failed {end.code} {end.message} {end.advice}".rstrip()
    counts = " ".join(
        f"{each.entity}s={each.here}/{'?' if each.in_jira is None else each.in_jira}" for each in end.entities
    )
    differing = " ".join(
        f"{one.cause.value.lower()}={one.number}" for each in end.entities for one in each.differences if one.number
    )
    gone = sum(each.number for each in end.gone)
    told = f"{counts} gone={gone} returned={end.returned} fetched={end.fetched} {differing}".rstrip()
    told += f" requests={end.requests} seconds={end.seconds:.1f}"
    return f"held back {told}: {end.brake}" if end.brake else f"proved {told}"


def is_proved(end: Ended | None) -> bool:
    return isinstance(end, CensusCompleted) and not end.brake
