"""Which issues the body of a webhook names, in any of the shapes that Jira and Forge send. Pure.

Nothing else of a body is believed, and nothing in it is needed: one that names no issue is no hint.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

MOST_ISSUES: Final = 10
"""Of one body. Jira's name two at most, those of a link."""

DELETIONS: Final = frozenset({"jira:issue_deleted", "avi:jira:deleted:issue"})

_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,99}-[1-9][0-9]{0,18}")
_PROJECT: Final = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_OF_COMMENT: Final = re.compile(r"/issue/([1-9][0-9]{0,18})/")
_LONGEST_EVENT: Final = 100

_NOTHING: Final = Raw(b"null")


class Named(NamedTuple):
    """An issue that a body names."""

    issue: str
    """Its id, or its key where no id is given."""
    project: str
    """Key of its project; empty where that is not said."""


class Told(NamedTuple):
    """What a body says."""

    event: str
    """As its sender calls it; empty where it says nothing readable."""
    issues: tuple[Named, ...]

    @property
    def deleted(self) -> bool:
        """Whether they are said to be deleted, and not some part of them."""
        return self.event in DELETIONS


class _Project(msgspec.Struct):
    key: Raw = _NOTHING


class _Fields(msgspec.Struct):
    project: Raw = _NOTHING


class _Issue(msgspec.Struct):
    id: Raw = _NOTHING
    key: Raw = _NOTHING
    fields: Raw = _NOTHING


class _Child(msgspec.Struct, rename="camel"):
    """A comment, a worklog or a link between two issues."""

    issue_id: Raw = _NOTHING
    source_issue_id: Raw = _NOTHING
    destination_issue_id: Raw = _NOTHING
    self: Raw = _NOTHING


class _Body(msgspec.Struct, rename="camel"):
    webhook_event: Raw = _NOTHING
    event_type: Raw = _NOTHING
    issue: Raw = _NOTHING
    comment: Raw = _NOTHING
    worklog: Raw = _NOTHING
    issue_link: Raw = _NOTHING
    source_issue_id: Raw = _NOTHING
    destination_issue_id: Raw = _NOTHING
    event: Raw = _NOTHING
    """Where Forge puts what it reports of, beside the context."""
    payload: Raw = _NOTHING


S = TypeVar("S", bound=msgspec.Struct)


def told(content: bytes) -> Told:
    """What a body says; a body that cannot be read says nothing."""
    body = _as(_Body, Raw(content))
    if body is None:
        return Told("", ())
    inner = [one for raw in (body.event, body.payload) if (one := _as(_Body, raw)) is not None]
    event = next((text for one in (body, *inner) for text in _texts(one.webhook_event, one.event_type)), "")
    issues: dict[str, Named] = {}
    for one in (body, *inner):
        for named in _named(one):
            issues.setdefault(named.issue, named)
    return Told(event[:_LONGEST_EVENT], tuple(issues.values())[:MOST_ISSUES])


def _named(body: _Body) -> Iterator[Named]:
    issue = _as(_Issue, body.issue)
    if issue is not None:
        name = _id(issue.id) or _matching(_KEY, issue.key)
        if name:
            yield Named(name, _project(issue))
    for raw in (body.comment, body.worklog, body.issue_link):
        child = _as(_Child, raw)
        if child is not None:
            yield from _ids(child.issue_id, child.source_issue_id, child.destination_issue_id)
            address = _OF_COMMENT.search(_text(child.self))
            if address:
                yield Named(address[1], "")
    yield from _ids(body.source_issue_id, body.destination_issue_id)


def _project(issue: _Issue) -> str:
    """Of the issue as it is shown; its key may be an older one."""
    fields = _as(_Fields, issue.fields)
    project = _as(_Project, fields.project) if fields is not None else None
    shown = _matching(_PROJECT, project.key) if project is not None else ""
    return shown or _matching(_KEY, issue.key).rpartition("-")[0]


def _ids(*raws: Raw) -> Iterator[Named]:
    for raw in raws:
        if name := _id(raw):
            yield Named(name, "")


def _texts(*raws: Raw) -> Iterator[str]:
    yield from filter(None, map(_text, raws))


def _id(raw: Raw) -> str:
    """An id, which some senders write as a number."""
    return _matching(_ID, raw) or (text if _ID.fullmatch(text := bytes(raw).decode("ascii", "replace")) else "")


def _matching(pattern: re.Pattern[str], raw: Raw) -> str:
    text = _text(raw)
    return text if pattern.fullmatch(text) else ""


def _text(raw: Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _as(kind: type[S], raw: Raw) -> S | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
