"""Which references are due. Pure: what was read when, and the clock, come from outside."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta

REFRESH_AFTER: Mapping[str, timedelta] = {
    "sprints": timedelta(minutes=5),
    "users": timedelta(minutes=30),
    "boards": timedelta(hours=6),
    "fields": timedelta(hours=6),
    "project": timedelta(hours=6),
}
"""The references, and the age at which each is due. Sprints change without touching an issue."""


NEVER = datetime.min.replace(tzinfo=UTC)

READ_BEFORE = frozenset({"project", "fields", "users"})
"""References that a full run has read before its first page, or meets in the pages."""


def due_refreshes(
    units: Sequence[str],
    refreshed: Mapping[str, datetime],
    now: datetime,
    *,
    full: bool,
    changed: bool,
    owed: Container[str] = (),
) -> tuple[str, ...]:
    """Which references a run refreshes, of units such as `fields`, `sprints/7` (of board 7) or `users/0` (one request).

    A full run refreshes those that its preparation has not read; a run that saw changes refreshes sprints, users and
    what is due; a run that saw none refreshes one at most, that which is most overdue, so that an idle project costs
    two requests a tick, sometimes one more, and still every reference has its turn. What is owed, or was never read,
    is refreshed by every run.
    """
    if full:
        return tuple(unit for unit in units if kind_of(unit) not in READ_BEFORE)
    ages = {unit: (now - _refreshed_at(refreshed, unit)) / REFRESH_AFTER[kind_of(unit)] for unit in units}
    if changed:
        return tuple(unit for unit in units if kind_of(unit) in ("sprints", "users") or ages[unit] >= 1 or unit in owed)
    oldest = max(units, key=lambda unit: ages[unit])
    overdue = (oldest,) if ages[oldest] >= 1 else ()
    return tuple(unit for unit in units if unit in overdue or unit in owed or _refreshed_at(refreshed, unit) == NEVER)


def kind_of(unit: str) -> str:
    """The reference that a unit is a part of."""
    return unit.partition("/")[0]


def _refreshed_at(refreshed: Mapping[str, datetime], unit: str) -> datetime:
    """When a unit was refreshed last, by itself or with all of its kind."""
    return max(refreshed.get(unit, NEVER), refreshed.get(kind_of(unit), NEVER))
