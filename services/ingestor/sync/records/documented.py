"""Which of a record's fields Jira shows otherwise than documented, of those that people see. Pure.

Such a record is stored, and shown as far as it can be read. But Jira may put it right without touching the record's
`updated`, and then no search would show it: so it is named, and asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from libs.jira_client.models import Child, SprintFact
from services.ingestor.sync.records.odd import UnreadableError, moment_of, said


class _Named(msgspec.Struct):
    name: str | None = None


_OF_ISSUE: Final[Mapping[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(kind | None)
    for name, kind in {
        "summary": str,
        "status": _Named,
        "priority": _Named,
        "issuetype": _Named,
    }.items()
}
_TIMES: Final = ("created", "updated")


def odd_fields(fields: Mapping[str, Raw]) -> Iterator[tuple[str, msgspec.DecodeError | UnreadableError]]:
    """The fields of an issue that cannot be read as documented, each with the reason."""
    for name, decoder in _OF_ISSUE.items():
        try:
            decoder.decode(fields.get(name, _NULL))
        except msgspec.DecodeError as error:
            yield name, error
    for name in _TIMES:
        raw = fields.get(name)
        if raw is not None and moment_of(raw) is None:
            yield name, _no_time(name)


def times_of_child(child: Child) -> dict[str, datetime | None]:
    """The times that a comment or a worklog has, those that cannot be read as None."""
    times = ("created", child.created), ("updated", child.updated), ("started", child.started)
    return {name: moment_of(raw) for name, raw in times if said(raw)}


def odd_times(times: Mapping[str, datetime | None]) -> list[tuple[str, UnreadableError]]:
    """Those that cannot be read, each with the reason."""
    return [(name, _no_time(name)) for name, moment in times.items() if moment is None]


def odd_times_of_sprint(sprint: SprintFact) -> list[tuple[str, UnreadableError]]:
    """The dates of a sprint that cannot be read; one that it does not have yet is none of them."""
    dates = ("startDate", sprint.start_date), ("endDate", sprint.end_date), ("completeDate", sprint.complete_date)
    return odd_times({name: moment_of(raw) for name, raw in dates if said(raw)})


def _no_time(name: str) -> UnreadableError:
    return UnreadableError(f"`{name}` is no time that can be read")


_NULL: Final = Raw(b"null")
