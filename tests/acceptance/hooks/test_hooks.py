"""Hooks on a bad road: what comes of them is what Jira says, and costs little.

`HOOKS=10000` sends so many, `HOOKS_HOT=20` on a site with so many issues of very long lists; `make test` a few hundred,
and no such issue. With `-rP` it says what they cost.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, web

from libs.events import migrate, open_store
from libs.events.hints import hint_prefix
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.random_acts import RandomActs
from libs.runtime import Secret
from libs.temporal.commands import take_up_hints
from services.graphql.hooks.keeping import Keeper
from services.graphql.hooks.receiving import hooks_may_be_larger, receiver_of
from services.graphql.hooks.settings import HookSettings
from services.ingestor.hints.budget import AT_ONCE, ISSUES_EACH
from tests.acceptance.hooks.jira_hooks import Hook, hooks_of, on_a_bad_road
from tests.acceptance.sync.oracle import differences, expected, stored
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.acceptance.sync.test_truth import succeeded
from tests.conftest import BOTH_DATABASES
from tests.eventually import until
from tests.servers.addresses import TemporalServer

HOOKS = int(os.environ.get("HOOKS", "400"))
PATH, SECRET = "a-path-that-nobody-guesses", "a-secret-that-nobody-guesses"
HOT = int(os.environ.get("HOOKS_HOT", "0"))
"""Issues with 250 comments and 60 worklogs, whose lists cost requests of their own."""
AT_A_TIME = 50
"""Hooks under way at once."""

OF_CHILDREN = frozenset({"comment_deleted", "worklog_deleted"})

ACTS = (
    "edit",
    "create",
    "add_comment",
    "edit_comment",
    "add_worklog",
    "edit_worklog",
    "delete_comment",
    "delete_worklog",
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("database", "lost"), [*((database, frozenset()) for database in BOTH_DATABASES), (BOTH_DATABASES[0], OF_CHILDREN)]
)
async def test_tables_are_jiras_whatever_happens_to_its_hooks(
    database: str,
    lost: Collection[str],
    temporal: TemporalServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """`lost`: events of which no hook comes at all, beside those that are lost by chance."""
    rng = random.Random(HOOKS)
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres").fresh_database()
    migrate(url)
    store = open_store(url)
    data = Dataset.generate(issues=max(100, HOOKS // 10), seed=7, users=8, hot_issues=HOT)
    async with serve(data) as jira, running(store, temporal.address, jira) as pipeline:
        await succeeded(pipeline.register())
        head = jira.dataset.log.head
        _work(jira, HOOKS, head)
        changes = [msgspec.json.decode(msgspec.json.encode(entry)) for entry in jira.dataset.log.after(head)]
        road = on_a_bad_road(hooks_of((one for one in changes if one["type"] not in lost), SECRET), rng)[:HOOKS]
        jira.requests.reset()
        began = time.monotonic()
        answers = await _sent(pipeline, url, road)
        await until(lambda: not store.checkpoints(hint_prefix(pipeline.site)), seconds=900)
        minutes = (time.monotonic() - began) / 60
        assert answers == Counter({(True, 401): sum(hook.forged for hook in road)}) + Counter(
            {(False, 200): sum(not hook.forged for hook in road)}
        )
        changed = {change["issueId"] if "issueId" in change else change["id"] for change in changes}
        asked = jira.requests.count
        sys.stdout.write(f"{len(road)} hooks of {len(changed)} issues: {asked} requests, {minutes * 60:.0f} s\n")
        assert asked <= len(changed) / ISSUES_EACH + AT_ONCE * (1 + minutes), (asked, len(changed), minutes)
        # What the lost ones told of, the schedule finds.
        await succeeded(pipeline.sync())
        await succeeded(pipeline.sync())
        await pipeline.project_all()
        wanted = expected(
            [msgspec.json.decode(msgspec.json.encode(entry)) for entry in jira.dataset.log.after(0)], SPRINT_FIELD
        )
        assert differences(wanted, stored(pipeline.tables, pipeline.site, wanted)) == []
    store.close()


def _work(jira: Simulator, hooks: int, head: int) -> None:
    """Changes, and a few deletions of issues, that make about as many hooks."""
    seed = 1
    while jira.dataset.log.head - head < hooks:
        RandomActs(jira.dataset, jira.mutations, seed).run(20, ACTS)
        seed += 1


async def _sent(pipeline: Pipeline, log_url: str, road: list[Hook]) -> Counter[tuple[bool, int]]:
    """Send them all, some at a time; the answers, by whether the hook was forged."""
    keeper = Keeper(pipeline.site, lambda: open_store(log_url), lambda site: take_up_hints(pipeline.client, site))
    settings = HookSettings(hook_path=Secret(PATH), hook_secret=Secret(SECRET), no_proxy="")
    app = web.Application(middlewares=[hooks_may_be_larger])
    app.add_routes(receiver_of(settings, keeper).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/{pipeline.site}/{PATH}"
    slots = asyncio.Semaphore(AT_A_TIME)

    async def send(http: ClientSession, hook: Hook) -> tuple[bool, int]:
        headers = {"X-Hub-Signature": hook.signature} if hook.signature else {}
        async with slots, http.post(address, data=hook.body, headers=headers) as response:
            return hook.forged, response.status

    async with ClientSession() as http:
        answers = Counter(await asyncio.gather(*(send(http, hook) for hook in road)))
    await runner.cleanup()
    await keeper.close()
    return answers
