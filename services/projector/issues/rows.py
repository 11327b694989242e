"""Issues, comments and worklogs: event to row. What is not said here goes by its name: see `columns.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from libs.events import (
    JiraCommentFetched,
    JiraCommentGone,
    JiraIssueFetched,
    JiraIssueGone,
    WorklogFetched,
    WorklogGone,
)
from libs.read_tables import ANONYMOUS, comment, issue, worklog
from services.projector.batch import Absence, Changes, Held
from services.projector.issues import payloads
from services.projector.issues.columns import columns_of
from services.projector.issues.former_keys import held
from services.projector.issues.sprint_field import Entry, memberships, sprint_entries
from services.projector.issues.users import describe
from services.projector.tables.rows import Key, Row
from services.projector.tables.text import storable
from services.projector.tables.times import parse_time, stamp

_issue_columns = columns_of(payloads.IssueFields, issue)
_comment_columns = columns_of(payloads.Comment, comment)
_worklog_columns = columns_of(payloads.Worklog, worklog)


def issue_fetched(event: JiraIssueFetched, changes: Changes) -> None:
    fields, sprints = payloads.issue_fields(event)
    category = fields.status.status_category if fields.status is not None else None
    row = _issue_columns(fields)
    row.update(
        site=event.site,
        issue_id=event.issue_id,
        project_key=event.project,
        key=storable(event.key),
        status=row["status"] or "Unknown",
        status_category=storable(category.key) if category is not None and category.key is not None else None,
        sprint_id=None,  # known once the sprints' states are: see `sprints.py`
        version=event.stream_version,
    )
    _fill_times(row, event.updated)
    key = (event.site, event.issue_id)
    entries = _note_sprints(event, sprints, changes)
    changes.name_account(event.site, row["assignee_id"])
    changes.name_account(event.site, row["reporter_id"])
    describe(event.site, fields.assignee_id, changes)
    describe(event.site, fields.reporter_id, changes)
    if _put_issue(key, event.stream_version, row, changes):
        changes.memberships[key] = memberships(entries)


def issue_superseded(event: JiraIssueFetched, changes: Changes) -> None:
    """What remains of an issue's version in whose place another has come: whom and what it names, and its key."""
    fields, sprints = payloads.issue_fields(event)
    _note_sprints(event, sprints, changes)
    for person in (fields.assignee_id, fields.reporter_id):
        changes.name_account(event.site, None if person is None else payloads.account(person))
        describe(event.site, person, changes)
    updated = parse_time(fields.updated) or stamp(event.updated)
    changes.held.append(((event.site, event.issue_id), Held(storable(event.key), updated, event.stream_version)))


def _note_sprints(event: JiraIssueFetched, sprints: Any, changes: Changes) -> Mapping[str, Entry]:
    """The sprints that an issue names, by id."""
    entries = sprint_entries(sprints)
    for sprint_id, entry in entries.items():
        if entry.get("name"):
            changes.sprints[event.site, sprint_id] = entry
    return entries


def _put_issue(key: Key, version: int, content: Row | Absence, changes: Changes) -> bool:
    """Note an issue or its absence, unless the batch has a newer one; of the older row only its key is kept."""
    known = changes.entities["issue"].get(key)
    noted = changes.put("issue", key, version, content)
    if known is not None:
        older = known.content if noted else content
        if not isinstance(older, Absence):
            changes.held.append((key, held(older)))
    return noted


def comment_fetched(event: JiraCommentFetched, changes: Changes) -> None:
    decoded = payloads.comments.read(event.payload, event.stream_id)
    describe(event.site, decoded.author_id, changes)
    _put_child("comment", event.comment_id, _comment_columns(decoded), event, changes)


def worklog_fetched(event: WorklogFetched, changes: Changes) -> None:
    decoded = payloads.worklogs.read(event.payload, event.stream_id)
    describe(event.site, decoded.author_id, changes)
    _put_child("worklog", event.worklog_id, _worklog_columns(decoded), event, changes)


def comment_superseded(event: JiraCommentFetched, changes: Changes) -> None:
    _note_author(event.site, payloads.comments.read(event.payload, event.stream_id).author_id, changes)


def worklog_superseded(event: WorklogFetched, changes: Changes) -> None:
    _note_author(event.site, payloads.worklogs.read(event.payload, event.stream_id).author_id, changes)


def _note_author(site: str, author: payloads.Person | None, changes: Changes) -> None:
    """What remains of a comment or worklog in whose place another version has come."""
    describe(site, author, changes)
    changes.name_account(site, ANONYMOUS if author is None else payloads.account(author))


def _put_child(
    kind: str, entity_id: str, row: Row, event: JiraCommentFetched | WorklogFetched, changes: Changes
) -> None:
    """Note what hangs on an issue; the columns that its payload makes are in the row already."""
    row["site"] = event.site
    row[f"{kind}_id"] = entity_id
    row["issue_id"] = event.issue_id
    row["version"] = event.stream_version
    _fill_times(row, event.updated)
    changes.name_account(event.site, row["author_id"])
    changes.put(kind, (event.site, entity_id), event.stream_version, row)


def _fill_times(row: Row, updated: datetime) -> None:
    """Where Jira writes no time, the event's counts."""
    if not row["created"]:
        row["created"] = stamp(updated)
    if not row["updated"]:
        row["updated"] = stamp(updated)


def issue_gone(event: JiraIssueGone, changes: Changes) -> None:
    absence = _absence(event)._replace(
        key=storable(event.key) or None, former_key=storable(event.former_key) or None, doubtful=event.doubtful
    )
    _put_issue((event.site, event.issue_id), event.stream_version, absence, changes)


def comment_gone(event: JiraCommentGone, changes: Changes) -> None:
    changes.put("comment", (event.site, event.comment_id), event.stream_version, _absence(event))


def worklog_gone(event: WorklogGone, changes: Changes) -> None:
    changes.put("worklog", (event.site, event.worklog_id), event.stream_version, _absence(event))


def _absence(event: JiraIssueGone | JiraCommentGone | WorklogGone) -> Absence:
    return Absence(event.reason.value, event.project, stamp(event.occurred_at))
