"""A realistic data set, the same for the same seed."""

import dataclasses
import random
from collections.abc import Callable

from libs.simulated_jira import adf
from libs.simulated_jira.dataset import Board, Comment, Dataset, Issue, Project, Sprint, User, Worklog

YEAR = 365 * 86_400_000
HOUR = 3_600_000

NAMES = (
    "Anne Müller",
    "Bjørn Åse",
    "Chen Wei 陈伟",
    "Dana O'Neil",
    "Élodie Dûpont",
    "Fatima الزهراء",
    "Göran Öst",
    "Hana 花子",
    "Ivan Иванов",
    "José Peña",
    "Kofi Mensah",
    "Łucja Żak",
    "Mia 🦊",
    "Noor ul-Ain",
    "Óscar Ruiz",
)
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "Etc/UTC")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """How large the data set is and what it looks like."""

    issues: int = 1000
    seed: int = 1
    projects: tuple[str, ...] = ("DEMO",)
    comments_per_issue: float = 3
    worklogs_per_issue: float = 2
    exact: bool = False
    """Every issue has exactly that many; otherwise these are averages."""
    hot_issues: int = 3
    """Issues with 250 comments and 60 worklogs, more than any answer shows inline."""
    users: int = 15
    sprints: int = 6


def generate(shape: Shape, now: Callable[[], int] | None = None) -> Dataset:
    """The data set of a shape; everything happened within the year before now, but not within the last day."""
    rng = random.Random(shape.seed)
    data = Dataset(now) if now else Dataset()
    until = data.tick() - 24 * HOUR
    _users(data, shape, rng)
    for number, key in enumerate(shape.projects):
        data.projects[key] = Project(10_000 + number, key, f"{key.capitalize()} Project")
        _boards(data, shape, rng, key, until, number)
    share, rest = divmod(shape.issues, len(shape.projects))
    for number, key in enumerate(shape.projects):
        for index in range(share + (number < rest)):
            _issue(data, shape, rng, key, index, until)
    return data


def _users(data: Dataset, shape: Shape, rng: random.Random) -> None:
    for number in range(shape.users):
        name = NAMES[number % len(NAMES)] + (f" {number // len(NAMES) + 1}" if number >= len(NAMES) else "")
        account = f"5b10{rng.getrandbits(80):020x}"
        email = f"user{number}@example.com" if number % 3 == 0 else None
        data.users[account] = User(account, name, True, "atlassian", rng.choice(ZONES), email)
    data.users["557058:deleted"] = User("557058:deleted", "Former user", False)
    data.users["557058:app"] = User("557058:app", "Automation for Jira", True, "app")
    for user in data.users.values():
        data.log_user(user)


def _boards(data: Dataset, shape: Shape, rng: random.Random, key: str, until: int, number: int) -> None:
    board = Board(number * 10 + 1, f"{key} board", "scrum", key)
    data.boards[board.id] = board
    for index in range(shape.sprints):
        left = shape.sprints - index
        state = "future" if left == 1 else "active" if left == 2 else "closed"
        sprint = Sprint(data.next_id(), board.id, f"{key} Sprint {index + 1}", state, rng.choice(["", "Ship it"]))
        if state != "future":
            sprint.start = until - left * 14 * 24 * HOUR
            sprint.end = sprint.start + 14 * 24 * HOUR
        if state == "closed":
            sprint.complete = sprint.end
        data.sprints[sprint.id] = sprint
        data.log_sprint(sprint)
    foreign = Sprint(data.next_id(), 900, f"Other team's sprint {number}", "active", foreign=True)
    data.sprints[foreign.id] = foreign
    data.log_sprint(foreign)


def _issue(data: Dataset, shape: Shape, rng: random.Random, key: str, index: int, until: int) -> None:
    people = list(data.users)
    named = [(account, user.display_name) for account, user in data.users.items()]
    created = until - rng.randint(24 * HOUR, YEAR)
    sprints = [sprint.id for sprint in data.sprints.values() if data.boards.get(sprint.board, _NONE).project == key]
    foreign = [sprint.id for sprint in data.sprints.values() if sprint.foreign]
    issue = Issue(
        id=data.next_id(),
        key=f"{key}-{index + 1}",
        project=key,
        summary=adf.sentence(rng, 3, 8),
        status=rng.choice(["To Do", "In Progress", "In Review", "Done"]),
        priority=rng.choice(["Highest", "High", "Medium", "Low", None]),
        issue_type=rng.choice(["Task", "Bug", "Story"]),
        description=adf.body(rng, named) if rng.random() < 0.8 else None,
        assignee=rng.choice([*people, None]),
        reporter=rng.choice(people),
        created=created,
        updated=created,
        sprints=rng.sample(sprints, k=min(len(sprints), rng.choice([0, 1, 1, 2]))),
        story_points=rng.choice([None, 1.0, 2.0, 3.0, 5.0, 0.5]),
        labels=rng.sample(["backend", "ui", "größe", "urgent"], k=rng.randint(0, 2)),
    )
    if foreign and rng.random() < 0.02:
        issue.sprints.append(rng.choice(foreign))
    hot = index < shape.hot_issues
    for _ in range(250 if hot else _how_many(shape.comments_per_issue, shape, rng)):
        at = rng.randint(created, until)
        author = None if rng.random() < 0.01 else rng.choice(people)
        issue.comments.append(Comment(data.next_id(), author, adf.body(rng, named), at, at))
    for _ in range(60 if hot else _how_many(shape.worklogs_per_issue, shape, rng)):
        at = rng.randint(created, until)
        note = adf.plain(adf.sentence(rng)) if rng.random() < 0.3 else None
        author = None if rng.random() < 0.01 else rng.choice(people)
        issue.worklogs.append(Worklog(data.next_id(), author, rng.randrange(60, 28_800, 60), at - HOUR, note, at, at))
    issue.comments.sort(key=lambda comment: (comment.created, comment.id))
    children = [child.updated for child in (*issue.comments, *issue.worklogs)]
    issue.updated = max([created + rng.randint(0, until - created), *children])
    data.issues[issue.id] = issue
    data.keys[issue.key] = issue.id
    data.log_issue(issue)
    for comment in issue.comments:
        data.log_comment(issue, comment)
    for worklog in issue.worklogs:
        data.log_worklog(issue, worklog)


_NONE = Board(0, "", "", "")


def _how_many(mean: float, shape: Shape, rng: random.Random) -> int:
    return round(mean) if shape.exact else min(18, rng.randint(0, round(2 * mean)))
