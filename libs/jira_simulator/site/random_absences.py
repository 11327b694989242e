"""Random changes by which things vanish and come back. They are made on demand alone.

What is deleted, hidden or moved away may be met by the next act again: hidden and then deleted, restored with another
key, moved to and fro.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from libs.jira_simulator.site.acts.acting import Child, children_of
from libs.jira_simulator.site.entities import Comment, Worklog
from libs.jira_simulator.site.mutations import MutationError

if TYPE_CHECKING:
    from libs.jira_simulator.site.random_acts import RandomActs

HIDING = "Management"
"""A circle that the account is not in."""


def _delete_issue(acts: RandomActs) -> bool:
    record = acts.some()
    if record is not None:
        acts.mutations.delete_issue(str(record.issue.id))
        acts.deleted.append(str(record.issue.id))
    return record is not None


def _restore_issue(acts: RandomActs) -> bool:
    """Half of them with another key, a quarter in another project."""
    rng = acts.rng
    if not acts.deleted:
        return False
    issue = acts.deleted.pop(rng.randrange(len(acts.deleted)))
    elsewhere = rng.choice([*acts.dataset.directory.projects]) if rng.random() < 0.25 else None
    rekeyed, touched = rng.random() < 0.5, rng.random() < 0.5
    return _possible(lambda: acts.mutations.restore_issue(issue, project=elsewhere, rekeyed=rekeyed, touched=touched))


def _hide_issue(acts: RandomActs) -> bool:
    record = acts.some(lambda one: one.issue.security is None)
    if record is not None:
        acts.mutations.secure_issue(str(record.issue.id), HIDING, touched=acts.rng.random() < 0.5)
    return record is not None


def _show_issue(acts: RandomActs) -> bool:
    hidden = [record for record in acts.dataset.issues.values() if record.issue.security is not None]
    if hidden:
        record = acts.rng.choice(hidden)
        acts.mutations.secure_issue(str(record.issue.id), None, touched=acts.rng.random() < 0.5)
    return bool(hidden)


def _lose(acts: RandomActs, kind: type[Child]) -> bool:
    """Delete a comment or a worklog."""
    record = acts.some(lambda one: bool(children_of(one, kind)))
    if record is not None:
        issue, child = str(record.issue.id), str(acts.rng.choice(children_of(record, kind)).id)
        delete = getattr(acts.mutations, f"delete_{kind.__name__.lower()}")
        delete(issue, child, touched=acts.rng.random() < 0.5)
        acts.lost[kind].append((issue, child))
    return record is not None


def _restore(acts: RandomActs, kind: type[Child]) -> bool:
    """Bring one of the deleted comments or worklogs back."""
    lost = acts.lost[kind]
    if not lost:
        return False
    issue, child = lost.pop(acts.rng.randrange(len(lost)))
    restore = getattr(acts.mutations, f"restore_{kind.__name__.lower()}")
    touched = acts.rng.random() < 0.5
    return _possible(lambda: restore(issue, child, touched=touched))


def _restrict_comment(acts: RandomActs) -> bool:
    """Show a comment to a role alone, or to everybody again."""
    record = acts.some(lambda one: bool(one.comments))
    if record is not None:
        comment = acts.rng.choice(record.comments)
        role = HIDING if comment.role is None else None
        acts.mutations.restrict_comment(str(record.issue.id), str(comment.id), role, touched=acts.rng.random() < 0.5)
    return record is not None


def _possible(act: Callable[[], object]) -> bool:
    """Whether it could be done: its issue may be gone by now."""
    try:
        act()
    except MutationError:
        return False
    return True


VANISHING: dict[str, tuple[int, Callable[[RandomActs], bool]]] = {
    "delete_issue": (6, _delete_issue),
    "restore_issue": (3, _restore_issue),
    "hide_issue": (4, _hide_issue),
    "show_issue": (3, _show_issue),
    "lose_comment": (4, partial(_lose, kind=Comment)),
    "restore_comment": (2, partial(_restore, kind=Comment)),
    "lose_worklog": (4, partial(_lose, kind=Worklog)),
    "restore_worklog": (2, partial(_restore, kind=Worklog)),
    "restrict_comment": (2, _restrict_comment),
}
"""As of `random_acts.ACTS`. Half of them leave their issue's ``updated`` as it is."""
