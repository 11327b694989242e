"""Jira's JSON to events. Pure, and the only file that knows both shapes (Jira's stand in `libs.jira_client.models`).

Payloads keep Jira's own bytes. Comments and worklogs are cut out of their issue, because each has a stream of its own;
users and sprints met inside a payload become facts as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

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
    WorklogFetched,
    digest,
)
from libs.jira_client.models import UNKNOWN_ACCOUNT, Child, InlineChildren, Project, SprintFact, UserFact

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


class Children(msgspec.Struct, frozen=True, kw_only=True):
    """Comments or worklogs of an issue, as far as they came inline."""

    items: list[Raw]
    total: int

    @property
    def complete(self) -> bool:
        return len(self.items) >= self.total


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue taken apart: its own payload without children, and the children."""

    issue_id: str
    key: str
    updated: datetime
    fields: dict[str, Raw]
    payload: Raw
    comments: Children
    worklogs: Children


_objects = msgspec.json.Decoder(dict[str, Raw])
_inline_children = msgspec.json.Decoder(InlineChildren)
_children = msgspec.json.Decoder(Child)
_users = msgspec.json.Decoder(UserFact | None)
_sprints = msgspec.json.Decoder(SprintFact)
_raw_lists = msgspec.json.Decoder(list[Raw] | None)
_strings = msgspec.json.Decoder(str)
_projects = msgspec.json.Decoder(Project)


