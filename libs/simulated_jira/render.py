"""How the site's entities look in answers: dictionaries as Atlassian's documents describe them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libs.simulated_jira.dataset import Comment, Dataset, Issue, Project, Sprint, User, Worklog

SPRINT_FIELD = "customfield_10020"
POINTS_FIELD = "customfield_10016"

CATEGORIES = {
    "To Do": ("2", "new", "blue-gray", "To Do"),
    "In Progress": ("4", "indeterminate", "yellow", "In Progress"),
    "In Review": ("4", "indeterminate", "yellow", "In Progress"),
    "Done": ("3", "done", "green", "Done"),
}
STATUS_IDS = {name: str(10_000 + number) for number, name in enumerate(CATEGORIES)}
PRIORITY_IDS = {"Highest": "1", "High": "2", "Medium": "3", "Low": "4", "Lowest": "5"}
TYPE_IDS = {"Task": "10001", "Bug": "10002", "Story": "10003"}


def stamp(milliseconds: int) -> str:
    """A time as Jira's platform API writes it."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}+0000"


def zulu(milliseconds: int) -> str:
    """A time as Jira's agile API writes it."""
    return stamp(milliseconds).replace("+0000", "Z")


def user(data: Dataset, who: User) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "self": f"{data.base_url}/rest/api/3/user?accountId={who.account_id}",
        "accountId": who.account_id,
        "accountType": who.account_type,
        "avatarUrls": {"48x48": f"{data.base_url}/avatar/{who.account_id}?size=48"},
        "displayName": who.display_name,
        "active": who.active,
        "timeZone": who.time_zone,
    }
    if who.email is not None:
        shown["emailAddress"] = who.email
    return shown


def person(data: Dataset, account_id: str | None) -> dict[str, Any] | None:
    """A user inside another answer; null where nobody is named."""
    return None if account_id is None else user(data, data.users[account_id])


def embedded_sprint(sprint: Sprint) -> dict[str, Any]:
    """A sprint as an issue's field shows it."""
    shown: dict[str, Any] = {
        "id": sprint.id,
        "name": sprint.name,
        "state": sprint.state,
        "boardId": sprint.board,
        "goal": sprint.goal,
    }
    return shown | _dates(sprint)


def sprint(data: Dataset, one: Sprint) -> dict[str, Any]:
    """A sprint as its board shows it."""
    shown: dict[str, Any] = {
        "id": one.id,
        "self": f"{data.base_url}/rest/agile/1.0/sprint/{one.id}",
        "state": one.state,
        "name": one.name,
        "originBoardId": one.board,
        "goal": one.goal,
    }
    return shown | _dates(one)


def _dates(sprint: Sprint) -> dict[str, str]:
    dates = {"startDate": sprint.start, "endDate": sprint.end, "completeDate": sprint.complete}
    return {name: zulu(at) for name, at in dates.items() if at is not None}


def comment(data: Dataset, issue: Issue, one: Comment) -> dict[str, Any]:
    author = person(data, one.author)
    return {
        "self": f"{data.base_url}/rest/api/3/issue/{issue.id}/comment/{one.id}",
        "id": str(one.id),
        **({"author": author, "updateAuthor": author} if author else {}),
        "body": one.body,
        "created": stamp(one.created),
        "updated": stamp(one.updated),
        "jsdPublic": True,
    }


def worklog(data: Dataset, issue: Issue, one: Worklog) -> dict[str, Any]:
    author = person(data, one.author)
    return {
        "self": f"{data.base_url}/rest/api/3/issue/{issue.id}/worklog/{one.id}",
        **({"author": author, "updateAuthor": author} if author else {}),
        **({"comment": one.comment} if one.comment else {}),
        "created": stamp(one.created),
        "updated": stamp(one.updated),
        "started": stamp(one.started),
        "timeSpent": f"{one.seconds // 60}m",
        "timeSpentSeconds": one.seconds,
        "id": str(one.id),
        "issueId": str(issue.id),
    }


def project(data: Dataset, one: Project) -> dict[str, Any]:
    return {
        "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
        "self": f"{data.base_url}/rest/api/3/project/{one.id}",
        "id": str(one.id),
        "key": one.key,
        "name": one.name,
        "avatarUrls": {"48x48": f"{data.base_url}/avatar/project/{one.id}"},
        "projectTypeKey": "software",
        "simplified": False,
        "style": "classic",
        "isPrivate": False,
        "properties": {},
    }


def issue(data: Dataset, one: Issue) -> dict[str, Any]:
    """The issue with all its fields but comments and worklogs."""
    return {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog",
        "id": str(one.id),
        "self": f"{data.base_url}/rest/api/3/issue/{one.id}",
        "key": one.key,
        "fields": fields(data, one),
    }


def fields(data: Dataset, one: Issue) -> dict[str, Any]:
    category_id, category_key, color, category = CATEGORIES[one.status]
    return {
        "summary": one.summary,
        "description": one.description,
        "issuetype": {"id": TYPE_IDS[one.issue_type], "name": one.issue_type, "subtask": False},
        "project": {
            "id": str(data.projects[one.project].id),
            "key": one.project,
            "name": data.projects[one.project].name,
        },
        "status": {
            "self": f"{data.base_url}/rest/api/3/status/{STATUS_IDS[one.status]}",
            "id": STATUS_IDS[one.status],
            "name": one.status,
            "statusCategory": {"id": int(category_id), "key": category_key, "colorName": color, "name": category},
        },
        "priority": None if one.priority is None else {"id": PRIORITY_IDS[one.priority], "name": one.priority},
        "labels": one.labels,
        "assignee": person(data, one.assignee),
        "reporter": person(data, one.reporter),
        "creator": person(data, one.reporter),
        "created": stamp(one.created),
        "updated": stamp(one.updated),
        "resolutiondate": stamp(one.updated) if one.status == "Done" else None,
        SPRINT_FIELD: [embedded_sprint(data.sprints[number]) for number in one.sprints] or None,
        POINTS_FIELD: one.story_points,
        "customfield_10050": {"value": "Platform", "id": "10100"},
        "customfield_10051": None,
        "votes": {"votes": 0, "hasVoted": False},
        "watches": {"watchCount": 1, "isWatching": False},
    }


CATALOGUE: tuple[dict[str, Any], ...] = (
    *(
        {
            "id": name,
            "key": name,
            "name": name.capitalize(),
            "custom": False,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [name],
            "schema": {"type": kind, "system": name},
        }
        for name, kind in (
            ("summary", "string"),
            ("description", "string"),
            ("status", "status"),
            ("priority", "priority"),
            ("assignee", "user"),
            ("reporter", "user"),
            ("created", "datetime"),
            ("updated", "datetime"),
            ("comment", "comments-page"),
            ("worklog", "array"),
        )
    ),
    *(
        {
            "id": name,
            "key": name,
            "name": shown,
            "custom": True,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [f"cf[{name[-5:]}]", shown],
            "schema": {"type": kind, "custom": custom, "customId": int(name[-5:])},
        }
        for name, shown, kind, custom in (
            (SPRINT_FIELD, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
            (POINTS_FIELD, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
            ("customfield_10050", "Team", "option", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
            ("customfield_10051", "Notes", "string", "com.atlassian.jira.plugin.system.customfieldtypes:textarea"),
        )
    ),
)
"""What `GET /field` lists."""
