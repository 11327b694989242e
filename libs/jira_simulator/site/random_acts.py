"""Random changes: a busy site, repeatable by its seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

from libs.jira_simulator.site import adf, catalogue
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT, IssueRecord, Sprint
from libs.jira_simulator.site.mutations import MutationError, Mutations

Act = Callable[["RandomActs"], bool]


class RandomActs:
    """Random acts on a data set. Issues are never deleted: an incremental sync cannot see that."""

    def __init__(self, dataset: Dataset, mutations: Mutations, seed: int) -> None:
        self._dataset, self._mutations = dataset, mutations
        self._rng = random.Random(seed)
        self._issues = [str(id_) for id_ in dataset.issues]
        self._people = [*dataset.directory.users]

    def run(self, count: int, kinds: Collection[str] = ()) -> dict[str, int]:
        """Do ``count`` acts, of these kinds only when some are named, and say how many of each kind were done.

        Raises:
            MutationError: A kind is unknown, or none of the kinds is possible on this site.
        """
        if unknown := [kind for kind in kinds if kind not in ACTS]:
            raise MutationError(f"there is no kind {unknown[0]!r} of random change; there are: {', '.join(ACTS)}")
        names = [kind for kind in ACTS if not kinds or kind in kinds]
        weights = [ACTS[name][0] for name in names]
        done: dict[str, int] = {}
        misses = 0
        while sum(done.values()) < count:
            name = self._rng.choices(names, weights)[0]
            if ACTS[name][1](self):
                done[name], misses = done.get(name, 0) + 1, 0
            elif (misses := misses + 1) > 1000:
                raise MutationError(f"nothing to change on this site by: {', '.join(names)}")
        return done

    # ── the acts: each says whether there was something to act on ──────────────────────────────────────────────

    def edit(self) -> bool:
        rng = self._rng
        if not self._issues:
            return False
        issue = rng.choice(self._issues)
        what = rng.choice(("summary", "status", "assignee", "priority", "description", "several"))
        if what == "summary":
            self._mutations.edit_issue(issue, summary=rng.choice(adf.SENTENCES))
        elif what == "status":
            self._mutations.edit_issue(issue, status=rng.choice(tuple(catalogue.STATUSES)))
        elif what == "assignee":
            self._mutations.edit_issue(issue, assignee=rng.choice((None, *self._people)))
        elif what == "priority":
            self._mutations.edit_issue(issue, priority=rng.choice(tuple(catalogue.PRIORITIES)))
        elif what == "description":
            self._mutations.edit_issue(issue, description=rng.choice((None, self._text())))
        else:
            self._mutations.edit_issue(issue, summary=self._text(), status=rng.choice(tuple(catalogue.STATUSES)))
        return True

    def plan(self) -> bool:
        open_sprints = [sprint.id for sprint in self._sprints("active", "future")]
        if not self._issues:
            return False
        self._mutations.edit_issue(self._rng.choice(self._issues), sprint=self._rng.choice((None, *open_sprints)))
        return True

    def create(self) -> bool:
        project = self._rng.choice([*self._dataset.directory.projects])
        issue = self._mutations.create_issue(project, self._text(), description=self._text(), reporter=self._person())
        self._issues.append(str(issue.id))
        return True

    def move(self) -> bool:
        if not self._issues:
            return False
        project = self._rng.choice([*self._dataset.directory.projects])
        self._mutations.move_issue(self._rng.choice(self._issues), project=project)
        return True

    def add_comment(self) -> bool:
        if not self._issues:
            return False
        self._mutations.add_comment(self._rng.choice(self._issues), self._text(), author=self._person())
        return True

    def edit_comment(self) -> bool:
        record = self._some(lambda record: bool(record.comments))
        if record is None:
            return False
        self._mutations.edit_comment(str(record.issue.id), str(self._rng.choice(record.comments).id), self._text())
        return True

    def delete_comment(self) -> bool:
        record = self._some(lambda record: bool(record.comments))
        if record is None:
            return False
        self._mutations.delete_comment(str(record.issue.id), str(self._rng.choice(record.comments).id))
        return True

    def add_worklog(self) -> bool:
        if not self._issues:
            return False
        seconds = 60 * self._rng.randint(1, 480)
        self._mutations.add_worklog(self._rng.choice(self._issues), seconds, author=self._person(), text=self._text())
        return True

    def edit_worklog(self) -> bool:
        record = self._some(lambda record: bool(record.worklogs))
        if record is None:
            return False
        worklog = str(self._rng.choice(record.worklogs).id)
        self._mutations.edit_worklog(str(record.issue.id), worklog, seconds=60 * self._rng.randint(1, 480))
        return True

    def delete_worklog(self) -> bool:
        record = self._some(lambda record: bool(record.worklogs))
        if record is None:
            return False
        self._mutations.delete_worklog(str(record.issue.id), str(self._rng.choice(record.worklogs).id))
        return True

    def create_sprint(self) -> bool:
        boards = [board.id for board in self._dataset.directory.boards.values() if board.type == "scrum"]
        if not boards:
            return False
        self._mutations.create_sprint(self._rng.choice(boards), f"Sprint {self._rng.randint(100, 999)}")
        return True

    def turn_sprint(self) -> bool:
        """Start a planned sprint or close an active one."""
        sprints = self._sprints("active", "future")
        if not sprints:
            return False
        sprint = self._rng.choice(sprints)
        turn = self._mutations.close_sprint if sprint.state == "active" else self._mutations.start_sprint
        turn(sprint.id)
        return True

    def rename_sprint(self) -> bool:
        sprints = self._sprints("active", "future", "closed")
        if not sprints:
            return False
        self._mutations.rename_sprint(self._rng.choice(sprints).id, f"Renamed {self._rng.randint(100, 999)}")
        return True

    def rename_user(self) -> bool:
        # Nobody renames the record that stands for all corrupted ones.
        people = [account for account in self._people if account != UNKNOWN_ACCOUNT]
        self._mutations.rename_user(self._rng.choice(people), f"Renamed {self._rng.randint(100, 999)}")
        return True

    def deactivate_user(self) -> bool:
        users = self._dataset.directory.users.values()
        active = [
            user.account_id for user in users if user.active and user.account_id != self._dataset.directory.account
        ]
        if not active:
            return False
        self._mutations.deactivate_user(self._rng.choice(active))
        return True

    # ── what to act on ─────────────────────────────────────────────────────────────────────────────────────────

    def _text(self) -> str:
        # The number makes every text new: an edit to the same text would be no change.
        return f"{self._rng.choice(adf.SENTENCES)} ({self._rng.getrandbits(32):08x})"

    def _person(self) -> str:
        return self._rng.choice(self._people)

    def _sprints(self, *states: str) -> list[Sprint]:
        """Sprints of the site's own boards."""
        boards = self._dataset.directory.boards
        sprints = self._dataset.directory.sprints.values()
        return [sprint for sprint in sprints if sprint.state in states and sprint.board_id in boards]

    def _some(self, fits: Callable[[IssueRecord], bool]) -> IssueRecord | None:
        for _ in range(20):
            record = self._dataset.issues.get(int(self._rng.choice(self._issues))) if self._issues else None
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
