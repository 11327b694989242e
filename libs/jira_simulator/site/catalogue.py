"""What is the same on every simulated site: statuses, priorities, issue types, and fields until somebody changes them.

The ids of custom fields differ from site to site, so the sprint field here has another id than the usual
``customfield_10020``; that id belongs to a text field with a confusingly similar name. Who looks the field up by its
schema is not misled.
"""

from __future__ import annotations

from typing import Any

import msgspec

SITE = "https://simulated.atlassian.net"
"""The site in all ``self`` links. Fixed, so that equal seeds give equal bytes on every port."""
AVATARS = "https://avatars.simulated.atlassian.net"

SPRINT_FIELD = "customfield_10104"
STORY_POINTS_FIELD = "customfield_10016"
NOTES_FIELD = "customfield_10020"
RANK_FIELD = "customfield_10019"
FLAGGED_FIELD = "customfield_10021"

SPRINT_SCHEMA = "com.pyxis.greenhopper.jira:gh-sprint"

_CATEGORIES = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}
_STATUSES = {
    "10000": ("To Do", "new"),
    "10001": ("In Progress", "indeterminate"),
    "10002": ("In Review", "indeterminate"),
    "10003": ("Done", "done"),
}
_PRIORITIES = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low", "5": "Lowest"}
_ISSUE_TYPES = {
    "10001": ("Story", 0),
    "10002": ("Task", 0),
    "10003": ("Bug", 0),
    "10004": ("Epic", 1),
    "10005": ("Sub-task", -1),
}


def _status(id_: str, name: str, category: str) -> dict[str, Any]:
    number, label, colour = _CATEGORIES[category]
    return {
        "self": f"{SITE}/rest/api/3/status/{id_}",
        "description": "",
        "iconUrl": f"{SITE}/images/icons/statuses/generic.png",
        "name": name,
        "id": id_,
        "statusCategory": {
            "self": f"{SITE}/rest/api/3/statuscategory/{number}",
            "id": number,
            "key": category,
            "colorName": colour,
            "name": label,
        },
    }


def _priority(id_: str, name: str) -> dict[str, Any]:
    icon = f"{SITE}/images/icons/priorities/{name.lower()}.svg"
    return {"self": f"{SITE}/rest/api/3/priority/{id_}", "iconUrl": icon, "name": name, "id": id_}


def _issue_type(id_: str, name: str, level: int) -> dict[str, Any]:
    return {
        "self": f"{SITE}/rest/api/3/issuetype/{id_}",
        "id": id_,
        "description": "",
        "iconUrl": f"{SITE}/rest/api/2/universal_avatar/view/type/issuetype/avatar/{id_}?size=medium",
        "name": name,
        "subtask": level < 0,
        "avatarId": int(id_),
        "hierarchyLevel": level,
    }


STATUSES = {id_: _status(id_, *rest) for id_, rest in _STATUSES.items()}
PRIORITIES = {id_: _priority(id_, name) for id_, name in _PRIORITIES.items()}
ISSUE_TYPES = {id_: _issue_type(id_, *rest) for id_, rest in _ISSUE_TYPES.items()}
DONE = frozenset(id_ for id_, (_, category) in _STATUSES.items() if category == "done")
EPIC, SUBTASK = "10004", "10005"


def encoded(table: dict[str, dict[str, Any]]) -> dict[str, msgspec.Raw]:
    """The entries of one of the tables above, as JSON."""
    return {id_: msgspec.Raw(msgspec.json.encode(value)) for id_, value in table.items()}


def id_by_name(table: dict[str, dict[str, Any]], name_or_id: str) -> str | None:
    """The id of the entry with that id or (case does not matter) name; None when there is none."""
    wanted = name_or_id.casefold()
    return next((id_ for id_, value in table.items() if wanted in (id_, value["name"].casefold())), None)


