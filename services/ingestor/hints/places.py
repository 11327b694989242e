"""Where an issue that Jira shows belongs: which projects are read, and what an issue says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from libs.events import ControlEvent, ProjectKey
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import control_entity
from services.ingestor.sync.asking.renames import known_project, registered_keys
from services.ingestor.sync.records.odd import ODD


class Part(NamedTuple):
    """An issue as Jira shows it."""

    raw: Raw
    issue: str
    key: str
    project: str
    """Its key; empty where it is not shown."""
    project_id: str
    people: frozenset[str]
    """Its assignee, reporter and the authors of its worklogs: as a watch list asks."""


class OpenProject(NamedTuple):
    """A project that is read: registered, not paused, and synced before."""

    key: str
    """As registered."""
    jira_key: str
    """As Jira has it now, as far as we know."""
    jira_id: str
    """Empty where it is not known."""
    tracked: tuple[str, ...]

    def tracks(self, part: Part) -> bool:
        """Whether somebody on its watch list has a part in the issue."""
        return not self.tracked or not part.people.isdisjoint(self.tracked)


async def open_projects(log: EventLog, site: str) -> dict[str, OpenProject]:
    """The projects that are read, by their registered keys."""
    found: dict[str, OpenProject] = {}
    for key in await registered_keys(log, site):
        project = ProjectKey(site, key)
        state = await _state(log, project)
        synced = await log.checkpoint(CheckpointNames(project).watermarks) is not None
        if state.registered and not state.paused and synced:
            known = await known_project(log, project)
            jira_key, jira_id = (known.key, known.id) if known else (key, "")
            found[key] = OpenProject(key, jira_key, jira_id, state.tracked)
    return found


async def _state(log: EventLog, project: ProjectKey) -> ControlState:
    return fold_control(await log.stream(ControlEvent.stream_of(project.site, control_entity(project))))


def home_of(part: Part, projects: Mapping[str, OpenProject]) -> OpenProject | None:
    """The project that is read and in which Jira shows the issue: by its id, for a key may have passed to another."""
    for project in projects.values():
        if project.jira_id and part.project_id:
            if project.jira_id == part.project_id:
                return project
        elif part.project and part.project == project.jira_key:
            return project
    return None


class _Worklogs(msgspec.Struct):
    worklogs: list[dict[str, Any]] = []


class _Issue(msgspec.Struct):
    id: str | int
    key: str = ""
    fields: dict[str, Raw] = {}


def part_of(raw: Raw) -> Part | None:
    """What an issue says of itself; None where it does not say who it is."""
    try:
        issue = msgspec.json.decode(raw, type=_Issue)
    except ODD:
        return None
    project = _object(issue.fields.get("project"))
    return Part(
        raw=raw,
        issue=str(issue.id),
        key=issue.key,
        project=_text(project.get("key")),
        project_id=_text(project.get("id")),
        people=frozenset(filter(None, _people(issue.fields))),
    )


def _people(fields: Mapping[str, Raw]) -> Iterator[str]:
    for name in ("assignee", "reporter"):
        yield _text(_object(fields.get(name)).get("accountId"))
    for worklog in _worklogs(fields.get("worklog")):
        author = worklog.get("author")
        yield _text(author.get("accountId")) if isinstance(author, dict) else ""


def _worklogs(raw: Raw | None) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(raw or b"{}", type=_Worklogs).worklogs
    except ODD:
        return []


def _object(raw: Raw | None) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(raw or b"{}", type=dict[str, Any])
    except ODD:
        return {}
    return found


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
