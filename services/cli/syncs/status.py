"""`jdi status`: how the syncs of every project stand, from the read tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine, Row, RowMapping, select

from libs.read_tables import NEVER, ReadTablesError, alert, project, readiness, sync_job, sync_state
from libs.runtime import addresses, span_text
from libs.temporal.cron import BadCron, next_runs
from libs.temporal.intervals import next_time
from services.cli.syncs.proved import proof_line

STYLES = {"SUCCESS": "green", "ACTIVE": "green", "RUNNING": "cyan", "FAILED": "red", "ERROR": "red", "PAUSED": "yellow"}


def status(tables: Engine, every: float = addresses.CENSUS_SECONDS) -> Group:
    """A table per project; a line when there is none.

    Args:
        tables: to be read.
        every: seconds between two censuses of a project; 0: there are none by themselves.

    Raises:
        ReadTablesError: the tables cannot be read.
    """
    why = readiness(tables)
    if why is not None:
        raise ReadTablesError(why)
    with tables.connect() as connection:
        query = select(project).where(project.c.registered).order_by(project.c.site, project.c.key)
        projects = connection.execute(query).all()
        of_sites = select(alert).where(alert.c.project_key == "", alert.c.status != "RESOLVED")
        parts: list[Table | Text | str] = []
        for found in connection.execute(of_sites.order_by(alert.c.raised_position)).mappings():
            parts += (Text(f"site {found['site']}", style="bold"), _alert(found))
        parts += [part for row in projects for part in _project(connection, row, every)]
    return Group(*(parts or [Text("No project is registered. Register one: jdi register PROJECT")]))


def _project(connection: Connection, row: Row[Any], every: float) -> Iterator[Table | Text | str]:
    job = connection.execute(
        select(sync_job).where(sync_job.c.site == row.site, sync_job.c.project_key == row.key)
    ).first()
    states = connection.execute(
        select(sync_state)
        .where(sync_state.c.site == row.site, sync_state.c.project_key == row.key)
        .order_by(sync_state.c.entity)
    ).all()
    yield Text(f"{row.site}/{row.key}", style="bold") + Text(f"  {row.name}" if row.name else "")
    yield proof_line(connection, row, every, datetime.now(UTC))
    if job is not None:
        yield _job(job)
        if job.backoff_level:
            yield _backoff(job)
    open_alerts = (
        select(alert)
        .where(alert.c.site == row.site, alert.c.project_key == row.key, alert.c.status != "RESOLVED")
        .order_by(alert.c.raised_position)
    )
    alerts = connection.execute(open_alerts).mappings().all()
    yield from map(_alert, alerts)
    alerted = {found["code"] for found in alerts}
    yield from dict.fromkeys(_error(state) for state in states if state.error_code and state.error_code not in alerted)
    table = Table("entity", "state", "last sync", "watermark", "rows", "error", box=None, padding=(0, 2, 0, 0))
    for state in states:
        table.add_row(
            state.entity,
            Text(state.status, style=STYLES.get(state.status, "")),
            "never" if state.last_sync_time == NEVER else _to_the_second(state.last_sync_time),
            _to_the_second(state.watermark) if state.watermark else "-",
            str(state.rows),
            state.error_code or "",
        )
    yield table
    yield Text("")


def _job(job: Row[Any]) -> Text:
    line = Text("schedule ") + Text(job.status, style=STYLES.get(job.status, ""))
    if job.paused_by:
        line += Text(f" by {job.paused_by}{f': {job.pause_reason}' if job.pause_reason else ''}")
    line += Text(f"  {job.cron} {job.timezone}{_next(job)}")
    last = (
        f"last run {_to_the_second(job.last_run_at)} {job.last_result or 'not ended'}"
        if job.last_run_at
        else "no run yet"
    )
    line += Text(f"  {last}")
    if job.current_run_id:
        line += Text(f"  running, page {job.pages_done}/{job.pages_total if job.pages_total is not None else '?'}")
    return line


def _backoff(job: Row[Any]) -> Text:
    line = Text(f"slowed down, level {job.backoff_level}", style="yellow")
    times = "once" if job.backoff_failures == 1 else f"{job.backoff_failures} times in a row"
    line += Text(f"  {job.backoff_code} {times}; a run every {span_text(job.backoff_seconds)}")
    probe = f", the next at {_next_probe(job):%Y-%m-%dT%H:%M:%SZ}" if job.status != "PAUSED" else ""
    return line + Text(f"{probe} until one succeeds")


def _next_probe(job: Row[Any]) -> datetime:
    return next_time(datetime.fromisoformat(job.backoff_anchor), job.backoff_seconds, datetime.now(UTC))


def _alert(found: RowMapping) -> Text:
    line = Text(f"alert {found['status']}", style="yellow" if found["status"] == "ACKNOWLEDGED" else "red")
    if found["acknowledged_by"]:
        line += Text(f" by {found['acknowledged_by']}")
    times = "once" if found["count"] == 1 else f"{found['count']} times"
    return line + Text(f"  {found['code']} {times} since {_to_the_second(found['first_seen'])}: {found['advice']}")


def _error(state: Row[Any]) -> str:
    return f"{state.error_code}: {state.error_message} {state.error_advice}"


def _to_the_second(time: str) -> str:
    return f"{time[:19]}Z"


def _next(job: Row[Any]) -> str:
    if job.status == "PAUSED" or job.backoff_level:
        return ""
    if job.stretch_seconds:
        then = next_time(datetime.fromisoformat(job.stretch_anchor), job.stretch_seconds, datetime.now(UTC))
        return f"  every {span_text(job.stretch_seconds)} while webhooks are alive  next {then:%Y-%m-%dT%H:%MZ}"
    try:
        following = next_runs(job.cron, job.timezone, datetime.now(UTC), 1)
    except BadCron:  # the rest of the job can be read
        return ""
    return "".join(f"  next {moment:%Y-%m-%dT%H:%MZ}" for moment in following)
