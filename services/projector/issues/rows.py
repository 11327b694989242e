"""Issues, comments and worklogs: event to row."""

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
from services.projector.batch import Absence, Changes
from services.projector.issues import payloads
from services.projector.issues.adf import readable
from services.projector.issues.payloads import IssueFields, Named
from services.projector.tables.text import storable
from services.projector.tables.times import parse_time, stamp


def issue_fetched(event: JiraIssueFetched, changes: Changes) -> None:
    fields = payloads.issue_fields(event.payload, event.sprint_field)
    members = tuple(payloads.memberships(fields.sprints))
    row = _issue_row(event, fields)
    key = (event.site, event.issue_id)
    changes.name_accounts(event.site, (row["assignee_id"], row["reporter_id"]))
    if changes.put("issue", key, event.stream_version, row):
        changes.memberships[key] = members


def _issue_row(event: JiraIssueFetched, fields: IssueFields) -> dict[str, Any]:
    status = fields.status
    category = status.status_category if status is not None else None
    return {
        "site": event.site,
        "issue_id": event.issue_id,
        "project_key": event.project,
        "key": event.key,
        "summary": storable(fields.summary or ""),
        "description": None if fields.description is None else readable(fields.description),
        "status": _name(status) or "Unknown",
        "status_category": category.key if category is not None else None,
        "priority": _name(fields.priority),
        "issue_type": _name(fields.issuetype),
        "assignee_id": payloads.optional_account(fields.assignee),
        "reporter_id": payloads.optional_account(fields.reporter),
        "sprint_id": None,  # known once the sprints' states are: see `sprints.py`
        "created": _time(fields.created, event.updated),
        "updated": _time(fields.updated, event.updated),
        "payload": str(memoryview(event.payload), "utf-8"),
        "version": event.stream_version,
    }


def issue_gone(event: JiraIssueGone, changes: Changes) -> None:
    changes.put("issue", (event.site, event.issue_id), event.stream_version, _absence(event))


def comment_fetched(event: JiraCommentFetched, changes: Changes) -> None:
    comment = payloads.comments.decode(event.payload)
    author = payloads.account(comment.author)
    row = {
        "site": event.site,
        "comment_id": event.comment_id,
        "issue_id": event.issue_id,
        "author_id": author,
        "body": readable(comment.body),
        "created": _time(comment.created, event.updated),
        "updated": _time(comment.updated, event.updated),
        "version": event.stream_version,
    }
    changes.name_accounts(event.site, (author,))
    changes.put("comment", (event.site, event.comment_id), event.stream_version, row)


def comment_gone(event: JiraCommentGone, changes: Changes) -> None:
    changes.put("comment", (event.site, event.comment_id), event.stream_version, _absence(event))


def worklog_fetched(event: WorklogFetched, changes: Changes) -> None:
    worklog = payloads.worklogs.decode(event.payload)
    author = payloads.account(worklog.author)
    row = {
        "site": event.site,
        "worklog_id": event.worklog_id,
        "issue_id": event.issue_id,
        "author_id": author,
        "time_spent_seconds": worklog.time_spent_seconds or 0,
        "comment": None if worklog.comment is None else readable(worklog.comment),
        "started": parse_time(worklog.started),
        "created": _time(worklog.created, event.updated),
        "updated": _time(worklog.updated, event.updated),
        "version": event.stream_version,
    }
    changes.name_accounts(event.site, (author,))
    changes.put("worklog", (event.site, event.worklog_id), event.stream_version, row)


def worklog_gone(event: WorklogGone, changes: Changes) -> None:
    changes.put("worklog", (event.site, event.worklog_id), event.stream_version, _absence(event))


def _absence(event: JiraIssueGone | JiraCommentGone | WorklogGone) -> Absence:
    return Absence(event.reason.value, event.project, stamp(event.occurred_at))


def _time(written: str | None, otherwise: datetime) -> str:
    return parse_time(written) or stamp(otherwise)


def _name(value: Named | payloads.Status | None) -> str | None:
    return None if value is None or value.name is None else storable(value.name)
