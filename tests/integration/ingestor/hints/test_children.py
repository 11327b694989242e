"""Comments and worklogs that come and go at random, told of, not told of, and lied about: what Jira shows is stored.

`HINT_SEEDS=30` tries so many courses; `make test` two.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from libs.events import Append, EventStore, JiraCommentGone, WorklogGone
from libs.events.hints import Hint
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site import sight
from libs.jira_simulator.site.random_acts import RandomActs
from services.ingestor.event_log import EventLog
from services.ingestor.hints.fetching import budget_checkpoint
from tests.acceptance.odd.runs import SITE
from tests.acceptance.seeds import seeds_of
from tests.integration.ingestor.hints.test_fetching import World, synced

ACTS = ("lose_comment", "restore_comment", "lose_worklog", "restore_worklog", "add_comment", "add_worklog", "edit")
ODD = ("comment", "worklog", "comments", "worklogs", "inline comments", "inline worklogs")

Children = dict[str, tuple[set[str], set[str]]]


def shown(jira: Simulator) -> Children:
    circles = jira.dataset.directory.circles
    return {
        str(number): (
            {str(one.id) for one in sight.shown(record.comments, circles)},
            {str(one.id) for one in sight.shown(record.worklogs, circles)},
        )
        for number, record in jira.dataset.issues.items()
    }


def stored(store: EventStore, issues: Sequence[str]) -> Children:
    held = store.inventory_of(SITE, issues)
    return {one: (set(held[one].comments), set(held[one].worklogs)) for one in held}


def hints_of(changes: Sequence[Mapping[str, Any]], now: Children, chance: random.Random) -> list[Hint]:
    """One of each change; a third of the deletions is not told, and some hints tell of deletions that never were."""
    hints: list[Hint] = []
    for change in changes:
        issue = str(change.get("issueId", change["id"]))
        gone = (str(change["id"]),) if change["after"] is None and chance.random() < 0.67 else ()
        comments = gone if change["kind"] == "comment" else ()
        worklogs = gone if change["kind"] == "worklog" else ()
        if chance.random() < 0.2:
            comments, worklogs = (*comments, *now[issue][0]), (*worklogs, *now[issue][1])
        at = datetime.now(UTC)
        hints.append(Hint(issue=issue, project="DEMO", at=at, gone_comments=comments, gone_worklogs=worklogs))
    chance.shuffle(hints)
    return hints


def changes_since(jira: Simulator, head: int) -> list[dict[str, Any]]:
    found = [msgspec.json.decode(msgspec.json.encode(entry)) for entry in jira.dataset.log.after(head)]
    return [entry for entry in found if entry["kind"] in ("issue", "comment", "worklog")]


async def taken_up(world: World) -> None:
    """Round by round, without waiting for the time that passes between them."""
    now = datetime.now(UTC)
    await world.log.append(Append(forget=[budget_checkpoint(SITE)]))
    for _ in range(50):
        done = await world.take_up(now)
        now += timedelta(seconds=done.wait_seconds + 0.01)
        if not done.left:
            assert not world.waiting()
            return
    raise AssertionError("hints that bring no end")


@pytest.mark.parametrize("seed", seeds_of("HINT_SEEDS", 2))
async def test_what_is_stored_is_what_the_site_shows(seed: int, store: EventStore, log: EventLog) -> None:
    chance = random.Random(seed)
    async with synced(store, log, inline=chance.choice((3, 20))) as world:
        acts = RandomActs(world.jira.dataset, world.jira.mutations, seed)
        ids = list(shown(world.jira))
        for _ in range(5):
            odd = chance.random() < 0.4
            head, before = world.jira.dataset.log.head, store.head()
            acts.run(chance.randrange(1, 40), ACTS)
            world.jira.conditions.odd = Odd(chance.randrange(1000), 0.3, ODD) if odd else None
            now = shown(world.jira)
            await world.say(*hints_of(changes_since(world.jira, head), now, chance))
            await taken_up(world)
            comments, worklogs = (set[str]().union(*(one[place] for one in now.values())) for place in (0, 1))
            told = [recorded.event for recorded in store.read(before, 100_000)]
            assert not comments & {event.comment_id for event in told if isinstance(event, JiraCommentGone)}
            assert not worklogs & {event.worklog_id for event in told if isinstance(event, WorklogGone)}
            if odd:
                # What could not be read then is hinted at once more.
                world.jira.conditions.odd = None
                await world.hint(*ids)
                await taken_up(world)
            assert stored(store, ids) == now
