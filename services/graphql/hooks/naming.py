"""Which issues the body of a webhook names, in any of the shapes that Jira and Forge send. Pure.

Nothing else of a body is believed, and nothing in it is needed: one that names no issue is no hint.
"""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

MOST_ISSUES: Final = 100
"""Of one body. Jira's name two at most, those of a link; a rule of Jira Automation may send a list."""

DELETIONS: Final = frozenset({"jira:issue_deleted", "avi:jira:deleted:issue"})

OF_A_CHILD: Final = {
    "comment_deleted": "comment",
    "avi:jira:deleted:comment": "comment",
    "worklog_deleted": "worklog",
    "avi:jira:deleted:worklog": "worklog",
}
"""Deletions of a part of an issue: where the body names it."""

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

    event: str = ""
    """As its sender calls it; empty where it says nothing readable."""
    issues: tuple[Named, ...] = ()
    gone_comments: tuple[str, ...] = ()
    """Ids of comments that are said to be deleted."""
    gone_worklogs: tuple[str, ...] = ()
    readable: bool = True
    """Whether it is JSON: an object, or a list of some."""

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

    id: Raw = _NOTHING
    issue_id: Raw = _NOTHING
    source_issue_id: Raw = _NOTHING
    destination_issue_id: Raw = _NOTHING
    self: Raw = _NOTHING


class _Body(msgspec.Struct, rename="camel"):
    webhook_event: Raw = _NOTHING
    event_type: Raw = _NOTHING
    issue: Raw = _NOTHING
    issues: Raw = _NOTHING
    id: Raw = _NOTHING
    key: Raw = _NOTHING
    fields: Raw = _NOTHING
    """With id and key: the body is an issue itself, as a rule of Jira Automation sends it."""
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
    outer = _bodies(content)
    if outer is None:
        return Told(readable=False)
    bodies = [one for body in outer for one in _with_inner(body)]
    event = next((text for one in bodies for text in _texts(one.webhook_event, one.event_type)), "")
    issues: dict[str, Named] = {}
    gone: dict[str, dict[str, None]] = {"comment": {}, "worklog": {}}
    for one in bodies:
        for named in _named(one):
            issues.setdefault(named.issue, named)
    for body in outer:
        for kind, child in _gone_children(body):
            gone[kind][child] = None
    return Told(event[:_LONGEST_EVENT], tuple(issues.values())[:MOST_ISSUES], (*gone["comment"],), (*gone["worklog"],))


def _bodies(content: bytes) -> list[_Body] | None:
    """One, or those of a list; None where it is neither."""
    found = _strictly(content)
    return _strictly(_mended(content)) if found is None else found


def _strictly(content: bytes) -> list[_Body] | None:
    body = _as(_Body, Raw(content))
    if body is not None:
        return [body]
    entries = _list(Raw(content))
    if entries is None:
        return None
    return [one for entry in entries[:MOST_ISSUES] if (one := _as(_Body, entry)) is not None]


def _mended(content: bytes) -> bytes:
    """In UTF-8 and without half characters, as JSON has to be.

    A text that was cut may end in half a one; some senders begin with a mark of their encoding, or write every
    character in two bytes.
    """
    try:
        return json.dumps(json.loads(content), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""


def _with_inner(body: _Body) -> list[_Body]:
    return [body, *(one for raw in (body.event, body.payload) if (one := _as(_Body, raw)) is not None)]


def _named(body: _Body) -> Iterator[Named]:
    for raw in (body.issue, *(_list(body.issues) or ())[:MOST_ISSUES]):
        yield from _issue(_as(_Issue, raw))
    if _matching(_KEY, body.key):
        yield from _issue(_Issue(id=body.id, key=body.key, fields=body.fields))
    for raw in (body.comment, body.worklog, body.issue_link):
        child = _as(_Child, raw)
        if child is not None:
            yield from _ids(child.issue_id, child.source_issue_id, child.destination_issue_id)
            address = _OF_COMMENT.search(_text(child.self))
            if address:
                yield Named(address[1], "")
    yield from _ids(body.source_issue_id, body.destination_issue_id)


def _issue(issue: _Issue | None) -> Iterator[Named]:
    if issue is not None and (name := _id(issue.id) or _matching(_KEY, issue.key)):
        yield Named(name, _project(issue))


def _gone_children(outer: _Body) -> Iterator[tuple[str, str]]:
    """Comments and worklogs that a body says are deleted: the kind and the id."""
    bodies = _with_inner(outer)
    kind = OF_A_CHILD.get(next((text for one in bodies for text in _texts(one.webhook_event, one.event_type)), ""))
    for one in bodies if kind is not None else ():
        child = _as(_Child, one.comment if kind == "comment" else one.worklog)
        if child is not None and (name := _id(child.id)):
            yield str(kind), name


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


def _list(raw: Raw) -> list[Raw] | None:
    try:
        return msgspec.json.decode(raw, type=list[Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _as(kind: type[S], raw: Raw) -> S | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
