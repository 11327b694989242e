"""Entities as Jira's JSON.

A renderer knows the users, sprints and projects that answers embed. Rich text stays the bytes it was made as, users are
encoded once until one of them changes, and an issue's rendered answer is kept on its record, so serving 100 issues is
mostly joining bytes.

Jira writes the platform API's times in the time zone of the account that asks, with an offset without a colon; the
agile API and the sprint field write UTC with a ``Z``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from libs.jira_simulator.site import catalogue
from libs.jira_simulator.site.catalogue import AVATARS, SITE
from libs.jira_simulator.site.entities import Board, Comment, Issue, IssueRecord, Project, Sprint, User, Worklog
from libs.jira_simulator.site.field_catalogue import FieldCatalogue
from libs.jira_simulator.site.sight import CIRCLES, OWN_CIRCLES, Counting, Telling, shown

DAY = 86_400_000

ISSUE_EXPAND = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
PROJECT_EXPAND = "description,lead,issueTypes,url,projectKeys,permissions,insight"

encode = msgspec.json.Encoder().encode
_STATUSES = catalogue.encoded(catalogue.STATUSES)
_PRIORITIES = catalogue.encoded(catalogue.PRIORITIES)
_ISSUE_TYPES = catalogue.encoded(catalogue.ISSUE_TYPES)
_RESOLUTION = msgspec.Raw(
    encode({"self": f"{SITE}/rest/api/3/resolution/10000", "id": "10000", "description": "", "name": "Done"})
)


def zoned(at: int, zone: str) -> str:
    """``2026-01-02T03:04:05.678+0100``: how the platform API writes a time for an account in ``zone``."""
    shift, offset = _steady_offset(at // DAY, zone) or _offset(at, zone)
    day, within = divmod(at + shift, DAY)
    hour, rest = divmod(within, 3_600_000)
    minute, rest = divmod(rest, 60_000)
    second, millisecond = divmod(rest, 1000)
    return f"{_date(day)}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}{offset}"


@lru_cache(maxsize=16_384)
def _steady_offset(day: int, zone: str) -> tuple[int, str] | None:
    """The zone's offset in milliseconds and as text, when it is the same at both ends of that UTC day."""
    first, last = _offset(day * DAY, zone), _offset((day + 1) * DAY, zone)
    return first if first == last else None


def _offset(at: int, zone: str) -> tuple[int, str]:
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    offset = local.utcoffset() or timedelta(0)
    return int(offset.total_seconds() * 1000), f"{local:%z}"


@lru_cache(maxsize=16_384)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()


