"""The state of a simulated site: who and what is there now, what search sees, and the log of every change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from libs.jira_simulator.search.index import SearchIndex
from libs.jira_simulator.site.changes import ChangeLog
from libs.jira_simulator.site.entities import Entity, Issue, IssueRecord, Project, issue_number
from libs.jira_simulator.site.render import Directory, Renderer
from libs.jira_simulator.site.sight import admitted, named, opened, searched

CLOCK_START = datetime(2026, 1, 1, tzinfo=UTC)
"""Everything in a generated data set happened in the year before; fixed, so that equal seeds give equal data on every
day.
"""


class Clock:
    """Real time in epoch milliseconds, but never the same one twice: changes are strictly ordered by their time."""

    def __init__(self, now: Callable[[], int] | None = None) -> None:
        self._now = now or (lambda: time.time_ns() // 1_000_000)
        self._last = 0

    def now(self) -> int:
        return max(self._now(), self._last)

    def tick(self) -> int:
        """The time of a new change."""
        self._last = max(self._now(), self._last + 1)
        return self._last


class Dataset:
    """A site's data. ``generate`` makes one from a seed; ``mutations.Mutations`` changes it; ``server.serve`` shows it.

    It is changed and read on one event loop, never from two threads.
    """

    def __init__(
        self, directory: Directory, records: Iterable[IssueRecord], started: int, now: Callable[[], int] | None = None
    ) -> None:
        self.directory = directory
        self.clock = Clock(now)
        self.started = started
        self.issues: dict[int, IssueRecord] = {record.issue.id: record for record in records}
        self.keys: dict[str, int] = {}
        """Every key that ever named an issue, to the issue's id."""
        for record in self.issues.values():
            self._name(record.issue)
        self.renderer = Renderer(directory)
        self.log = ChangeLog(self._initial_entities(), Renderer(directory.copy()), started)
        self.index = SearchIndex(self.issues)
        self.deleted_worklogs: list[tuple[int, int]] = []
        self.deleted_issues: list[tuple[int, int, str]] = []
        """When, which, and under which key, the first deletion first."""
        """(when, id), oldest first; those that went with their issue are not among them."""

    @staticmethod
    def generate(
        *,
        projects: Sequence[str] = ("DEMO",),
        issues: int = 1000,
        seed: int = 1,
        comments_per_issue: float = 3,
        worklogs_per_issue: float = 2,
        hot_issues: int = 0,
        exact: bool = False,
        boards: int = 1,
        sprints: int = 6,
        users: int = 25,
        time_zone: str = "America/Los_Angeles",
        clock_start: datetime = CLOCK_START,
        now: Callable[[], int] | None = None,
    ) -> Dataset:
        """A data set that depends on the arguments alone.

        Args:
            projects: Keys of the projects; the issues are spread over them evenly.
            issues: Number of issues in all projects together.
            seed: Equal seeds (and other arguments) give equal bytes.
            comments_per_issue: Average, or with ``exact`` the number of every issue.
            worklogs_per_issue: Likewise.
            hot_issues: So many issues have 250 comments and 60 worklogs: more than any answer shows inline.
            exact: Every issue (but the hot ones) has exactly so many comments and worklogs.
            boards: Scrum boards per project; one kanban board per project is added.
            sprints: Sprints per scrum board: the last is in the future, the one before it active, the others closed.
            users: Number of people, before the app, the deleted account and the account ``unknown`` are added.
            time_zone: Of the account that asks. Behind UTC by default, where quoted JQL dates mislead the most.
            clock_start: Everything generated happened in the year before.
            now: Clock of later changes, in epoch milliseconds; the real time when not given.

        Raises:
            ValueError: A number is negative, a key is not a project key, or no project is given.
        """
        from libs.jira_simulator.site.generate import Shape, generate

        shape = Shape(
            projects=tuple(projects),
            issues=issues,
            seed=seed,
            comments_per_issue=comments_per_issue,
            worklogs_per_issue=worklogs_per_issue,
            hot_issues=hot_issues,
            exact=exact,
            boards=boards,
            sprints=sprints,
            users=users,
            time_zone=time_zone,
            clock_start=int(clock_start.timestamp() * 1000),
        )
        directory, records = generate(shape)
        return Dataset(directory, records, shape.clock_start, now)

    # ── looking things up ──────────────────────────────────────────────────────────────────────────────────────

    def find(self, id_or_key: str) -> IssueRecord | None:
        """The issue with that id, key or former key."""
        if id_or_key.isdecimal():
            return self.issues.get(int(id_or_key))
        id_ = self.keys.get(id_or_key.upper())
        return None if id_ is None else self.issues.get(id_)

    def insight(self, project: str) -> tuple[int, int]:
        """(number of issues, time of the last update) of a project; the clock's start when it has no issue."""
        everything = self.directory.counting.insight
        updates = [
            record.issue.updated
            for record in self.issues.values()
            if record.issue.project == project and (everything or self.sees(record))
        ]
        return len(updates), max(updates, default=self.started)

    def next_number(self, project: str) -> int:
        """The number of the next issue key of a project; numbers are never given twice."""
        return 1 + max((issue_number(key) for key in self.keys if key.rpartition("-")[0] == project), default=0)

    # ── what the account that asks may see ─────────────────────────────────────────────────────────────────────

    def sees(self, record: IssueRecord) -> bool:
        """Whether an issue can be read by its id."""
        project = self.directory.projects.get(record.issue.project)
        return project is not None and opened(project) and admitted(record.issue, self.directory.circles)

    def finds(self, record: IssueRecord) -> bool:
        """Whether search shows an issue that the index has: permissions count as they are now."""
        current = self.issues.get(record.issue.id, record)
        project = self.directory.projects.get(current.issue.project)
        return project is not None and searched(project) and admitted(current.issue, self.directory.circles)

    def seen(self, id_or_key: str) -> IssueRecord | None:
        """The issue with that id, key or former key, unless it is hidden."""
        record = self.find(id_or_key)
        return record if record is not None and self.sees(record) else None

    def project(self, id_or_key: str) -> Project | None:
        """The project with that id, key or former key, unless it is hidden."""
        found = self.directory.project(id_or_key)
        return found if found is not None and named(found) else None

    # ── changing (through ``mutations``) ───────────────────────────────────────────────────────────────────────

    def put(self, record: IssueRecord) -> None:
        """A new or changed issue; search sees it when the index has caught up."""
        self.issues[record.issue.id] = record
        self._name(record.issue)
        self.index.note(record.issue.id, record)

    def drop(self, issue_id: int) -> None:
        """Delete an issue. Its keys lead nowhere from now on."""
        del self.issues[issue_id]
        self.index.note(issue_id, None)

    def go_back(
        self, issues: dict[int, IssueRecord], directory: Directory, deleted_worklogs: Sequence[tuple[int, int]]
    ) -> None:
        """Bring back an earlier state. The account keeps its circles, and the site its fields."""
        for issue_id in self.issues.keys() | issues.keys():
            if self.issues.get(issue_id) is not issues.get(issue_id):
                self.index.note(issue_id, issues.get(issue_id))
        self.issues.clear()
        self.issues.update(issues)
        self.keys.clear()
        for record in self.issues.values():
            self._name(record.issue)
        self.deleted_worklogs = [*deleted_worklogs]
        self.deleted_issues.clear()
        earlier, now = directory.copy(), self.directory
        now.projects, now.users, now.sprints = earlier.projects, earlier.users, earlier.sprints
        now.former_keys, now.boards = earlier.former_keys, earlier.boards
        self.renderer.names_changed()

    def _name(self, issue: Issue) -> None:
        for key in (issue.key, *issue.old_keys):
            self.keys[key] = issue.id

    def _initial_entities(self) -> list[tuple[Entity, IssueRecord | None]]:
        shared: tuple[Entity, ...] = (
            *self.directory.projects.values(),
            *self.directory.users.values(),
            *self.directory.sprints.values(),
        )
        entities: list[tuple[Entity, IssueRecord | None]] = [(entity, None) for entity in shared]
        for record in self.issues.values():
            owned: tuple[Entity, ...] = (record.issue, *record.comments, *record.worklogs)
            entities.extend((entity, record) for entity in owned)
        return entities
