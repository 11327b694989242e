"""A data set from a seed: a year of work in one or more projects.

Every number comes from one ``random.Random``; no set is iterated, so equal shapes give equal bytes in every process.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import msgspec

from libs.jira_simulator.site import adf, catalogue
from libs.jira_simulator.site.entities import (
    UNKNOWN_ACCOUNT,
    Board,
    Comment,
    Issue,
    IssueRecord,
    Project,
    Sprint,
    User,
    Worklog,
)
from libs.jira_simulator.site.render import Directory

DAY = 86_400_000
YEAR = 365 * DAY
FORTNIGHT = 14 * DAY
FIRST_ID = 10_000
HOT_COMMENTS, HOT_WORKLOGS = 250, 60
FOREIGN_BOARD = 9_000
"""A board of a project that the account cannot see; its sprint shows on our boards and issues."""

ACCOUNT = "712020:5d1c0a7e-sync"
APP = "557058:automation-for-jira"
DELETED = "5b10f00d00000000000000de"

NAMES = (
    "Anna Müller", "Björn Åkesson", "Chen Wei 陈伟", "Dana O'Neil", "Élodie Dupont", "Fatima الزهراء",
    "Giorgos Παπαδόπουλος", "Hana Nováková", "Ivan Петров", "Jürgen Groß", "Keiko 佐藤", "Łukasz Żak",
    "María-José Núñez", "Nadia Ben Ali", "Oksana Шевченко", "Priya शर्मा", "Quentin Lefèvre", "Ruth כהן",
    "Søren Kjærgaard", "Thảo Nguyễn", "Uma 🌱", "Vlad Țepeș", "Wanjiru Kamau", "Ximena Ruiz", "Yūsuf Yilmaz",
)  # fmt: skip
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/St_Johns",
    "Asia/Tokyo",
    "Etc/UTC",
)
SUBJECTS = (
    "Login", "Import", "Suche", "Export", "Sync", "Board", "日本語入力", "Отчёт", "Payment", "Webhook", "الفوترة",
    "Cafe\u0301 menu", "Cache 🧊",
)  # fmt: skip
ACTS = ("fails on", "is slow for", "should support", "loses", "times out with", "needs tests for", "misreads")
OBJECTS = (
    "large projects",
    "empty fields",
    "time zones",
    "“smart quotes”",
    "עברית",
    "old browsers",
    "the second page",
    "<b>markup</b> & co",
)
LABELS = ("backend", "frontend", "größe", "customer", "tech-debt", "日本")
POINTS = (None, None, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What to generate; see ``Dataset.generate``. ``clock_start`` is in epoch milliseconds."""

    projects: tuple[str, ...]
    issues: int
    seed: int
    comments_per_issue: float
    worklogs_per_issue: float
    hot_issues: int
    exact: bool
    boards: int
    sprints: int
    users: int
    time_zone: str
    clock_start: int

    def __post_init__(self) -> None:
        numbers = ("issues", "comments_per_issue", "worklogs_per_issue", "hot_issues", "boards", "sprints", "users")
        if negative := [name for name in numbers if getattr(self, name) < 0]:
            raise ValueError(f"{' and '.join(negative)} must not be negative")
        if not self.projects:
            raise ValueError("at least one project key is needed, such as DEMO")
        if wrong := [key for key in self.projects if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", key)]:
            raise ValueError(
                f"not a project key: {wrong[0]!r}; use 2 to 10 capitals and digits, a letter first, such as DEMO"
            )


def generate(shape: Shape) -> tuple[Directory, list[IssueRecord]]:
    """The directory and the issues, in ascending order of ids."""
    rng = random.Random(shape.seed)
    directory = Directory(ACCOUNT)
    _add_users(directory, shape, rng)
    for number, key in enumerate(shape.projects):
        directory.projects[key] = Project(
            id=FIRST_ID + number, key=key, name=f"{key.capitalize()} project", lead=ACCOUNT
        )
    _add_boards(directory, shape)
    return directory, list(_Issues(directory, shape, rng).make())


def _add_users(directory: Directory, shape: Shape, rng: random.Random) -> None:
    users = [User(account_id=ACCOUNT, display_name="Sync Account", time_zone=shape.time_zone, email="sync@example.com")]
    for number in range(shape.users):
        turn, name = divmod(number, len(NAMES))
        users.append(
            User(
                account_id=f"5b10{rng.getrandbits(80):020x}",
                display_name=NAMES[name] + (f" {turn + 1}" if turn else ""),
                active=number % 9 != 8,
                time_zone=rng.choice(ZONES),
                email=f"person{number}@example.com" if number % 4 == 0 else None,
            )
        )
    users.append(User(account_id=APP, display_name="Automation for Jira", account_type="app"))
    users.append(User(account_id=DELETED, display_name="Former user", active=False))
    users.append(User(account_id=UNKNOWN_ACCOUNT, display_name="Former user", active=False, account_type="unknown"))
    directory.users.update((user.account_id, user) for user in users)


def _add_boards(directory: Directory, shape: Shape) -> None:
    start = shape.clock_start
    foreign = Sprint(
        id=1,
        name="Platform Team, Sprint=7",
        state="active",
        board_id=FOREIGN_BOARD,
        created=start - 2 * FORTNIGHT,
        goal="Other people's work, seen here too",
        start=start - 7 * DAY,
        end=start + 7 * DAY,
    )
    directory.sprints[foreign.id] = foreign
    for key in shape.projects:
        for number in range(shape.boards):
            board = Board(id=len(directory.boards) + 1, name=f"{key} board {number + 1}", type="scrum", project=key)
            directory.boards[board.id] = board
            directory.foreign_sprints[board.id] = (foreign.id,)
            for sprint in _sprints(board, shape, 1 + len(directory.sprints)):
                directory.sprints[sprint.id] = sprint
        kanban = Board(id=len(directory.boards) + 1, name=f"{key} kanban", type="kanban", project=key)
        directory.boards[kanban.id] = kanban


def _sprints(board: Board, shape: Shape, first_id: int) -> Iterator[Sprint]:
    """Fortnight after fortnight up to one that runs at the clock's start and one that is only planned."""
    for number in range(shape.sprints):
        ahead = number - (shape.sprints - 2)
        begins = shape.clock_start - 7 * DAY + ahead * FORTNIGHT
        sprint = Sprint(
            id=first_id + number,
            name=f"{board.project} Sprint {number + 1}",
            state="active" if ahead == 0 else "future" if ahead > 0 else "closed",
            board_id=board.id,
            created=begins - FORTNIGHT,
            goal=f"Goal {number + 1}" if number % 3 else None,
        )
        if ahead <= 0:
            sprint = msgspec.structs.replace(sprint, start=begins, end=begins + FORTNIGHT)
        if ahead < 0:
            sprint = msgspec.structs.replace(sprint, complete=begins + FORTNIGHT + 3_600_000)
        yield sprint


class _Issues:
    """Makes the issues one after another, in the order in which they were created."""

    def __init__(self, directory: Directory, shape: Shape, rng: random.Random) -> None:
        self._shape, self._rng = shape, rng
        self._people = [*directory.users]
        self._mentionable = [(user.account_id, user.display_name) for user in directory.users.values()]
        self._past = {key: _ids(directory, key, "closed") for key in shape.projects}
        self._present = {
            key: [*_ids(directory, key, "active"), *_ids(directory, key, "future"), 1] for key in shape.projects
        }
        self._numbers = dict.fromkeys(shape.projects, 0)
        self._comment_id = self._worklog_id = FIRST_ID
        # Bulk edits give many issues one `updated`: a page boundary then falls between equals.
        self._bulk_edits = [shape.clock_start - days * DAY - 12_345 for days in (3, 40, 150)]

    def make(self) -> Iterator[IssueRecord]:
        hot = set(self._rng.sample(range(self._shape.issues), k=min(self._shape.hot_issues, self._shape.issues)))
        gap = (YEAR - DAY) // max(1, self._shape.issues)
        for number in range(self._shape.issues):
            created = self._shape.clock_start - YEAR + number * gap + self._rng.randrange(max(1, gap))
            yield self._issue(FIRST_ID + number, created, hot=number in hot)

    def _issue(self, id_: int, created: int, *, hot: bool) -> IssueRecord:
        rng = self._rng
        project = self._shape.projects[id_ % len(self._shape.projects)]
        self._numbers[project] += 1
        number = self._numbers[project]
        until = created + max(1, int((self._shape.clock_start - created) * rng.random() ** 2))
        comments = self._comments(
            id_, created, until, HOT_COMMENTS if hot else self._count(self._shape.comments_per_issue)
        )
        worklogs = self._worklogs(
            id_, created, until, HOT_WORKLOGS if hot else self._count(self._shape.worklogs_per_issue)
        )
        updated = max([until, *(one.updated for one in comments), *(one.updated for one in worklogs)])
        if rng.random() < 0.03 and (later := [at for at in self._bulk_edits if at > updated]):
            updated = later[-1]
        issue = Issue(
            id=id_,
            key=f"{project}-{number}",
            project=project,
            summary=f"{rng.choice(SUBJECTS)} {rng.choice(ACTS)} {rng.choice(OBJECTS)}",
            description=None if rng.random() < 0.15 else adf.document(rng, self._mentionable, rng.randint(1, 5)),
            status=rng.choice(tuple(catalogue.STATUSES)),
            priority=rng.choice(tuple(catalogue.PRIORITIES)),
            issue_type=rng.choice(("10001", "10002", "10003", "10004")),
            assignee=None if rng.random() < 0.2 else rng.choice(self._people),
            reporter=None if rng.random() < 0.02 else rng.choice(self._people),
            creator=rng.choice(self._people),
            created=created,
            updated=updated,
            status_changed=rng.randint(created, updated),
            sprints=self._sprints_of(project),
            story_points=rng.choice(POINTS),
            labels=tuple(rng.sample(LABELS, k=rng.choice((0, 0, 1, 2)))),
            due=f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}" if rng.random() < 0.2 else None,
            notes=adf.plain("Notes of the planning.") if rng.random() < 0.05 else None,
            old_keys=(f"LEGACY-{id_}",) if rng.random() < 0.01 else (),
        )
        return IssueRecord(issue, comments, worklogs)

    def _sprints_of(self, project: str) -> tuple[int, ...]:
        rng, past = self._rng, self._past[project]
        chance = rng.random()
        if chance < 0.4:
            return ()
        done = sorted(rng.sample(past, k=min(len(past), rng.choice((0, 1, 1, 2)))))
        return (*done, rng.choice(self._present[project])) if chance > 0.7 else tuple(done)

    def _count(self, average: float) -> int:
        if self._shape.exact or not average:
            return round(average)
        return self._rng.randint(0, round(2 * average))

    def _author(self) -> str | None:
        return None if self._rng.random() < 0.01 else self._rng.choice(self._people)

    def _times(self, after: int, until: int, count: int) -> list[int]:
        return sorted(self._rng.randint(after, until) for _ in range(count))

    def _comments(self, issue_id: int, after: int, until: int, count: int) -> tuple[Comment, ...]:
        rng, comments = self._rng, []
        for at in self._times(after, until, count):
            author = self._author()
            edited = rng.random() < 0.1
            comments.append(
                Comment(
                    id=self._comment_id,
                    issue_id=issue_id,
                    author=author,
                    update_author=self._author() if edited else author,
                    body=adf.document(rng, self._mentionable, rng.choice((1, 1, 1, 2, 3))),
                    created=at,
                    updated=rng.randint(at, until) if edited else at,
                )
            )
            self._comment_id += 1
        return tuple(comments)

    def _worklogs(self, issue_id: int, after: int, until: int, count: int) -> tuple[Worklog, ...]:
        rng, worklogs = self._rng, []
        for at in self._times(after, until, count):
            author = self._author()
            worklogs.append(
                Worklog(
                    id=self._worklog_id,
                    issue_id=issue_id,
                    author=author,
                    update_author=author,
                    comment=adf.document(rng, self._mentionable, 1) if rng.random() < 0.4 else None,
                    seconds=60 * rng.randint(1, 480),
                    started=at - rng.randint(0, 3 * DAY) // 60_000 * 60_000,
                    created=at,
                    updated=at,
                )
            )
            self._worklog_id += 1
        return tuple(worklogs)


def _ids(directory: Directory, project: str, state: str) -> list[int]:
    boards = {board.id for board in directory.boards.values() if board.project == project}
    return [sprint.id for sprint in directory.sprints.values() if sprint.board_id in boards and sprint.state == state]
