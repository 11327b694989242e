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
        "project_key": "DEMO",
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
        "error_code": None,
        "error_message": None,
        "error_advice": None,
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
        "gone_at": DAY,
        "version": 2,
        **changed,
    }