def instant(text: str) -> datetime:
    """A time as Jira writes it (`2026-01-02T03:04:05.678+0200`), in UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def take_apart(raw: Raw) -> Issue:
    """Split an issue from its comments and worklogs.

    Raises:
        msgspec.DecodeError, ValueError: not an issue as Jira documents it (no id, key, fields or `updated`).
    """
    whole = _objects.decode(raw)
    missing = [name for name in ("id", "key", "fields") if name not in whole]
    if missing:
        raise msgspec.ValidationError(f"Object missing required field `{missing[0]}` - at `$.issues[...]`")
    fields = _objects.decode(whole["fields"])
    if "updated" not in fields:
        raise msgspec.ValidationError("Object missing required field `updated` - at `$.issues[...].fields`")
    own = {name: value for name, value in fields.items() if name not in CUT_FIELDS}
    payload = msgspec.json.encode({**whole, "fields": own})
    return Issue(
        issue_id=str(msgspec.json.decode(whole["id"])),
        key=_strings.decode(whole["key"]),
        updated=instant(_strings.decode(fields["updated"])),
        fields=own,
        payload=Raw(payload),
        comments=_inline(fields.get("comment")),
        worklogs=_inline(fields.get("worklog")),
    )


def _inline(raw: Raw | None) -> Children:
    if raw is None or bytes(raw) == b"null":
        return Children(items=[], total=0)
    page = _inline_children.decode(raw)
    items = page.comments if page.comments is not None else page.worklogs or []
    return Children(items=items, total=len(items) if page.total is None else page.total)


def project_change(origin: Origin, raw: Raw) -> Change:
    project = _projects.decode(raw)
    event = JiraProjectFetched(
        **origin.envelope(JiraProjectFetched, project.id),
        project_id=project.id,
        key=project.key,
        name=project.name,
        payload=raw,
    )
    return Change(
        event=event,
        digest=_digest_of(project.id, project.key, project.name),
        updated=origin.fetched_at,
        asked_at=origin.fetched_at,
    )


def issue_changes(origin: Origin, issue: Issue, sprint_field: str | None) -> Iterator[Change]:
    """The facts of one issue: itself, its children, and the users and sprints met in them."""
    event = JiraIssueFetched(
        **origin.envelope(JiraIssueFetched, issue.issue_id, issue.updated),
        issue_id=issue.issue_id,
        key=issue.key,
        updated=issue.updated,
        sprint_field=sprint_field,
        payload=issue.payload,
    )
    yield Change(event=event, digest=digest(issue.payload), updated=issue.updated, asked_at=origin.fetched_at)
    for name in ("assignee", "reporter", "creator"):
        yield from _user_changes(origin, issue.fields.get(name))
    if sprint_field is not None and sprint_field in issue.fields:
        yield from embedded_sprint_changes(origin, issue.fields[sprint_field])
    for raw in issue.comments.items:
        yield from _child_changes(origin, issue, raw, JiraCommentFetched)
    for raw in issue.worklogs.items:
        yield from _child_changes(origin, issue, raw, WorklogFetched)


def _child_changes(
    origin: Origin, issue: Issue, raw: Raw, kind: type[JiraCommentFetched | WorklogFetched]
) -> Iterator[Change]:
    """The facts of a comment or a worklog: itself, and the users met in it."""
    child = _children.decode(raw)
    updated = _first_time(child, issue.updated)
    own_id: dict[str, Any] = {f"{kind.entity}_id": str(child.id)}
    event = kind(
        **origin.envelope(kind, str(child.id), updated),
        **own_id,
        issue_id=issue.issue_id,
        updated=updated,
        payload=raw,
    )
    yield Change(event=event, digest=digest(raw), updated=updated, asked_at=origin.fetched_at)
    yield from _user_changes(origin, child.author, child.update_author)


def _first_time(child: Child, otherwise: datetime) -> datetime:
    text = child.updated or child.created or child.started
    return instant(text) if text else otherwise


def _user_changes(origin: Origin, *raws: Raw | None) -> Iterator[Change]:
    for raw in raws:
        if raw is not None and bytes(raw) != b"null":
            change = user_change(origin, raw)
            if change is not None:
                yield change


def user_change(origin: Origin, raw: Raw) -> Change | None:
    """A user as any endpoint shows them; None for a record without account (Server's, or one made anonymous).

    Endpoints differ in the rest (avatar sizes, time zone, e-mail by privacy setting), so only the four fields that
    all of them show decide whether the user has changed.
    """
    try:
        user = _users.decode(raw)
    except msgspec.ValidationError:
        return None
    if user is None or user.account_id == UNKNOWN_ACCOUNT:
        return None
    event = JiraUserFetched(
        **origin.envelope(JiraUserFetched, user.account_id),
        account_id=user.account_id,
        payload=raw,
    )
    identity = _digest_of(user.account_id, user.display_name, str(user.active), user.account_type)
    return Change(event=event, digest=identity, updated=origin.fetched_at, asked_at=origin.fetched_at)


def embedded_sprint_changes(origin: Origin, value: Raw) -> Iterator[Change]:
    """The sprints named in an issue's sprint field. Server's text form is left alone: it stays in the payload."""
    try:
        raws = _raw_lists.decode(value) or []
    except msgspec.ValidationError:
        return
    for raw in raws:
        if bytes(raw)[:1] == b"{":
            yield sprint_change(origin, raw)


def sprint_change(origin: Origin, raw: Raw) -> Change:
    """A sprint as a board or an issue's field shows it; the two shapes agree in the fields that decide a change."""
    sprint = _sprints.decode(raw)
    event = SprintFetched(
        **origin.envelope(SprintFetched, str(sprint.id)),
        sprint_id=str(sprint.id),
        payload=raw,
    )
    dates = (sprint.start_date, sprint.end_date, sprint.complete_date)
    identity = _digest_of(
        str(sprint.id),
        sprint.name or "",
        (sprint.state or "").lower(),
        sprint.goal or "",
        *(instant(date).isoformat() if date else "" for date in dates),
    )
    return Change(event=event, digest=identity, updated=origin.fetched_at, asked_at=origin.fetched_at)


def without_repeats(changes: Iterable[Change]) -> list[Change]:
    """One change per stream: a page names the same user a hundred times. Of two, the later `updated` stays."""
    latest: dict[object, Change] = {}
    for change in changes:
        known = latest.get(change.event.stream_id)
        if known is None or (change.updated or _NEVER) > (known.updated or _NEVER):
            latest[change.event.stream_id] = change
    return list(latest.values())


_NEVER = datetime.min.replace(tzinfo=UTC)


def count(changes: Sequence[Change], kind: type) -> int:
    return sum(isinstance(change.event, kind) for change in changes)


def _digest_of(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
