"""Rows of the read tables, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

SITE = "acme"
DAY = "2026-01-02T03:04:05.678Z"

Row = dict[str, Any]


def project(key: str = "DEMO", project_id: str | None = "10000") -> Row:
    return {
        "site": SITE,
        "key": key,
        "project_id": project_id,
        "name": f"Project {key}",
        "registered": True,
        "registered_at": DAY,
        "version": 1,
        "control_version": 1,
    }


def issue(number: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "issue_id": str(10000 + number),
        "project_key": "DEMO",
        "key": f"DEMO-{number}",
        "summary": f"Issue {number}",
        "description": None,
        "status": "To Do",
        "status_category": "new",
        "priority": "High",
        "issue_type": "Task",
        "assignee_id": None,
        "reporter_id": None,
        "sprint_id": None,
        "created": DAY,
        "updated": DAY,
        "payload": "{}",
        "version": 1,
        **changed,
    }


def former_key(key: str, issue_id: str, updated: str = DAY) -> Row:
    return {"site": SITE, "key": key, "issue_id": issue_id, "updated": updated, "version": 1}


def comment(number: int, issue_id: str, author_id: str = "ann") -> Row:
    return {
        "site": SITE,
        "comment_id": str(number),
        "issue_id": issue_id,
        "author_id": author_id,
        "body": f"Comment {number}",
        "created": DAY,
        "updated": DAY,
        "version": 1,
    }


def worklog(number: int, issue_id: str, author_id: str = "ann", **changed: Any) -> Row:
    return {
        "site": SITE,
        "worklog_id": str(number),
        "issue_id": issue_id,
        "author_id": author_id,
        "time_spent_seconds": 3600,
        "comment": None,
        "started": DAY,
        "created": DAY,
        "updated": DAY,
        "version": 1,
        **changed,
    }


def user(account_id: str, **changed: Any) -> Row:
    return {
        "site": SITE,
        "account_id": account_id,
        "display_name": account_id.title(),
        "active": True,
        "account_type": "atlassian",
        "avatar_url": None,
        "version": 1,
        **changed,
    }


def sprint(sprint_id: str, **changed: Any) -> Row:
    return {
        "site": SITE,
        "sprint_id": sprint_id,
        "board_id": "1",
        "name": f"Sprint {sprint_id}",
        "state": "active",
        "goal": None,
        "start_date": DAY,
        "end_date": None,
        "complete_date": None,
        "version": 1,
        **changed,
    }


def sprint_project(sprint_id: str, key: str = "DEMO") -> Row:
    return {"site": SITE, "project_key": key, "sprint_id": sprint_id}


def job(key: str = "DEMO", **changed: Any) -> Row:
    return {
        "site": SITE,
        "project_key": key,
        "schedule_id": f"jira-sync:{SITE}:{key}",
        "workflow_id": f"sync:{SITE}:{key}",
        "cron": "*/15 * * * *",
        "timezone": "UTC",
        "status": "ACTIVE",
        "paused_at": None,
        "paused_by": None,
        "pause_reason": None,
        "last_run_at": DAY,
        "last_ended_at": DAY,
        "last_result": "SUCCESS",
        "current_run_id": None,
        "pages_done": 1,
        "pages_total": 1,
        "backoff_level": 0,
        "backoff_code": None,
        "backoff_failures": 0,
        "backoff_seconds": 0,
        "backoff_anchor": None,
        "backoff_since": None,
        "stretch_seconds": 0,
        "stretch_anchor": None,
        "version": 1,
        **changed,
    }


def state(entity: str, key: str = "DEMO", **changed: Any) -> Row:
    return {
        "site": SITE,
        "project_key": key,
        "entity": entity,
        "status": "SUCCESS",
        "last_sync_time": DAY,
        "watermark": DAY,
        "rows": 3,
        "error_code": None,
        "error_message": None,
        "error_advice": None,
        "error_severity": None,
        "error_docs": None,
        "error_since": None,
        "error_attempts": 0,
        "run_id": "run",
        "version": 1,
        **changed,
    }


def log(position: int, level: str = "INFO", **changed: Any) -> Row:
    return {
        "site": SITE,
        "position": position,
        "project_key": "DEMO",
        "level": level,
        "message": f"Line {position}",
        "details": None,
        "entity": None,
        "run_id": "run",
        "created_at": DAY,
        **changed,
    }


def run(run_id: str, position: int, **changed: Any) -> Row:
    counts = dict.fromkeys(("issues", "comments", "worklogs", "sprints", "users", "appended", "requests"), 1)
    return {
        "site": SITE,
        "run_id": run_id,
        "project_key": "DEMO",
        "mode": "FULL",
        "reason": "schedule",
        "result": "SUCCESS",
        "started_at": DAY,
        "ended_at": DAY,
        "seconds": 1.5,
        "pages_done": 1,
        "pages_total": 1,
        **counts,
        "warnings": "[]",
        "quarantined": 0,
        "quarantine": "[]",
        "late": 0,
        "latest_seconds": None,
        "overlap_seconds": 300.0,
        "error_code": None,
        "error_message": None,
        "error_advice": None,
        "error_severity": None,
        "error_docs": None,
        "error_details": None,
        "attempts": None,
        "started_position": position,
        "version": 1,
        **changed,
    }


def change(position: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "position": position,
        "project_key": "DEMO",
        "kind": "PAUSED",
        "actor": "ann",
        "reason": "maintenance",
        "summary": "Paused.",
        "details": None,
        "at": DAY,
        **changed,
    }


def absence(entity_id: str, **changed: Any) -> Row:
    return {
        "site": SITE,
        "kind": "issue",
        "entity_id": entity_id,
        "project_key": "DEMO",
        "reason": "UNTRACKED",
        "doubtful": False,
        "gone_at": DAY,
        "version": 2,
        **changed,
    }


def census(key: str = "DEMO", **changed: Any) -> Row:
    """One that proved the project."""
    return {
        "site": SITE,
        "project_key": key,
        "taken_at": DAY,
        "proved_at": DAY,
        "run_id": "census",
        "counted": 3,
        "gone": "[]",
        "returned": 0,
        "fetched": 0,
        "held_back": 0,
        "brake": "",
        "accepted_by": None,
        "requests": 3,
        "seconds": 1.5,
        "failed_at": None,
        "error_code": None,
        "error_message": None,
        "error_advice": None,
        "failures": 0,
        "requested_at": None,
        "requested_by": None,
        "accepting": False,
        "version": 1,
        **changed,
    }


def compared(entity: str = "issue", key: str = "DEMO", **changed: Any) -> Row:
    """Three in Jira and three here, by a census."""
    return {
        "site": SITE,
        "project_key": key,
        "entity": entity,
        "in_jira": 3,
        "here": 3,
        "differences": "[]",
        "proved_at": DAY,
        "version": 1,
        **changed,
    }


def alert(alert_id: str, position: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "alert_id": alert_id,
        "project_key": "DEMO",
        "fingerprint": "f00d",
        "code": "AUTH_EXPIRED",
        "category": "access",
        "severity": "critical",
        "message": "Jira refused the token.",
        "advice": "Make a new API token.",
        "docs": "",
        "status": "OPEN",
        "first_seen": DAY,
        "last_seen": DAY,
        "count": 1,
        "run_id": "run",
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledgement": None,
        "resolved_by": None,
        "resolved_at": None,
        "resolution": None,
        "resolution_note": None,
        "raised_position": position,
        "changed_position": position,
        "version": 1,
        **changed,
    }


def silence(**changed: Any) -> Row:
    return {
        "site": SITE,
        "project_key": "DEMO",
        "code": "",
        "until": "2999-01-01T00:00:00.000Z",
        "by": "ann",
        "reason": "maintenance",
        "changed_position": 1,
        "version": 1,
        **changed,
    }


def notice(notification_id: str, position: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "notice_id": notification_id,
        "channel": "email",
        "reason": "FIRST",
        "state": "SENT",
        "subject": "Jira refused the token",
        "recipients": '["ops@acme.example"]',
        "refused": "[]",
        "attempts": 1,
        "last_attempts": "[]",
        "created_at": DAY,
        "last_attempt_at": DAY,
        "next_attempt_at": None,
        "failure_kind": None,
        "failure_code": None,
        "failure_provider_code": None,
        "failure_message": None,
        "failure_advice": None,
        "failure_retry_after": None,
        "provider_message_id": None,
        "created_position": position,
        "changed_position": position,
        "version": 1,
        **changed,
    }


def about(notification_id: str, alert_id: str) -> Row:
    return {"site": SITE, "notice_id": notification_id, "alert_id": alert_id}


def drift(position: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "position": position,
        "project_key": "DEMO",
        "run_id": "run",
        "change": "type",
        "field_id": "customfield_10016",
        "field_name": "Story points",
        "before": "number",
        "after": "string",
        "at": DAY,
        **changed,
    }


def set_aside(position: int, **changed: Any) -> Row:
    return {
        "site": SITE,
        "project_key": "DEMO",
        "record": f"issue/10001/comment {position}",
        "kind": "comment",
        "name": f"Issue DEMO-1, comment {position}",
        "issue_id": "10001",
        "issue_key": "DEMO-1",
        "field": "$.created",
        "why": "a number where a time is documented",
        "raw": '{"created": 7}',
        "asked_again": True,
        "run_id": "run",
        "since": DAY,
        "since_position": position,
        "version": 1,
        **changed,
    }
