"""The parts of Jira's JSON that end up in a column: one typed struct each, so that decoding skips everything else.

Users and sprints, which the ingestor reads as well, have their shapes in `libs.jira_client.models`; the rest is here.
Where Jira's answer may miss something or hold null, the field has a default. What is of another type than Jira
documents is read as far as it goes: see `tolerant.py`.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from libs.events import JiraIssueFetched
from libs.jira_client.models import StoredSprint, StoredUser, UserReference, sprint_fields
from libs.read_tables import FORMER_USER, NO_ACCOUNT, UNKNOWN_ACCOUNT
from services.projector.issues.tolerant import Reader
from services.projector.tables.text import storable


class Named(msgspec.Struct):
    name: str | None = None


class StatusCategory(msgspec.Struct):
    key: str | None = None


class Status(Named, rename="camel"):
    status_category: StatusCategory | None = None


class Person(UserReference, frozen=True, kw_only=True):
    """Somebody whom a record names: Cloud names the account; Server, and what was imported, only the person."""

    name: str | None = None
    """To log in with, on Server."""
    key: str | None = None
    display_name: str | None = None
    active: bool | None = None


class IssueFields(msgspec.Struct):
    """A field that has the name of a column of `issue` goes there; see `columns.py`."""

    summary: str | None = None
    description: Any = None
    status: Status | None = None
    priority: Named | None = None
    issue_type: Named | None = msgspec.field(name="issuetype", default=None)
    assignee_id: Person | None = msgspec.field(name="assignee", default=None)
    reporter_id: Person | None = msgspec.field(name="reporter", default=None)
    created: str | None = None
    updated: str | None = None


class Comment(msgspec.Struct):
    author_id: Person | None = msgspec.field(name="author", default=None)
    body: Any = None
    created: str | None = None
    updated: str | None = None


class Worklog(msgspec.Struct, rename="camel"):
    author_id: Person | None = msgspec.field(name="author", default=None)
    comment: Any = None
    time_spent_seconds: int | None = None
    started: str | None = None
    created: str | None = None
    updated: str | None = None


users: Final = Reader(StoredUser)
comments: Final = Reader(Comment)
worklogs: Final = Reader(Worklog)
sprints: Final = Reader(StoredSprint)


def issue_fields(event: JiraIssueFetched) -> tuple[IssueFields, Any]:
    """The projected fields of an issue, and the value of its sprint field, whose name differs from site to site."""
    reader, sprints = _issues(event.sprint_field)
    fields = reader.read(event.payload, event.stream_id).fields
    return fields, sprints(fields)


@functools.lru_cache(maxsize=256)
def _issues(sprint_field: str | None) -> tuple[Reader[Any], Callable[[Any], Any]]:
    """What reads the issues of a site, and what takes the sprints out of the fields that it has read."""
    own = {field.encode_name for field in msgspec.structs.fields(IssueFields)}
    # Not every text can be the name of a field.
    named = [name for name in sprint_fields(sprint_field) if name.isidentifier() and name not in own]
    names = {f"sprints_{place}": name for place, name in enumerate(dict.fromkeys(named))}
    sprints = [(name, Any, None) for name in names]
    fields = msgspec.defstruct("_Fields", sprints, bases=(IssueFields,), rename=names)
    reader = Reader(msgspec.defstruct("_Issue", [("fields", fields)]))
    return reader, operator.attrgetter(*names) if len(names) == 1 else functools.partial(_joined, tuple(names))


def _joined(names: Sequence[str], fields: Any) -> list[Any]:
    """The entries of several fields, one after the other; such a field may hold one instead of a list."""
    values = [getattr(fields, name) for name in names]
    return [entry for value in values for entry in (value if isinstance(value, list) else [value])]


def has_account(person: Person) -> bool:
    return bool(person.account_id) and person.account_id != UNKNOWN_ACCOUNT


def account(person: Person) -> str:
    """Whose it is: the account; one made of the name where there is none; `unknown` when Jira says neither."""
    if has_account(person):
        return storable(person.account_id or "")
    named = name_of(person)
    return f"{NO_ACCOUNT}{named}" if named else UNKNOWN_ACCOUNT


def name_of(person: Person) -> str | None:
    """What somebody without an account goes by; the display name comes last, as several may share it."""
    names = (person.name, person.key, display_name(person))
    return next((storable(name) for name in names if name and name.strip()), None)


def display_name(person: Person) -> str | None:
    """The name that Jira shows, unless that says that it knows none."""
    shown = person.display_name
    return None if shown is None or not shown.strip() or shown == FORMER_USER else storable(shown)
