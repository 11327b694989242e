"""The parts of Jira's JSON that end up in a column: one typed struct each, so that decoding skips everything else.

Users and sprints, which the ingestor reads as well, have their shapes in `libs.jira_client.models`; the rest is here.
Where Jira's answer may miss something or hold null, the field has a default. What is of another type than Jira
documents is an error: the event is parked, seen by people, and applied again once this file knows better.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from libs.jira_client.models import StoredSprint, StoredUser, UserReference
from libs.read_tables import UNKNOWN_ACCOUNT
from services.projector.batch import Membership


class Named(msgspec.Struct):
    name: str | None = None


class StatusCategory(msgspec.Struct):
    key: str | None = None


class Status(Named, rename="camel"):
    status_category: StatusCategory | None = None


class IssueFields(msgspec.Struct):
    """A field that has the name of a column of `issue` goes there; see `columns.py`."""

    summary: str | None = None
    description: Any = None
    status: Status | None = None
    priority: Named | None = None
    issue_type: Named | None = msgspec.field(name="issuetype", default=None)
    assignee_id: UserReference | None = msgspec.field(name="assignee", default=None)
    reporter_id: UserReference | None = msgspec.field(name="reporter", default=None)
    created: str | None = None
    updated: str | None = None
    sprints: Any = None
    """The site's sprint field: `issue_fields` gives it its name."""


class Comment(msgspec.Struct):
    author_id: UserReference | None = msgspec.field(name="author", default=None)
    body: Any = None
    created: str | None = None
    updated: str | None = None


class Worklog(msgspec.Struct, rename="camel"):
    author_id: UserReference | None = msgspec.field(name="author", default=None)
    comment: Any = None
    time_spent_seconds: int | None = None
    started: str | None = None
    created: str | None = None
    updated: str | None = None


users: Final = msgspec.json.Decoder(StoredUser)
comments: Final = msgspec.json.Decoder(Comment)
worklogs: Final = msgspec.json.Decoder(Worklog)
sprints: Final = msgspec.json.Decoder(StoredSprint)


def issue_fields(payload: Raw, sprint_field: str | None) -> IssueFields:
    """The projected fields of an issue; its sprints stand in a field whose name differs from site to site."""
    fields: IssueFields = _issues(sprint_field).decode(payload).fields
    return fields


@functools.lru_cache(maxsize=256)
def _issues(sprint_field: str | None) -> "msgspec.json.Decoder[Any]":
    # Without a sprint field the name must be one that no field of Jira has.
    names = {"sprints": sprint_field or "\0"}
    fields = msgspec.defstruct("_Fields", [("sprints", Any, None)], bases=(IssueFields,), rename=names)
    return msgspec.json.Decoder(msgspec.defstruct("_Issue", [("fields", fields)]))


def account(user: UserReference) -> str:
    """Whose it is; `unknown` when Jira does not say."""
    return user.account_id or UNKNOWN_ACCOUNT


def memberships(value: Any) -> Sequence[Membership]:
    """The sprint field's entries, in Jira's order, each sprint once: Cloud's objects or Server's text form."""
    found: dict[str, Membership] = {}
    for entry in value if isinstance(value, list) else ():
        member = _membership(entry)
        if member is not None:
            found.setdefault(member.sprint_id, member)
    return tuple(found.values())


_SERVER_ID: Final = re.compile(r"[\[,]id=(\d+)[,\]]")
_SERVER_STATE: Final = re.compile(r"[\[,]state=(\w+)[,\]]")


def _membership(entry: Any) -> Membership | None:
    """Server writes `com.atlassian.…Sprint@a88a698[id=1,rapidViewId=1,state=ACTIVE,name=…]`: names may hold commas."""
    if isinstance(entry, str):
        sprint_id, state = _SERVER_ID.search(entry), _SERVER_STATE.search(entry)
        return Membership(sprint_id[1], state[1].lower() if state else None) if sprint_id else None
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int | str):
        return None
    named = entry.get("state")
    return Membership(str(entry["id"]), named.lower() if isinstance(named, str) else None)
