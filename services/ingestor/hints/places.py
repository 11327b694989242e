"""Where an issue that Jira shows belongs: which projects are read, and what an issue says of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from libs.events import ProjectKey
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.control.known_states import KnownStates
from services.ingestor.event_log import EventLog
from services.ingestor.sync.asking.renames import Known, registered_keys
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


class Place(NamedTuple):
    """A project that is registered and was synced before."""

    key: str
    """As registered."""
    jira_key: str
    """As Jira has it now, as far as we know."""
    jira_id: str
    """Empty where it is not known."""


class OpenProject(NamedTuple):
    """A project that is read: registered, synced before, and not paused."""

    place: Place
    tracked: tuple[str, ...]

    def tracks(self, part: Part) -> bool:
        """Whether somebody on its watch list has a part in the issue."""
        return not self.tracked or not part.people.isdisjoint(self.tracked)


class Site:
    """The projects of a site at a moment."""

    def __init__(self, name: str, registered: Collection[str], synced: Iterable[Place]) -> None:
        self.name, self.registered = name, frozenset(registered)
        self.synced = {place.key: place for place in synced}
        self._by_id = {place.jira_id: place for place in self.synced.values() if place.jira_id}
        self._by_key = {place.jira_key: place for place in self.synced.values()}

    def called(self, jira_key: str) -> str:
        """The registered key of a project that Jira calls so; what nobody has registered is called as it is."""
        place = self._by_key.get(jira_key)
        return place.key if place is not None else jira_key

    def home_of(self, part: Part) -> Place | None:
        """The project in which Jira shows the issue: by its id, for a key may have passed to another."""
        by_id, by_key = self._by_id.get(part.project_id), self._by_key.get(part.project)
        if by_id is not None:
            return by_id
        return None if by_key is None or (by_key.jira_id and part.project_id) else by_key


class Places:
    """Knows where issues belong, from one round to the next."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._states = KnownStates(log)

    async def of(self, site: str) -> Site:
        """The projects of a site now."""
        registered = await registered_keys(self._log, site)
        names = {key: CheckpointNames(ProjectKey(site, key)) for key in sorted(registered)}
        wanted = [name for one in names.values() for name in (one.watermarks, one.jira_project)]
        stored = await self._log.checkpoints_named(wanted)
        synced = [_place(key, stored.get(one.jira_project)) for key, one in names.items() if one.watermarks in stored]
        return Site(site, registered, synced)

    async def open(self, site: Site, keys: Iterable[str]) -> dict[str, OpenProject]:
        """Those of the projects that are read, by their registered keys."""
        found: dict[str, OpenProject] = {}
        for key in set(keys) & site.synced.keys():
            state = await self._states.now(ProjectKey(site.name, key))
            if state.registered and not state.paused:
                found[key] = OpenProject(site.synced[key], state.tracked)
        return found

    async def any_open(self, site: Site) -> bool:
        """Whether any project of the site is read."""
        for key in site.synced:
            if await self.open(site, [key]):
                return True
        return False


def _place(key: str, stored: bytes | None) -> Place:
    known = msgspec.json.decode(stored, type=Known) if stored else None
    return Place(key, known.key, known.id) if known else Place(key, key, "")


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
