"""When a sync runs next: by its cron, or slower while it is backed off."""

from datetime import UTC, datetime
from typing import Self

import strawberry

from libs.temporal.cron import BadCron, next_runs
from libs.temporal.intervals import Interval, next_time, pace
from services.graphql.reading.from_row import column, from_row, moment
from services.graphql.reading.reader import Row


@strawberry.type(description="A schedule that is slowed down because its runs fail; one that succeeds restores it.")
class Backoff:
    level: int = strawberry.field(
        description="1, 2, 3, …: each further failure goes one up, to the longest pause.",
        metadata=column("backoff_level"),
    )
    code: str = strawberry.field(description="The failure that led to it, such as SUSPENDED_PAYMENT.")
    failures: int = strawberry.field(description="Runs in a row that failed so.", metadata=column("backoff_failures"))
    seconds: int = strawberry.field(description="From one run to the next.", metadata=column("backoff_seconds"))
    since: datetime | None = strawberry.field(
        description="When it was slowed down first.", metadata=column("backoff_since")
    )
    next_run_at: datetime | None = strawberry.field(
        description="When the next run looks whether Jira works again; null while paused."
    )

    @classmethod
    def of(cls, row: Row, now: datetime | None = None) -> Self | None:
        """The back-off of a row of `sync_job`; None while it runs by its cron."""
        if not row["backoff_level"]:
            return None
        return from_row(cls, row, code=row["backoff_code"] or "", next_run_at=next_run_of(row, now))


@strawberry.type(description="A schedule that runs seldom because webhooks tell of changes at once.")
class Stretch:
    seconds: int = strawberry.field(description="From one run to the next.", metadata=column("stretch_seconds"))
    since: datetime = strawberry.field(description="Since when.", metadata=column("stretch_anchor"))

    @classmethod
    def of(cls, row: Row) -> Self | None:
        """Of a row of `sync_job`; None while webhooks spare it nothing."""
        return from_row(cls, row) if row["stretch_seconds"] else None


def _interval(row: Row, kind: str) -> Interval | None:
    anchor, seconds = row[f"{kind}_anchor"], row[f"{kind}_seconds"]
    return Interval(seconds, moment(anchor)) if anchor is not None and seconds else None


def next_run_of(row: Row, now: datetime | None = None) -> datetime | None:
    """When a job of `sync_job` runs next, in UTC; None while it is paused."""
    if row["status"] == "PAUSED":
        return None
    interval = pace(_interval(row, "backoff"), _interval(row, "stretch"))
    if interval is not None:
        return next_time(interval.anchor, interval.seconds, now or datetime.now(UTC))
    return next_run(row["cron"], row["timezone"], now)


def next_run(cron: str, timezone: str, now: datetime | None = None) -> datetime | None:
    """The next time a cron expression fires, in UTC; None for one that cannot be read: the rest of a job can."""
    try:
        return next(iter(next_runs(cron, timezone, now or datetime.now(UTC), 1)), None)
    except BadCron:
        return None
