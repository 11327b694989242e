"""What Jira's answers say, as typed values: the one place where the shapes of Jira's things are written down.

Only what the product reads has a field; a record that is stored keeps Jira's own bytes in `payload`. A field without a
default must be there, else the answer is a BAD_RESPONSE: a list that is missing is not an empty list.

A user and a sprint are read three times on their way, and each reader refuses what the others need not look at: the
client when it lists them (`User`, `Sprint`), the ingestor when it makes a fact of the same bytes (`UserFact`,
`SprintFact`), the projector when it reads the fact again, perhaps years later (`StoredUser`, `StoredSprint`).

No HTTP library is imported here, so any part of the product may import this module.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

UNKNOWN_ACCOUNT: Final = "unknown"
"""Jira's account id for a corrupted record; many distinct people share it, so it is nobody."""
SPRINT_FIELD: Final = "com.pyxis.greenhopper.jira:gh-sprint"
"""The type of the custom field that lists an issue's sprints; its id differs from site to site, and a site may have
several of them."""


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thing of Jira: the fields that are read, and all of its bytes."""

    payload: Raw = Raw(b"")
    """Set by `lists.read_all`; empty where whoever decodes keeps the bytes himself."""


_ABSENT: Final = Raw(b"null")


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
    """The ids of the fields that hold an issue's sprints, as one text; None when the site has none.

    `sprint_fields` takes it apart. The text is the same in whatever order Jira lists the fields.
    """
    ids = {field.id for field in fields if field.schema and field.schema.custom == SPRINT_FIELD}
    return ",".join(sorted(ids, key=lambda one: (len(one), one))) or None


def sprint_fields(written: str | None) -> tuple[str, ...]:
    """The ids in a text of `sprint_field`; earlier versions have written only one."""
    return tuple(written.split(",")) if written else ()


class Insight(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Jira counts of a project (experimental, as Atlassian says)."""

    total_issue_count: int | None = None
    """Of all its issues, those that our account may not see included."""


class Project(Record, frozen=True, kw_only=True):
    id: str
    key: str
    name: str = ""
    archived: bool | None = None
    deleted: bool | None = None
    """It is in the trash."""
    insight: Insight | None = None
    """Only where it was asked for."""


class ProjectStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A project, and whether its issues can be read."""

    project: Project
    browsable: bool
    """Whether Jira's search lists it among the live projects that the account may browse."""


class Board(Record, frozen=True, kw_only=True):
    id: int
    name: str = ""
    type: str = ""
    """`scrum`, `kanban` or `simple`; others may come."""


