"""What `jdi status` says of whether all of a project is here: in one line, and never more than was proved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
from rich.text import Text
from sqlalchemy import Connection, Select, func, select

from libs.read_tables import (
    NEVER,
    PROVED_ENTITIES,
    Standing,
    census,
    completeness,
    issue,
    standing,
    standing_of_all,
    sync_state,
)
from libs.runtime import span_text

STYLES: Final = {
    Standing.PROVED: "green",
    Standing.DIFFERENT: "yellow",
    Standing.STALE: "yellow",
    Standing.NEVER_PROVED: "yellow",
    Standing.NEVER_SYNCED: "yellow",
    Standing.HELD_BACK: "red",
    Standing.UNEXPLAINED: "red",
    Standing.FAILED: "red",
}

CAUSES: Final = {
    "LATE": "late in Jira's index",
    "OWED": "not read yet",
    "QUARANTINED": "set aside",
    "RESTRICTED": "not shown to our account",
    "HELD_BACK": "held back",
    "UNEXPLAINED": "unexplained",
}

Found = Mapping[str, Any]


class Named(Protocol):
    """What names a project, as `libs.events.ProjectKey` does, without the event log behind it."""

    @property
    def site(self) -> str: ...
    @property
    def key(self) -> str: ...


def proof_line(connection: Connection, project: Named, every: float, now: datetime) -> Text:
    """The line of one project.

    Args:
        connection: to the read tables.
        project: that is registered.
        every: seconds between two censuses; 0: there are none by themselves.
        now: with a zone.
    """
    of = {"site": project.site, "project_key": project.key}
    taken = next(iter(_rows(connection, select(census).filter_by(**of))), None)
    proofs = {row["entity"]: row for row in _rows(connection, select(completeness).filter_by(**of))}
    states = _rows(connection, select(sync_state).filter_by(**of))
    synced = {row["entity"] for row in states if row["last_sync_time"] != NEVER}
    verdict = standing_of_all(
        {
            entity: standing(taken, proofs.get(entity), synced=entity in synced, every=every, now=now)
            for entity in PROVED_ENTITIES
        }
    )
    here = connection.execute(select(func.count()).select_from(issue).filter_by(**of)).scalar_one()
    words = _words(verdict, project, taken or {}, proofs, here, now)
    return Text("complete ") + Text(verdict.value, style=STYLES[verdict]) + Text(f"  {words}")


def _rows(connection: Connection, query: Select[Any]) -> list[Found]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _words(
    verdict: Standing, project: Named, taken: Found, proofs: Mapping[str, Found], here: int, now: datetime
) -> str:
    if verdict is Standing.NEVER_SYNCED:
        return "never synced: nobody knows what there is"
    if verdict is Standing.NEVER_PROVED:
        return f"{_counted(here, 'issue')} here, never proved"
    proved = f"proved {_ago(taken['proved_at'], now)}" if taken["proved_at"] else "never proved"
    if verdict is Standing.FAILED:
        said = f"{taken['error_message']} {taken['error_advice']}".strip()
        return f"the last census failed with {taken['error_code']}: {said.rstrip('.')}; {proved}"
    compared = ", ".join(_compared(entity, proofs[entity]) for entity in PROVED_ENTITIES if _is_counted(proofs, entity))
    compared = compared or f"{_counted(here, 'issue')} here"
    if verdict is Standing.HELD_BACK:
        accept = f"`jdi prove {project.key} --accept` removes them"
        return f"{compared}; nothing was removed: {taken['brake'].rstrip('.')}; {accept}; {proved}"
    if verdict is Standing.UNEXPLAINED:  # what nobody can explain is not proved
        return f"{compared}, compared {_ago(taken['taken_at'], now)}"
    return f"{compared}, {proved}"


def _is_counted(proofs: Mapping[str, Found], entity: str) -> bool:
    return entity in proofs and proofs[entity]["in_jira"] is not None


def _compared(entity: str, proof: Found) -> str:
    """How many were here of how many, when the census ended."""
    told = msgspec.json.decode(proof["differences"])
    causes = ", ".join(f"{each['number']:,} {CAUSES.get(each['cause'], each['cause'])}" for each in told)
    there = _counted(proof["in_jira"], entity)
    more = proof["here"] > proof["in_jira"]
    many = f"{proof['here']:,} here, {there} in Jira" if more else f"{proof['here']:,} of {there}"
    return f"{many} ({causes})" if causes else many


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _ago(moment: str, now: datetime) -> str:
    seconds = int((now - datetime.fromisoformat(moment)).total_seconds())
    return f"{span_text(seconds if seconds < 60 else seconds // 60 * 60)} ago"