def zulu(at: int) -> str:
    """``2026-01-02T03:04:05.678Z``: how the agile API writes a time."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Directory(msgspec.Struct):
    """What answers embed of one another: everything but issues and what belongs to them."""

    account: str
    """Account id of the only account that can log in; its time zone is the zone of all answers."""
    projects: dict[str, Project] = {}
    users: dict[str, User] = {}
    boards: dict[int, Board] = {}
    sprints: dict[int, Sprint] = {}
    foreign_sprints: dict[int, tuple[int, ...]] = {}
    """Board id to the sprints of other boards that it lists as well."""
    fields: FieldCatalogue = msgspec.field(default_factory=FieldCatalogue)
    former_keys: dict[str, str] = {}
    """Former keys of projects to the ids of these, as far as they still lead there."""
    circles: frozenset[str] = OWN_CIRCLES
    """Those that the account is in."""
    counting: Counting = msgspec.field(default_factory=Counting)
    telling: Telling = msgspec.field(default_factory=Telling)

    def project(self, id_or_key: str) -> Project | None:
        """The project with that id, key or former key."""
        found = self.projects.get(id_or_key)
        wanted = self.former_keys.get(id_or_key, id_or_key)
        return found or next((one for one in self.projects.values() if str(one.id) == wanted), None)

    def copy(self) -> Directory:
        """A copy that later changes do not reach (the entities themselves never change)."""
        return Directory(
            self.account,
            dict(self.projects),
            dict(self.users),
            dict(self.boards),
            dict(self.sprints),
            dict(self.foreign_sprints),
            self.fields.copy(),
            dict(self.former_keys),
            self.circles,
            self.counting,
            self.telling,
        )

    @property
    def zone(self) -> str:
        return self.users[self.account].time_zone


class Renderer:
    """Renders entities as they stand in a directory; must be told by ``names_changed`` when this one changes."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._names = 0
        self._people: dict[str, msgspec.Raw] = {}

    def names_changed(self) -> None:
        """Forget every encoding that depends on a user, a sprint, an added field, the account's zone or its circles."""
        self._names += 1
        self._people.clear()

    def time(self, at: int) -> str:
        """A time as the platform API shows it to the account that asks."""
        return zoned(at, self._directory.zone)

    # ── people, projects, sprints ──────────────────────────────────────────────────────────────────────────────

    def person(self, account_id: str | None) -> msgspec.Raw | None:
        """A user as other entities embed it."""
        if account_id is None:
            return None
        raw = self._people.get(account_id)
        if raw is None:
            user = self._directory.users[account_id]
            raw = self._people[account_id] = msgspec.Raw(encode(_user(user)))
        return raw

    def user(self, user: User) -> bytes:
        """A user as ``user/bulk`` and ``users/search`` show it."""
        return encode(_user(user))

    def project(
        self, project: Project, *, lead: bool = False, insight: tuple[int, int] | None = None
    ) -> dict[str, Any]:
        """A project as ``project/search`` shows it. ``insight``: (number of issues, last update)."""
        shown: dict[str, Any] = {
            "expand": PROJECT_EXPAND,
            "self": f"{SITE}/rest/api/3/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "avatarUrls": _avatars(f"project/{project.id}"),
            "projectTypeKey": "software",
            "simplified": False,
            "style": "classic",
            "isPrivate": False,
            "properties": {},
        }
        if project.state != "live":
            shown[project.state] = True
        if lead:
            shown["lead"] = self.person(project.lead)
        if insight:
            shown["insight"] = {"totalIssueCount": insight[0], "lastIssueUpdateTime": self.time(insight[1])}
        return shown

    def whole_project(self, project: Project) -> dict[str, Any]:
        """A project as ``project/{key}`` shows it."""
        return {
            **self.project(project, lead=True),
            "description": "",
            "components": [],
            "issueTypes": list(_ISSUE_TYPES.values()),
            "assigneeType": "UNASSIGNED",
            "versions": [],
            "roles": {"Administrators": f"{SITE}/rest/api/3/project/{project.id}/role/10002"},
        }

    def sprint(self, sprint: Sprint) -> dict[str, Any]:
        """A sprint as the agile API shows it."""
        return {
            "id": sprint.id,
            "self": f"{SITE}/rest/agile/1.0/sprint/{sprint.id}",
            "state": sprint.state,
            "name": sprint.name,
            **_sprint_dates(sprint),
            "createdDate": zulu(sprint.created),
            "originBoardId": sprint.board_id,
            **({} if sprint.goal is None else {"goal": sprint.goal}),
        }

    def board(self, board: Board) -> dict[str, Any]:
        """A board as the agile API shows it."""
        project = self._directory.projects[board.project]
        return {
            "id": board.id,
            "self": f"{SITE}/rest/agile/1.0/board/{board.id}",
            "name": board.name,
            "type": board.type,
            "location": {
                "projectId": project.id,
                "displayName": f"{project.name} ({project.key})",
                "projectName": project.name,
                "projectKey": project.key,
                "projectTypeKey": "software",
                "avatarURI": f"{AVATARS}/project/{project.id}?size=24",
                "name": f"{project.name} ({project.key})",
            },
            "isPrivate": False,
        }

    # ── comments and worklogs ──────────────────────────────────────────────────────────────────────────────────

    def comment(self, comment: Comment) -> bytes:
        """A comment, the same in an issue and on its own page. An author of None is shown as null."""
        created = self.time(comment.created)
        return encode(
            {
                "self": f"{SITE}/rest/api/3/issue/{comment.issue_id}/comment/{comment.id}",
                "id": str(comment.id),
                "author": self.person(comment.author),
                "body": comment.body,
                "updateAuthor": self.person(comment.update_author),
                "created": created,
                "updated": created if comment.updated == comment.created else self.time(comment.updated),
                "jsdPublic": True,
                **_visibility(comment.role),
            }
        )

    def worklog(self, worklog: Worklog) -> bytes:
        """A worklog, the same in an issue and on its own page. Without a text the key ``comment`` is absent."""
        created = self.time(worklog.created)
        shown: dict[str, Any] = {
            "self": f"{SITE}/rest/api/3/issue/{worklog.issue_id}/worklog/{worklog.id}",
            "author": self.person(worklog.author),
            "updateAuthor": self.person(worklog.update_author),
            "created": created,
            "updated": created if worklog.updated == worklog.created else self.time(worklog.updated),
            "started": self.time(worklog.started),
            "timeSpent": duration(worklog.seconds),
            "timeSpentSeconds": worklog.seconds,
            "id": str(worklog.id),
            "issueId": str(worklog.issue_id),
        }
        if worklog.comment is not None:
            shown["comment"] = worklog.comment
        return encode(shown | _visibility(worklog.role))

    def comment_page(self, comments: Sequence[Comment], start: int, size: int) -> dict[str, Any]:
        """Of an issue's comments, those that the account may see, from the one at ``start`` on."""
        seen = shown(comments, self._directory.circles)
        page = [msgspec.Raw(self.comment(comment)) for comment in seen[start : start + size]]
        return {"comments": page, "maxResults": size, "total": self._total(comments, seen), "startAt": start}

    def worklog_page(self, worklogs: Sequence[Worklog], start: int, size: int) -> dict[str, Any]:
        """As of comments."""
        seen = shown(worklogs, self._directory.circles)
        page = [msgspec.Raw(self.worklog(worklog)) for worklog in seen[start : start + size]]
        return {"startAt": start, "maxResults": size, "total": self._total(worklogs, seen), "worklogs": page}

    def _total(self, there: Sequence[object], seen: Sequence[object]) -> int:
        return len(there if self._directory.counting.totals else seen)

    # ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────

    def issue(self, record: IssueRecord, fields: frozenset[str] | None, inline: int) -> bytes:
        """An issue with these fields (None: the id alone) and at most ``inline`` comments and worklogs."""
        key = (self._names, fields, inline)
        found = record.encoded.get(key)
        if found is None:
            # Another state of the names makes older encodings useless; few selections are asked for at a time.
            if len(record.encoded) > 8 or any(kept[0] != self._names for kept in record.encoded):
                record.encoded.clear()
            found = record.encoded[key] = encode(self._issue(record, fields, inline))
        return found

    def _issue(self, record: IssueRecord, fields: frozenset[str] | None, inline: int) -> dict[str, Any]:
        issue = record.issue
        if fields is None:
            return {"id": str(issue.id)}
        shown: dict[str, Any] = {
            "expand": ISSUE_EXPAND,
            "id": str(issue.id),
            "self": f"{SITE}/rest/api/3/issue/{issue.id}",
            "key": issue.key,
        }
        if fields:
            everything = self._fields(record) | self._children(record, fields, inline)
            shown["fields"] = {name: value for name, value in everything.items() if name in fields}
        return shown

    def _children(self, record: IssueRecord, fields: frozenset[str], inline: int) -> dict[str, Any]:
        pages: dict[str, Any] = {}
        if "comment" in fields:
            page = self.comment_page(record.comments, 0, inline)
            pages["comment"] = page | {"self": f"{SITE}/rest/api/3/issue/{record.issue.id}/comment"}
        if "worklog" in fields:
            pages["worklog"] = self.worklog_page(record.worklogs, 0, inline)
        return pages

    def _fields(self, record: IssueRecord) -> dict[str, Any]:
        issue = record.issue
        done = issue.status in catalogue.DONE
        spent = sum(worklog.seconds for worklog in record.worklogs) or None
        progress = {"progress": spent or 0, "total": spent or 0, **({"percent": 100} if spent else {})}
        shown: dict[str, Any] = {
            "summary": issue.summary,
            "description": issue.description,
            "status": _STATUSES[issue.status],
            "priority": _PRIORITIES[issue.priority],
            "issuetype": _ISSUE_TYPES[issue.issue_type],
            "project": self._embedded_project(issue.project),
            "assignee": self.person(issue.assignee),
            "reporter": self.person(issue.reporter),
            "creator": self.person(issue.creator),
            "created": self.time(issue.created),
            "updated": self.time(issue.updated),
            "statuscategorychangedate": self.time(issue.status_changed),
            "duedate": issue.due,
            "labels": issue.labels,
            "components": [],
            "fixVersions": [],
            "versions": [],
            "resolution": _RESOLUTION if done else None,
            "resolutiondate": self.time(issue.status_changed) if done else None,
            "subtasks": [],
            "issuelinks": [],
            "attachment": [],
            "environment": None,
            "security": _security(issue.security),
            "timespent": spent,
            "timeestimate": None if spent is None else 0,
            "timeoriginalestimate": None,
            "aggregatetimespent": spent,
            "progress": progress,
            "aggregateprogress": progress,
            "timetracking": {"timeSpent": duration(spent), "timeSpentSeconds": spent} if spent else {},
            "workratio": -1,
            "votes": {"self": f"{SITE}/rest/api/3/issue/{issue.key}/votes", "votes": 0, "hasVoted": False},
            "watches": {"self": f"{SITE}/rest/api/3/issue/{issue.key}/watchers", "watchCount": 1, "isWatching": False},
            "lastViewed": None,
            catalogue.STORY_POINTS_FIELD: issue.story_points,
            catalogue.RANK_FIELD: f"0|i{issue.id:05x}:",
            catalogue.NOTES_FIELD: issue.notes,
            catalogue.FLAGGED_FIELD: None,
            catalogue.SPRINT_FIELD: self._sprints(issue.sprints),
        }
        shown |= self._directory.fields.values
        if issue.parent is not None:
            shown["parent"] = {"id": str(issue.parent), "self": f"{SITE}/rest/api/3/issue/{issue.parent}"}
        return shown

    def _embedded_project(self, key: str) -> dict[str, Any]:
        whole = self.project(self._directory.projects[key])
        return {
            name: whole[name] for name in ("self", "id", "key", "name", "projectTypeKey", "simplified", "avatarUrls")
        }

    def _sprints(self, ids: Sequence[int]) -> list[dict[str, Any]] | None:
        if not ids:
            return None
        sprints = [self._directory.sprints[id_] for id_ in ids]
        return [
            {
                "id": sprint.id,
                "name": sprint.name,
                "state": sprint.state,
                "boardId": sprint.board_id,
                "goal": sprint.goal or "",
                **_sprint_dates(sprint),
            }
            for sprint in sprints
        ]

    def logged_issue(self, issue: Issue, record: IssueRecord) -> bytes:
        """An issue as the change log shows it: without comments and worklogs, which have entries of their own."""
        fields = self._directory.fields.ids - {"comment", "worklog"}
        return encode(self._issue(IssueRecord(issue, (), record.worklogs), fields, 0))


