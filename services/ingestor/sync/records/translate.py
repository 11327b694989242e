"""Jira's JSON to events. Pure, and the only file that knows both shapes (Jira's stand in `libs.jira_client.models`).

Payloads keep Jira's own bytes. Comments and worklogs are cut out of their issue, because each has a stream of its own;
users and sprints met inside a payload become facts as well.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from libs.events import (
    Change,
    Envelope,
    Event,
    JiraCommentFetched,
    JiraIssueFetched,
    JiraProjectFetched,
    JiraUserFetched,
    ProjectKey,
    SprintFetched,
    SprintListed,
    WorklogFetched,
    completed,
    digest,
)
from libs.jira_client.models import UNKNOWN_ACCOUNT, Child, InlineChildren, SprintFact, UserFact, sprint_fields
from services.ingestor.sync.records.documented import odd_fields, odd_times, odd_times_of_sprint, times_of_child
from services.ingestor.sync.records.odd import (
    ODD,
    Odd,
    UnreadableError,
    count_of,
    is_account,
    moment_of,
    name_of,
    needed,
    said,
    text_of,
    why,
    words_of,
)

CUT_FIELDS = ("comment", "worklog")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a payload was read: the fields that all events of one fetch share."""

    site: str
    project: str
    cause: str
    """Run id of the sync."""
    fetched_at: datetime
    """When the request was sent. Users and sprints have no `updated`; of two answers the one asked later wins."""

    def envelope(self, kind: type[Event], entity_id: str, occurred_at: datetime | None = None) -> Envelope:
        """The common fields of a fact; without a time of its own it happened when it was fetched."""
        return kind.envelope(
            entity_id,
            ProjectKey(self.site, self.project),
            occurred_at=occurred_at or self.fetched_at,
            cause=self.cause,
        )

    def change(self, event: Event, known_by: bytes, updated: datetime | None) -> Change:
        """What the log is given for a fact: the digest that it is known by, and the times that order it."""
        return Change(event=event, digest=known_by, updated=updated, asked_at=self.fetched_at)


class _InProject(msgspec.Struct):
    """What an issue says of its project."""

    key: Raw = Raw(b"null")


class Children(msgspec.Struct, frozen=True, kw_only=True):
    """Comments or worklogs of an issue, as far as they came."""

    items: list[Raw]
    total: int
    """How many there are at least: where more than came, the list itself is to be read."""
    counted: int | None = None
    """How many there are, as Jira says; None where it does not, or where the list could not be read to its end."""

    @property
    def complete(self) -> bool:
        return len(self.items) >= self.total

    @property
    def not_shown(self) -> int | None:
        """How many Jira counts and does not show; None where the list proves nothing of what is not in it."""
        if self.counted is None or self.counted < len(self.items):
            return None
        return self.counted - len(self.items)


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue taken apart: its own payload without children, and the children."""

    issue_id: str
    key: str
    fields: dict[str, Raw]
    payload: Raw
    comments: Children
    worklogs: Children


class Names(NamedTuple):
    """What a record that may be odd is known by."""

    issue_id: str | None
    key: str | None


class Met(NamedTuple):
    """Users and sprints, in Jira's own bytes, that were made facts: the issues of a page show each a hundred times."""

    users: set[bytes]
    sprints: set[bytes]

    @classmethod
    def nobody(cls) -> Met:
        return cls(set(), set())


class Facts(msgspec.Struct, kw_only=True):
    """The facts of one issue, and what of it could not be read."""

    issue: Issue
    met: Met
    comments: set[str] = msgspec.field(default_factory=set)
    """Their ids, as far as they can be read."""
    worklogs: set[str] = msgspec.field(default_factory=set)
    changes: list[Change] = msgspec.field(default_factory=list)
    """Without `updated` where the record has none that can be read: when it was asked for orders it."""
    odd: list[Odd] = msgspec.field(default_factory=list)
    """The parts that were left out."""

    def leave_out(self, kind: str, part: str, raw: Raw, error: BaseException, *, shown: bool = False) -> None:
        """Go on without a part of the issue, such as `comment 7`; or with it, as far as it is `shown`."""
        issue = self.issue
        record, name = f"issue/{issue.issue_id}/{part}", f"Issue {issue.key}, {part}"
        self.odd.append(Odd(record, kind, name, why(error), issue.issue_id, issue.key, raw, shown))