def _system(id_: str, name: str, kind: str, *, items: str | None = None, navigable: bool = True) -> dict[str, Any]:
    schema = {"type": kind, **({"items": items} if items else {}), "system": id_}
    return {
        "id": id_,
        "key": id_,
        "name": name,
        "custom": False,
        "orderable": True,
        "navigable": navigable,
        "searchable": True,
        "clauseNames": [id_],
        "schema": schema,
    }


def custom_field(id_: str, name: str, kind: str, custom: str, *, items: str | None = None) -> dict[str, Any]:
    number = int(id_.rpartition("_")[2])
    schema = {"type": kind, **({"items": items} if items else {}), "custom": custom, "customId": number}
    return {
        "id": id_,
        "key": id_,
        "name": name,
        "custom": True,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": [f"cf[{number}]", name],
        "schema": schema,
    }


def _bare(id_: str, name: str) -> dict[str, Any]:
    field = _system(id_, name, "string")
    del field["schema"]
    return {**field, "clauseNames": ["id", "issue", "issuekey", "key"], "orderable": False, "searchable": False}


FIELDS: tuple[dict[str, Any], ...] = (
    _bare("issuekey", "Key"),
    _system("summary", "Summary", "string"),
    _system("description", "Description", "string"),
    _system("status", "Status", "status"),
    _system("priority", "Priority", "priority"),
    _system("issuetype", "Issue Type", "issuetype"),
    _system("project", "Project", "project"),
    _system("assignee", "Assignee", "user"),
    _system("reporter", "Reporter", "user"),
    _system("creator", "Creator", "user"),
    _system("created", "Created", "datetime"),
    _system("updated", "Updated", "datetime"),
    _system("statuscategorychangedate", "Status Category Changed", "datetime"),
    _system("duedate", "Due date", "date"),
    _system("labels", "Labels", "array", items="string"),
    _system("components", "Components", "array", items="component"),
    _system("fixVersions", "Fix versions", "array", items="version"),
    _system("versions", "Affects versions", "array", items="version"),
    _system("resolution", "Resolution", "resolution"),
    _system("resolutiondate", "Resolved", "datetime"),
    _system("parent", "Parent", "issuelink"),
    _system("subtasks", "Sub-tasks", "array", items="issuelinks"),
    _system("issuelinks", "Linked Issues", "array", items="issuelinks"),
    _system("environment", "Environment", "string"),
    _system("security", "Security Level", "securitylevel"),
    _system("timespent", "Time Spent", "number"),
    _system("timeestimate", "Remaining Estimate", "number"),
    _system("timeoriginalestimate", "Original estimate", "number"),
    _system("aggregatetimespent", "Σ Time Spent", "number"),
    _system("progress", "Progress", "progress"),
    _system("aggregateprogress", "Σ Progress", "progress"),
    _system("workratio", "Work Ratio", "number"),
    _system("votes", "Votes", "votes"),
    _system("watches", "Watchers", "watches"),
    _system("lastViewed", "Last Viewed", "datetime"),
    _system("timetracking", "Time tracking", "timetracking", navigable=False),
    _system("attachment", "Attachment", "array", items="attachment", navigable=False),
    _system("comment", "Comment", "comments-page", navigable=False),
    _system("worklog", "Log Work", "array", items="worklog", navigable=False),
    custom_field(STORY_POINTS_FIELD, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
    custom_field(RANK_FIELD, "Rank", "any", "com.pyxis.greenhopper.jira:gh-lexo-rank"),
    custom_field(NOTES_FIELD, "Sprint notes", "string", "com.atlassian.jira.plugin.system.customfieldtypes:textarea"),
    custom_field(
        FLAGGED_FIELD, "Flagged", "array", "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes",
        items="option"
    ),
    custom_field(SPRINT_FIELD, "Sprint", "array", SPRINT_SCHEMA, items="json"),
)  # fmt: skip

FIELD_IDS = frozenset(field["id"] for field in FIELDS) - {"issuekey"}
MULTI_VALUED = frozenset({"comment", "worklog", "attachment"})
"""Asking bulkfetch for one of these limits it to 100 issues."""