class Webhook(Record, frozen=True, kw_only=True):
    """A webhook that our app has registered."""

    id: int
    url: str = ""
    jql_filter: str = ""
    events: list[str] = []
    expiration_date: Any = None
    """Documented as milliseconds since 1970, shown in examples as a text; see `ends_at`."""

    @property
    def ends_at(self) -> datetime | None:
        """When it ends (UTC); None where that is not said so that we understand it."""
        told = self.expiration_date
        try:
            if isinstance(told, str) and not told.isdecimal():
                moment = datetime.fromisoformat(told)
                return moment.astimezone(UTC) if moment.tzinfo else None
            if isinstance(told, bool) or not isinstance(told, int | float | str):
                return None
            return datetime.fromtimestamp(float(told) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None


class NewWebhook(NamedTuple):
    """What came of a webhook that was to be registered."""

    id: int | None
    """None: Jira refuses it."""
    errors: tuple[str, ...]
    """Why; of one that is registered, nothing."""


class Sprint(Record, frozen=True, kw_only=True):
    """A sprint in the list of a board; the same one may stand on several boards, so its id is its identity."""

    id: int
    name: str = ""
    state: str = ""
    origin_board_id: int | None = None


class SprintDetails(Record, frozen=True, kw_only=True):
    """What a board's list and an issue's sprint field both show of a sprint; either may hold nulls."""

    name: str | None = None
    state: str | None = None
    """`future`, `active` or `closed`, in any case of letters."""
    goal: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    complete_date: str | None = None


class SprintFact(Record, frozen=True, kw_only=True):
    """A sprint of which a fact is made: it needs an id, the rest only decides whether it has changed.

    So nothing is refused by its type.
    """

    id: Raw = _ABSENT
    name: Raw = _ABSENT
    state: Raw = _ABSENT
    goal: Raw = _ABSENT
    start_date: Raw = _ABSENT
    end_date: Raw = _ABSENT
    complete_date: Raw = _ABSENT
    board_id: Raw = _ABSENT
    value: Raw = _ABSENT
    """Of the option of a list, which may stand where sprints are expected."""


class StoredSprint(SprintDetails, frozen=True, kw_only=True):
    """A sprint read from its fact, which holds the id beside it."""

    board_id: int | str | None = None
    """In an issue's sprint field."""
    origin_board_id: int | str | None = None
    """In a board's list."""


class UserReference(Record, frozen=True, kw_only=True):
    """A user where only the account counts; without one it is a record of Jira Server, or one made anonymous."""

    account_id: str | None = None


class StoredUser(UserReference, frozen=True, kw_only=True):
    """A user read from its fact, which holds the account beside it."""

    display_name: str | None = None
    active: bool | None = True
    """None: unknown, which counts as active."""
    account_type: str | None = None
    avatar_urls: dict[str, str | None] | None = None


class User(StoredUser, frozen=True, kw_only=True):
    """A user in an answer about users. Many former ones may share the account id `unknown`."""

    account_id: str

    @property
    def avatar_url(self) -> str | None:
        """Address of the largest picture."""
        return (self.avatar_urls or {}).get("48x48")


class UserFact(Record, frozen=True, kw_only=True):
    """A user of whom a fact is made: the four fields that every endpoint shows, none refused by its type."""

    account_id: Raw = _ABSENT
    display_name: Raw = _ABSENT
    active: Raw = _ABSENT
    account_type: Raw = _ABSENT


class Child(Record, frozen=True, kw_only=True):
    """A comment or a worklog, as far as both are alike; it needs an id, and nothing is refused by its type."""

    id: Raw = _ABSENT
    author: Raw = _ABSENT
    update_author: Raw = _ABSENT
    created: Raw = _ABSENT
    updated: Raw = _ABSENT
    started: Raw = _ABSENT
    """Of worklogs only."""


class InlineChildren(msgspec.Struct, frozen=True, kw_only=True):
    """The comments or worklogs inside an issue: the first ones, under one of the two names."""

    comments: list[Raw] | None = None
    worklogs: list[Raw] | None = None
    total: Raw = _ABSENT


_USUAL_BEGIN: Final = re.compile(rb'\{(?:"expand":"[^"\\]*",)?"id":"([0-9]+)"[,}]')
"""How Jira begins an issue: one look at it finds the id, where to decode it is to read all of its kilobytes."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    server_time: datetime | None
    """Jira's clock when it answered (its `Date` header, whole seconds, UTC)."""


class ProjectPage(Page, frozen=True, kw_only=True):
    projects: list[Project]
    next_start: int | None
    """None: this was the last page."""


class IdPage(Page, frozen=True, kw_only=True):
    ids: list[str]
    """Of an issue whose id cannot be read, its key."""
    nameless: int = 0
    """Issues of the page of which neither can be read."""
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


class PolicyOfProject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    any_content_blocked: bool = False


class ProjectPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a data policy keeps programs out of a project, or of some of its content."""

    id: int | str
    data_policy: PolicyOfProject = PolicyOfProject()


class AuditedObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: object = None
    name: object = None
    type_name: object = None


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entry of the audit log, as far as it says what it is about."""

    object_item: AuditedObject | None = None


class ChildPage(Page, frozen=True, kw_only=True):
    """Some comments or worklogs of one issue."""

    items: list[Raw]
    start: int
    total: int | None
    """A hint: it may count what this account may not see. None: Jira does not say."""

    @property
    def next_start(self) -> int | None:
        """Counted by what came, not by what was asked for; None: this was the last page."""
        following = self.start + len(self.items)
        return following if self.items and (self.total is None or following < self.total) else None


class DeletedWorklogs(Page, frozen=True, kw_only=True):
    """A page of the site's feed of deleted worklogs, oldest deletion first."""

    ids: list[str]
    until: int
    """Of the last deletion on the page, in milliseconds since 1970: the next page is asked for from here on."""
    last: bool


class Identified(msgspec.Struct, frozen=True):
    """Any JSON object, read for its id only."""

    id: str | int


class Keyed(msgspec.Struct, frozen=True):
    """Any JSON object, read for its key only."""

    key: str


def id_of(payload: Raw) -> str | None:
    """The id of a JSON object; None where it cannot be read."""
    if usual := _USUAL_BEGIN.match(payload):
        return usual[1].decode("ascii")
    try:
        return str(msgspec.json.decode(payload, type=Identified).id)
    except msgspec.DecodeError:
        return None


def key_of(payload: Raw) -> str | None:
    """The key of a JSON object; None where it cannot be read."""
    try:
        return msgspec.json.decode(payload, type=Keyed).key
    except msgspec.DecodeError:
        return None


def ids_of(payloads: Sequence[Raw]) -> list[str]:
    """The ids of JSON objects, in their order; those without a readable one are left out."""
    return [found for payload in payloads if (found := id_of(payload)) is not None]