_objects = msgspec.json.Decoder(dict[str, Raw])
_inline_children = msgspec.json.Decoder(InlineChildren)
_children = msgspec.json.Decoder(Child)
_users = msgspec.json.Decoder(UserFact)
_sprints = msgspec.json.Decoder(SprintFact)
_project_keys = msgspec.json.Decoder(_InProject)
_raw_lists = msgspec.json.Decoder(list[Raw])


def names_of(raw: Raw) -> Names:
    """Id and key of an issue, as far as they can be read."""
    try:
        whole = _objects.decode(raw)
    except ODD:
        return Names(None, None)
    return Names(text_of(whole.get("id")), text_of(whole.get("key")))


def take_apart(raw: Raw) -> Issue:
    """Split an issue from its comments and worklogs.

    Raises:
        msgspec.DecodeError, UnreadableError: no issue that could be shown (no object, no id, key or fields).
    """
    whole = _objects.decode(raw)
    issue_id, key = needed(whole.get("id"), "id"), needed(whole.get("key"), "key")
    fields = _fields(whole.get("fields"))
    own = {name: value for name, value in fields.items() if name not in CUT_FIELDS}
    return Issue(
        issue_id=issue_id,
        key=key,
        fields=own,
        payload=Raw(msgspec.json.encode({**whole, "fields": own})),
        comments=_inline(fields.get("comment")),
        worklogs=_inline(fields.get("worklog")),
    )


def _fields(raw: Raw | None) -> dict[str, Raw]:
    try:
        fields = _objects.decode(raw) if raw is not None and said(raw) else {}
    except msgspec.DecodeError:
        raise UnreadableError("`fields` is no object") from None
    if not fields:
        raise UnreadableError("`fields` is missing or empty")
    return fields


def _inline(raw: Raw | None) -> Children:
    if raw is None or not said(raw):
        return Children(items=[], total=0)
    try:
        page = _inline_children.decode(raw)
    except msgspec.DecodeError:
        # Of another shape: known to be incomplete, so that the list is asked for where it has its own address.
        return Children(items=[], total=1)
    items = page.comments if page.comments is not None else page.worklogs or []
    total = count_of(page.total)
    if total is None:
        return Children(items=items, total=len(items))
    # A total below what is shown is wrong, and more may follow.
    return Children(items=items, total=total if total >= len(items) else len(items) + 1, counted=total)


def shown_in(issue: Issue) -> str | None:
    """The key of the project that an issue says to be in; None where it does not."""
    try:
        return text_of(_project_keys.decode(issue.fields["project"]).key)
    except (*ODD, KeyError):
        return None


def project_change(origin: Origin, raw: Raw) -> Change:
    """The project itself.

    Raises:
        msgspec.DecodeError, UnreadableError: no object, or one without id or key.
    """
    shown = _objects.decode(raw)
    project_id, key = needed(shown.get("id"), "id"), needed(shown.get("key"), "key")
    name = text_of(shown.get("name")) or ""
    event = JiraProjectFetched(
        **origin.envelope(JiraProjectFetched, project_id),
        project_id=project_id,
        key=key,
        name=name,
        payload=raw,
    )
    return origin.change(event, _digest_of(project_id, key, name), origin.fetched_at)


