"""What Jira's answers say, as typed values.

Only what the product reads has a field; a record that is stored keeps Jira's own bytes in `payload`. A field without a
default must be there, else the answer is a BAD_RESPONSE: a list that is missing is not an empty list.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

SPRINT_FIELD: Final = "com.pyxis.greenhopper.jira:gh-sprint"
"""The type of the custom field that lists an issue's sprints; its id differs from site to site."""


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thing of Jira: the fields that are read, and all of its bytes."""

    payload: Raw = Raw(b"")


R = TypeVar("R", bound=Record)


def record(kind: type[R], payload: Raw) -> R:
    """The typed value of one JSON object. Raises msgspec.DecodeError."""
    return msgspec.structs.replace(msgspec.json.decode(payload, type=kind), payload=payload)


def records(kind: type[R], payloads: Iterable[Raw]) -> list[R]:
    return [record(kind, payload) for payload in payloads]


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who the token belongs to."""

    account_id: str
    display_name: str | None = None
    active: bool = True
    account_type: str | None = None
    time_zone: str | None = None


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the site says of itself. Jira answers this to anybody: it proves nothing about the token."""

    base_url: str
    version: str | None = None
    deployment_type: str | None = None
    """`Cloud` or `Server`."""
    server_time: str | None = None
    server_title: str | None = None


class FieldSchema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    type: str | None = None
    items: str | None = None
    system: str | None = None
    custom: str | None = None
    custom_id: int | None = None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str = ""
    custom: bool = False
    schema: FieldSchema | None = None


def sprint_field(fields: Iterable[Field]) -> str | None:
    """The id of the field that holds an issue's sprints, or None when the site has none."""
    return next((field.id for field in fields if field.schema and field.schema.custom == SPRINT_FIELD), None)


class Project(Record, frozen=True, kw_only=True):
    id: str
    key: str
    name: str = ""


class Board(Record, frozen=True, kw_only=True):
    id: int
    name: str = ""
    type: str = ""
    """`scrum`, `kanban` or `simple`; others may come."""


class Sprint(Record, frozen=True, kw_only=True):
    """A sprint; the same one may stand on several boards, so its id is its identity."""

    id: int
    name: str = ""
    state: str = ""
    origin_board_id: int | None = None


class User(Record, frozen=True, kw_only=True):
    """A user. Many former ones may share the account id `unknown`."""

    account_id: str
    display_name: str | None = None
    active: bool = True
    account_type: str | None = None
    avatar_urls: dict[str, str | None] | None = None

    @property
    def avatar_url(self) -> str | None:
        """Address of the largest picture."""
        return (self.avatar_urls or {}).get("48x48")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    server_time: datetime | None
    """Jira's clock when it answered (its `Date` header, whole seconds, UTC)."""


class ProjectPage(Page, frozen=True, kw_only=True):
    projects: list[Project]
    next_start: int | None
    """None: this was the last page."""


class UserPage(Page, frozen=True, kw_only=True):
    users: list[User]
    next_start: int | None
    """None only after an empty page: Jira filters after cutting pages, so short ones mean nothing."""


class IdPage(Page, frozen=True, kw_only=True):
    ids: list[str]
    next_token: str | None
    is_last: bool


class IssuePage(Page, frozen=True, kw_only=True):
    issues: list[Raw]
    next_token: str | None
    is_last: bool


class IssueProblem(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that was asked for and did not come."""

    id: str
    message: str
    confirmed: bool = True
    """False: Jira did not mention the issue at all. Never believe an absence on this ground."""


class BulkIssues(Page, frozen=True, kw_only=True):
    issues: list[Raw]
    errors: list[IssueProblem]


class ChildPage(Page, frozen=True, kw_only=True):
    """Some comments or worklogs of one issue."""

    items: list[Raw]
    start: int
    total: int

    @property
    def next_start(self) -> int | None:
        """Counted by what came, not by what was asked for; None: this was the last page."""
        following = self.start + len(self.items)
        return following if following < self.total else None


class Identified(msgspec.Struct, frozen=True):
    """Any JSON object, read for its id only."""

    id: str | int


def ids_of(payloads: Sequence[Raw]) -> list[str]:
    """The ids of JSON objects, in their order. Raises msgspec.DecodeError."""
    return [str(msgspec.json.decode(payload, type=Identified).id) for payload in payloads]
