"""Whether what seems gone may go, or a person has to be asked first. Pure.

Every issue that a census removes has been missed twice: Jira does not list it, and does not show it by its id. That is
not enough where both may have one cause that is not the issue's own. So nothing at all is removed

- where Jira does not show the project as ours: hidden, archived, in the trash, closed by a data policy, or another
  project under its key;
- where Jira's list, with what it shows by id beyond it, is clearly shorter than Jira's own count;
- where the list is empty, and we show issues;
- where Jira went back in time, as after a backup was restored: issues that it shows are older than they were;
- where more would go than people delete by hand.

A person may let go what was held back, but for a list that came short: it says nothing about what is not on it.
"""

from __future__ import annotations

from typing import NamedTuple

from libs.temporal.census import Standing

SHARE = 0.05
"""Of the issues that are shown of a project, that may go at once without asking a person."""

LEAST = 20
"""So many issues may always go at once."""

LEAST_UNCOUNTED = 5
SHARE_UNCOUNTED = 0.01
"""Where Jira does not count, half a list cannot be told from a whole one, and the answer by id is the only other
ground. It is good enough for what people delete by hand, so these may go; not for more."""


class Grounds(NamedTuple):
    """What a census has found out."""

    project: str
    """Its key."""
    standing: Standing
    counted: int | None
    """As Jira counts; None where it does not."""
    found: int
    """Issues that Jira lists, or shows by id though it does not list them."""
    listed: int
    here: int
    """Issues that we show."""
    going: int
    """Of these, the ones that would go."""
    back: int
    """Issues that Jira shows older than they were."""
    kept: int
    """Of those that would go, the ones that have waited for a person since Jira went back in time."""
    share: float
    """Of the issues that we show, that may go at once."""
    accepted: int
    """Issues that may go because a person said so."""


class Brake(NamedTuple):
    why: str
    """For people."""
    back: bool = False
    """Jira went back in time."""


_OF_PROJECT = {
    Standing.HIDDEN: "Jira does not show the project: it was deleted, or our account has lost the permission Browse",
    Standing.ARCHIVED: "The project is archived",
    Standing.TRASHED: "The project is in the trash",
    Standing.POLICY: "A data policy of the site keeps programs out of the project",
    Standing.REPLACED: "Jira shows another project under this key",
}


def brake(grounds: Grounds) -> Brake | None:
    """Why nothing may go; None where it may, or where there is nothing to go and all was seen."""
    if came_short(grounds.counted, grounds.found):
        return Brake(
            f"Jira counts {grounds.counted:,} issues and shows {grounds.found:,}: its list is not whole. "
            "Nothing to do: the next census lists them again."
        )
    held = _held(grounds)
    if held is None or (grounds.going and grounds.going <= grounds.accepted):
        return None
    if grounds.accepted:
        more = f"it was accepted that {grounds.accepted:,} go, and now it would be {grounds.going:,}"
        return held._replace(why=f"{held.why} ({more}).")
    return held._replace(why=f"{held.why}. If that is right, accept it: jdi prove {grounds.project} --accept.")


def _held(grounds: Grounds) -> Brake | None:
    if grounds.standing in _OF_PROJECT and grounds.here:
        return Brake(_OF_PROJECT[grounds.standing])
    if not grounds.going:
        return None
    if grounds.back or grounds.kept:
        return Brake("Jira went back in time, as after a backup was restored, and lacks what was newer", back=True)
    if not grounds.listed:
        return Brake(f"Jira lists no issues, and {grounds.here:,} are shown here")
    limit = limit_of(grounds)
    if grounds.going > limit:
        return Brake(f"{grounds.going:,} of {grounds.here:,} issues seem gone, and {limit:,} may go at once")
    return None


def limit_of(grounds: Grounds) -> int:
    """Issues that may go at once without asking a person."""
    if grounds.counted is None:
        return max(LEAST_UNCOUNTED, int(grounds.here * min(SHARE_UNCOUNTED, grounds.share)))
    return max(LEAST, int(grounds.here * grounds.share))


def came_short(counted: int | None, found: int) -> bool:
    """Whether a list is clearly shorter than Jira's count, which may be a little out of date."""
    return counted is not None and counted - found > max(1, counted // 50)