def issue_facts(origin: Origin, issue: Issue, sprint_field: str | None, met: Met | None = None) -> Facts:
    """The facts of one issue: itself, its children, and the users and sprints in them that were not met before.

    Args:
        origin: of the issue.
        issue: taken apart.
        sprint_field: as of `libs.jira_client.sprint_field`.
        met: whom other issues of this origin have shown; those of this one are added. None: nobody.
    """
    facts = Facts(issue=issue, met=met or Met.nobody())
    updated = moment_of(issue.fields.get("updated"))
    shown = updated or moment_of(issue.fields.get("created")) or origin.fetched_at
    event = JiraIssueFetched(
        **origin.envelope(JiraIssueFetched, issue.issue_id, shown),
        issue_id=issue.issue_id,
        key=issue.key,
        updated=shown,
        sprint_field=sprint_field,
        payload=issue.payload,
    )
    facts.changes.append(origin.change(event, digest(issue.payload), updated))
    for name, error in odd_fields(issue.fields):
        facts.leave_out("issue", name, issue.fields[name], error, shown=True)
    for name in ("assignee", "reporter", "creator"):
        _add_user(facts, origin, issue.fields.get(name), name)
    for field in sprint_fields(sprint_field):
        _add_sprints(facts, origin, issue.fields.get(field))
    for place, raw in enumerate(issue.comments.items, 1):
        _add_child(facts, origin, event, raw, JiraCommentFetched, place)
    for place, raw in enumerate(issue.worklogs.items, 1):
        _add_child(facts, origin, event, raw, WorklogFetched, place)
    return facts


def _add_child(
    facts: Facts,
    origin: Origin,
    issue: JiraIssueFetched,
    raw: Raw,
    kind: type[JiraCommentFetched | WorklogFetched],
    place: int,
) -> None:
    """The facts of a comment or a worklog: itself, and the users met in it."""
    child_id = None
    try:
        child = _children.decode(raw)
        child_id = needed(child.id, "id")
        (facts.comments if kind is JiraCommentFetched else facts.worklogs).add(child_id)
        times = times_of_child(child)
        updated = times.get("updated")
        shown = updated or times.get("created") or times.get("started") or issue.updated
        own_id: dict[str, Any] = {f"{kind.entity}_id": child_id}
        event = kind(
            **origin.envelope(kind, child_id, shown),
            **own_id,
            issue_id=issue.issue_id,
            updated=shown,
            payload=raw,
        )
    except ODD as error:
        facts.leave_out(kind.entity, name_of(kind.entity, child_id, place), raw, error)
        return
    facts.changes.append(origin.change(event, digest(raw), updated))
    for time, odd in odd_times(times):
        facts.leave_out(kind.entity, f"{time} of {name_of(kind.entity, child_id, place)}", raw, odd, shown=True)
    child_of = kind.entity, child_id, place
    _add_user(facts, origin, child.author, "author", child_of)
    _add_user(facts, origin, child.update_author, "update author", child_of)


def child_ids(items: Iterable[Raw]) -> frozenset[str]:
    """The ids of comments or worklogs, as far as they can be read."""
    found = set[str]()
    for raw in items:
        with contextlib.suppress(*ODD):
            found.add(needed(_children.decode(raw).id, "id"))
    return frozenset(found)


def _add_user(
    facts: Facts, origin: Origin, raw: Raw | None, role: str, child: tuple[str, str, int] | None = None
) -> None:
    """The user in a role of the issue, or of a child of it: its kind, id and place."""
    if raw is None or not said(raw) or (shown := bytes(raw)) in facts.met.users:
        return
    try:
        change = user_change(origin, Raw(shown))
    except ODD as error:
        facts.leave_out("user", f"{role} of {name_of(*child)}" if child else role, raw, error)
        return
    facts.met.users.add(shown)
    if change is not None:
        facts.changes.append(change)


def _add_sprints(facts: Facts, origin: Origin, value: Raw | None) -> None:
    """The sprints that an issue's sprint field names. Server's text form is left alone: it stays in the payload."""
    for place, raw in enumerate(_entries(value), 1):
        if (shown := bytes(raw)) in facts.met.sprints:
            continue
        try:
            change = sprint_change(origin, Raw(shown)) if _is_sprint(raw) else None
        except ODD as error:
            facts.leave_out("sprint", name_of("sprint", None, place), raw, error)
            continue
        facts.met.sprints.add(shown)
        if change is not None:
            facts.changes.append(change)


def _entries(value: Raw | None) -> list[Raw]:
    if value is None or not said(value):
        return []
    if bytes(value)[:1] == b"{":
        return [value]
    try:
        return _raw_lists.decode(value)
    except msgspec.DecodeError:
        return []


