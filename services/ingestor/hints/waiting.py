"""Which hints are due, and which are nobody's any more. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from libs.events.hints import Hint, read_hint

TOO_OLD = timedelta(hours=1)
"""By then the schedule has seen the change. Longer waits come of a Jira that is away, or of hints without end."""


PILE = 1000
TOO_MANY_EACH = 4
"""Hints, and of one issue, from which on they are put together: while Jira is away, a flood would grow for an hour."""


class Waiting(NamedTuple):
    """Hints by the issue that they name, those that wait longest first."""

    issues: Mapping[str, Hint]
    """Issue → all that its hints say."""
    since: Mapping[str, datetime]
    """Issue → when we heard first of what its hints say."""
    checkpoints: Mapping[str, tuple[str, ...]]
    """Issue → the names under which its hints wait."""
    dropped: tuple[str, ...]
    """Names of checkpoints that are too old, or cannot be read."""

    @property
    def piled_up(self) -> bool:
        """Whether there are many of the same issues, so that they are better put together."""
        stored = sum(map(len, self.checkpoints.values()))
        return stored >= PILE and stored >= TOO_MANY_EACH * len(self.issues)

    def names(self, issues: Collection[str]) -> list[str]:
        """The checkpoints of these issues."""
        return [name for issue in issues for name in self.checkpoints.get(issue, ())]


def waiting(stored: Mapping[str, bytes], now: datetime) -> Waiting:
    """What is due of the stored hints.

    Args:
        stored: checkpoints of hints, by name.
        now: UTC.
    """
    hints = [(name, read_hint(content)) for name, content in stored.items()]
    due = [(name, hint) for name, hint in hints if hint is not None and now - hint.at <= TOO_OLD]
    due.sort(key=lambda one: one[1].at)
    issues: dict[str, Hint] = {}
    since: dict[str, datetime] = {}
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, hint in due:
        before = issues.get(hint.issue)
        issues[hint.issue] = hint if before is None else before | hint
        since.setdefault(hint.issue, hint.at)
        names[hint.issue].append(name)
    kept = {name for name, _ in due}
    return Waiting(
        issues,
        since,
        {issue: tuple(its) for issue, its in names.items()},
        tuple(name for name, _ in hints if name not in kept),
    )


def wanted(hinted: str, held: str, open_projects: Collection[str]) -> bool:
    """Whether an issue is asked for: where it may belong to a project that is read.

    Args:
        hinted: the project in which the hint shows it; empty where it does not say.
        held: the project in which it is stored; empty where it is not.
        open_projects: registered, not paused, and synced before.
    """
    return held in open_projects or hinted in open_projects or not (hinted or held)
