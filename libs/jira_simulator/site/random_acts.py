"""Random changes: a busy site, repeatable by its seed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Collection

from libs.jira_simulator.site import adf, catalogue
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT, Comment, IssueRecord, Sprint, Worklog
from libs.jira_simulator.site.mutations import MutationError, Mutations
from libs.jira_simulator.site.random_absences import VANISHING

Act = Callable[["RandomActs"], bool]


class RandomActs:
    """Random acts on a data set. Nothing vanishes but what an incremental sync can see, unless it is asked for."""

    def __init__(self, dataset: Dataset, mutations: Mutations, seed: int) -> None:
        self.dataset, self.mutations = dataset, mutations
        self.rng = random.Random(seed)
        self._issues = [str(id_) for id_ in dataset.issues]
        self._people = [*dataset.directory.users]
        self.deleted: list[str] = []
        """Issues that these acts have deleted."""
        self.lost: defaultdict[type[Comment | Worklog], list[tuple[str, str]]] = defaultdict(list)
        """Comments and worklogs that these acts have deleted: the issue and the child."""

    def run(self, count: int, kinds: Collection[str] = ()) -> dict[str, int]:
        """Do ``count`` acts, and say how many of each kind were done.

        Kinds of `ACTS`, unless some are named, which may be of `VANISHING` as well.

        Raises:
            MutationError: A kind is unknown, or none of the kinds is possible on this site.
        """
        acts = ACTS | VANISHING if kinds else ACTS
        if unknown := [kind for kind in kinds if kind not in acts]:
            raise MutationError(f"there is no kind {unknown[0]!r} of random change; there are: {', '.join(acts)}")
        names = [kind for kind in acts if not kinds or kind in kinds]
        weights = [acts[name][0] for name in names]
        done: dict[str, int] = {}
        misses = 0
        while sum(done.values()) < count:
            name = self.rng.choices(names, weights)[0]
            if acts[name][1](self):
                done[name], misses = done.get(name, 0) + 1, 0
            elif (misses := misses + 1) > 1000:
                raise MutationError(f"nothing to change on this site by: {', '.join(names)}")
        return done

    # ── the acts: each says whether there was something to act on ──────────────────────────────────────────────

    def edit(self) -> bool:
        rng = self.rng
        issue = self._issue()
        if issue is None:
            return False
        what = rng.choice(("summary", "status", "assignee", "priority", "description", "several"))
        if what == "summary":
            self.mutations.edit_issue(issue, summary=rng.choice(adf.SENTENCES))
        elif what == "status":
            self.mutations.edit_issue(issue, status=rng.choice(tuple(catalogue.STATUSES)))
        elif what == "assignee":
            self.mutations.edit_issue(issue, assignee=rng.choice((None, *self._people)))
        elif what == "priority":
            self.mutations.edit_issue(issue, priority=rng.choice(tuple(catalogue.PRIORITIES)))
        elif what == "description":
            self.mutations.edit_issue(issue, description=rng.choice((None, self._text())))
        else:
            self.mutations.edit_issue(issue, summary=self._text(), status=rng.choice(tuple(catalogue.STATUSES)))
        return True

    def plan(self) -> bool:
        open_sprints = [sprint.id for sprint in self._sprints("active", "future")]
        issue = self._issue()
        if issue is None:
            return False
        self.mutations.edit_issue(issue, sprint=self.rng.choice((None, *open_sprints)))
        return True

    def create(self) -> bool:
        project = self.rng.choice([*self.dataset.directory.projects])
        issue = self.mutations.create_issue(project, self._text(), description=self._text(), reporter=self._person())
        self._issues.append(str(issue.id))
        return True

    def move(self) -> bool:
        project = self.rng.choice([*self.dataset.directory.projects])
        issue = self._issue()
        if issue is None:
            return False
        self.mutations.move_issue(issue, project=project)
        return True

    def add_comment(self) -> bool:
        issue = self._issue()
        if issue is None:
            return False
        self.mutations.add_comment(issue, self._text(), author=self._person())
        return True

    def edit_comment(self) -> bool:
        record = self.some(lambda record: bool(record.comments))
        if record is None:
            return False
        self.mutations.edit_comment(str(record.issue.id), str(self.rng.choice(record.comments).id), self._text())
        return True

    def delete_comment(self) -> bool:
        record = self.some(lambda record: bool(record.comments))
        if record is None:
            return False
        self.mutations.delete_comment(str(record.issue.id), str(self.rng.choice(record.comments).id))
        return True

    def add_worklog(self) -> bool:
        seconds = 60 * self.rng.randint(1, 480)
        issue = self._issue()
        if issue is None:
            return False
        self.mutations.add_worklog(issue, seconds, author=self._person(), text=self._text())
        return True

    def edit_worklog(self) -> bool:
        record = self.some(lambda record: bool(record.worklogs))
        if record is None:
            return False
        worklog = str(self.rng.choice(record.worklogs).id)
        self.mutations.edit_worklog(str(record.issue.id), worklog, seconds=60 * self.rng.randint(1, 480))
        return True

    def delete_worklog(self) -> bool:
        record = self.some(lambda record: bool(record.worklogs))
        if record is None:
            return False
        self.mutations.delete_worklog(str(record.issue.id), str(self.rng.choice(record.worklogs).id))
        return True

    def create_sprint(self) -> bool:
        boards = [board.id for board in self.dataset.directory.boards.values() if board.type == "scrum"]
        if not boards:
            return False
        self.mutations.create_sprint(self.rng.choice(boards), f"Sprint {self.rng.randint(100, 999)}")
        return True

    def turn_sprint(self) -> bool:
        """Start a planned sprint or close an active one."""
        sprints = self._sprints("active", "future")
        if not sprints:
            return False
        sprint = self.rng.choice(sprints)
        turn = self.mutations.close_sprint if sprint.state == "active" else self.mutations.start_sprint
        turn(sprint.id)
        return True

    def rename_sprint(self) -> bool:
        sprints = self._sprints("active", "future", "closed")
        if not sprints:
            return False
        self.mutations.rename_sprint(self.rng.choice(sprints).id, f"Renamed {self.rng.randint(100, 999)}")
        return True

    def rename_user(self) -> bool:
        # Nobody renames the record that stands for all corrupted ones.
        people = [account for account in self._people if account != UNKNOWN_ACCOUNT]
        self.mutations.rename_user(self.rng.choice(people), f"Renamed {self.rng.randint(100, 999)}")
        return True

    def deactivate_user(self) -> bool:
        users = self.dataset.directory.users.values()
        active = [
            user.account_id for user in users if user.active and user.account_id != self.dataset.directory.account
        ]
        if not active:
            return False
        self.mutations.deactivate_user(self.rng.choice(active))
        return True

    # ── what to act on ─────────────────────────────────────────────────────────────────────────────────────────

    def _text(self) -> str:
        # The number makes every text new: an edit to the same text would be no change.
        return f"{self.rng.choice(adf.SENTENCES)} ({self.rng.getrandbits(32):08x})"

    def _person(self) -> str:
        return self.rng.choice(self._people)

    def _sprints(self, *states: str) -> list[Sprint]:
        """Sprints of the site's own boards."""
        boards = self.dataset.directory.boards
        sprints = self.dataset.directory.sprints.values()
        return [sprint for sprint in sprints if sprint.state in states and sprint.board_id in boards]

    def _issue(self) -> str | None:
        """The id of any issue that is there."""
        record = self.some()
        return None if record is None else str(record.issue.id)

    def some(self, fits: Callable[[IssueRecord], bool] = lambda _: True) -> IssueRecord | None:
        """An issue that fits, or None where none was met."""
        for _ in range(20):
            record = self.dataset.issues.get(int(self.rng.choice(self._issues))) if self._issues else None
            if record is not None and fits(record):
                return record
        return None


ACTS: dict[str, tuple[int, Act]] = {
    "edit": (35, RandomActs.edit),
    "plan": (6, RandomActs.plan),
    "create": (6, RandomActs.create),
    "move": (1, RandomActs.move),
    "add_comment": (20, RandomActs.add_comment),
    "edit_comment": (8, RandomActs.edit_comment),
    "delete_comment": (3, RandomActs.delete_comment),
    "add_worklog": (10, RandomActs.add_worklog),
    "edit_worklog": (4, RandomActs.edit_worklog),
    "delete_worklog": (2, RandomActs.delete_worklog),
    "create_sprint": (1, RandomActs.create_sprint),
    "turn_sprint": (1, RandomActs.turn_sprint),
    "rename_sprint": (1, RandomActs.rename_sprint),
    "rename_user": (1, RandomActs.rename_user),
    "deactivate_user": (1, RandomActs.deactivate_user),
}
"""Kind of random change: how often among the others, and the act."""
