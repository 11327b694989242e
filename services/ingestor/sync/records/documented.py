"""Which of a record's fields Jira shows otherwise than documented, of those that people see. Pure.

Such a record is stored, and shown as far as it can be read. But Jira may put it right without touching the record's
`updated`, and then no search would show it: so it is named, and asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
_AS_USUAL: Final = re.compile(
    rb'"(?:19[89]|20[0-9])[0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])'
    rb'T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}[+-](?:0[0-9]|1[0-4])[0-5][0-9]"'
)
"""A time as Jira writes it, of 1980 to 2099, and of a day that every month has."""
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
        if raw is not None and not _is_time(raw):
            yield name, _no_time(name)


def odd_times_of_child(child: Child) -> Iterator[tuple[str, UnreadableError]]:
    """The times of a comment or a worklog that cannot be read, each with the reason."""
    return _odd_times(created=child.created, updated=child.updated, started=child.started)


def odd_times_of_sprint(sprint: SprintFact) -> Iterator[tuple[str, UnreadableError]]:
    """The dates of a sprint that cannot be read; one that it does not have yet is none of them."""
    return _odd_times(startDate=sprint.start_date, endDate=sprint.end_date, completeDate=sprint.complete_date)


def _odd_times(**times: Raw) -> Iterator[tuple[str, UnreadableError]]:
    for name, raw in times.items():
        if said(raw) and not _is_time(raw):
            yield name, _no_time(name)


def _is_time(raw: Raw) -> bool:
    """Whether it is one; by its looks where it is written as Jira does, for there are many."""
    return _AS_USUAL.fullmatch(raw) is not None or moment_of(raw) is not None


def _no_time(name: str) -> UnreadableError:
    return UnreadableError(f"`{name}` is no time that can be read")


_NULL: Final = Raw(b"null")