def duration(seconds: int) -> str:
    """``1h 30m``, as Jira writes the time spent."""
    hours, rest = divmod(seconds, 3600)
    minutes = rest // 60
    return " ".join([*([f"{hours}h"] if hours else []), *([f"{minutes}m"] if minutes or not hours else [])])


def _user(user: User) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "self": f"{SITE}/rest/api/3/user?accountId={user.account_id}",
        "accountId": user.account_id,
        "avatarUrls": _avatars(user.account_id if user.active else "default"),
        "displayName": user.display_name,
        "active": user.active,
        "timeZone": user.time_zone,
        "accountType": user.account_type,
    }
    if user.email is not None:
        shown["emailAddress"] = user.email
    return shown


def _visibility(role: str | None) -> dict[str, Any]:
    return {} if role is None else {"visibility": {"type": "role", "value": role, "identifier": CIRCLES[role]}}


def _security(level: str | None) -> dict[str, Any] | None:
    if level is None:
        return None
    id_ = CIRCLES[level]
    return {"self": f"{SITE}/rest/api/3/securitylevel/{id_}", "id": id_, "description": "", "name": level}


def _avatars(name: str) -> dict[str, str]:
    return {f"{size}x{size}": f"{AVATARS}/{name}?size={size}" for size in (48, 24, 16, 32)}


def _sprint_dates(sprint: Sprint) -> dict[str, str]:
    dates = {"startDate": sprint.start, "endDate": sprint.end, "completeDate": sprint.complete}
    return {name: zulu(at) for name, at in dates.items() if at is not None}