def _is_sprint(raw: Raw) -> bool:
    """Whether an entry of the field is a sprint, be it one without an id: a choice of a list has a `value` instead."""
    if bytes(raw)[:1] != b"{":
        return False
    sprint = _sprints.decode(raw)
    if said(sprint.value) and not said(sprint.state):
        return False
    return any(map(said, (sprint.id, sprint.name, sprint.state, sprint.goal, sprint.board_id, *_dates(sprint))))


def user_change(origin: Origin, raw: Raw) -> Change | None:
    """A user as any endpoint shows them; None for a record without account (Server's, or one made anonymous).

    Endpoints differ in the rest (avatar sizes, time zone, e-mail by privacy setting), so only the four fields that
    all of them show decide whether the user has changed.

    Raises:
        msgspec.DecodeError, UnreadableError: no object, or an account id that is no text.
    """
    user = _users.decode(raw)
    if not said(user.account_id) or bytes(user.account_id) == b'""':
        return None
    account = needed(user.account_id, "accountId")
    if account == UNKNOWN_ACCOUNT:
        return None
    if not is_account(account):
        raise UnreadableError("`accountId` is no account id")
    event = JiraUserFetched(**origin.envelope(JiraUserFetched, account), account_id=account, payload=raw)
    identity = b"\0".join(map(bytes, (user.account_id, user.display_name, user.active, user.account_type)))
    return origin.change(event, digest(identity), origin.fetched_at)


def sprint_change(origin: Origin, raw: Raw) -> Change:
    """A sprint as a board or an issue's field shows it; the two shapes agree in the fields that decide a change.

    Raises:
        msgspec.DecodeError, UnreadableError: no object, or one without an id.
    """
    sprint = _sprints.decode(raw)
    sprint_id = needed(sprint.id, "id")
    event = SprintFetched(**origin.envelope(SprintFetched, sprint_id), sprint_id=sprint_id, payload=raw)
    identity = _digest_of(
        sprint_id,
        words_of(sprint.name),
        words_of(sprint.state).lower(),
        words_of(sprint.goal),
        *map(_date_words, _dates(sprint)),
    )
    return origin.change(event, identity, origin.fetched_at)


def listings(origin: Origin, sprints: Iterable[Change]) -> list[Change]:
    """That a board of the project lists these sprints, which other projects may have read before."""
    found = []
    for sprint in sprints:
        if isinstance(sprint.event, SprintFetched):
            sprint_id = sprint.event.sprint_id
            envelope = origin.envelope(SprintListed, f"{origin.project}/{sprint_id}")
            event = SprintListed(**envelope, sprint_id=sprint_id)
            found.append(origin.change(event, _digest_of(origin.project, sprint_id), origin.fetched_at))
    return found


def sprint_oddities(raw: Raw) -> list[UnreadableError]:
    """What of a sprint cannot be read although the sprint can. Raises msgspec.DecodeError for one that is no object."""
    return [why for _, why in odd_times_of_sprint(_sprints.decode(raw))]


def _dates(sprint: SprintFact) -> tuple[Raw, Raw, Raw]:
    return sprint.start_date, sprint.end_date, sprint.complete_date


def _date_words(raw: Raw) -> str:
    """The same time in the same words, however it is spelt; a date that cannot be read in its own."""
    moment = moment_of(raw)
    return moment.isoformat() if moment else words_of(raw)


def without_repeats(changes: Iterable[Change]) -> list[Change]:
    """One change per stream: a page names the same user a hundred times.

    Of two, the later `updated` stays. Of a user or a sprint that the page shows here with more and there with less, all
    that it says is put together.
    """
    latest: dict[object, Change] = {}
    for change in changes:
        known = latest.setdefault(change.event.stream_id, change)
        if known is change:
            continue
        if (change.updated or _NEVER) > (known.updated or _NEVER):
            latest[change.event.stream_id] = change
        elif change.digest != known.digest and isinstance(change.event, JiraUserFetched | SprintFetched):
            whole = completed(known.event, change.event)
            latest[change.event.stream_id] = msgspec.structs.replace(known, event=whole)
    return list(latest.values())


_NEVER = datetime.min.replace(tzinfo=UTC)


def count(changes: Sequence[Change], kind: type) -> int:
    return sum(isinstance(change.event, kind) for change in changes)


def _digest_of(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
