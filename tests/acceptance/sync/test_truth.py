"""Whatever happens in Jira between and during syncs, the read tables end as the fold of Jira's own change log."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from libs.events import SyncSucceeded, migrate, open_store
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.random_acts import RandomActs
from tests.acceptance.sync.oracle import differences, expected, stored
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.eventually import until
from tests.servers.addresses import PostgresServer, TemporalServer

T = TypeVar("T")

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "3"))
"""On SQLite; half as many on PostgreSQL."""


SEEN_BY_SYNC = (
    "edit",
    "plan",
    "create",
    "add_comment",
    "edit_comment",
    "add_worklog",
    "edit_worklog",
    "create_sprint",
    "turn_sprint",
    "rename_sprint",
    "rename_user",
    "deactivate_user",
)
"""Changes that an incremental sync can see; what was deleted or moved away it cannot."""


class Loop:
    """An event loop in a thread, for a state machine that is not asynchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=180)


@pytest.fixture(scope="module")
def loop() -> Loop:
    return Loop()


class SyncMachine(RuleBasedStateMachine):
    """Random work in Jira, interleaved with syncs of every kind."""

    loop: Loop
    temporal: str
    fresh_database: Any

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self._open = AsyncExitStack()
        try:
            self.loop.run(self._begin(seed))
        except BaseException:
            # Workers that stay would take up the commands of the next example, on another log.
            self.loop.run(self._open.aclose())
            raise

    async def _begin(self, seed: int) -> None:
        url = self.fresh_database()
        migrate(url)
        data = Dataset.generate(issues=120, seed=seed, hot_issues=1, users=8)
        self.jira: Simulator = await self._open.enter_async_context(serve(data))
        self.store = open_store(url)
        self.pipeline: Pipeline = await self._open.enter_async_context(running(self.store, self.temporal, self.jira))
        await succeeded(self.pipeline.register())

    @rule(count=st.integers(1, 60), seed=st.integers(0, 2**16))
    def work_in_jira(self, count: int, seed: int) -> None:
        self.loop.run(self._work(count, seed))

    async def _work(self, count: int, seed: int) -> None:
        RandomActs(self.jira.dataset, self.jira.mutations, seed).run(count, SEEN_BY_SYNC)

    @rule()
    def sync(self) -> None:
        self.loop.run(succeeded(self.pipeline.sync()))

    @rule(seed=st.integers(0, 2**16))
    def sync_while_people_work(self, seed: int) -> None:
        self.loop.run(self._sync_while_people_work(seed))

    async def _sync_while_people_work(self, seed: int) -> None:
        running_sync = asyncio.ensure_future(succeeded(self.pipeline.sync(full=seed % 2 == 0)))
        while not running_sync.done():
            seed += 1
            await self._work(2, seed)
            await asyncio.sleep(0.01)
        await running_sync

    @rule()
    def sync_fully(self) -> None:
        self.loop.run(succeeded(self.pipeline.sync(full=True)))

    @rule()
    def search_lags(self) -> None:
        self.loop.run(self._set_lag(300))

    async def _set_lag(self, milliseconds: float) -> None:
        self.jira.dataset.index.set_lag(milliseconds)

    @rule()
    def project(self) -> None:
        self.loop.run(self.pipeline.project_all())

    def teardown(self) -> None:
        if hasattr(self, "pipeline"):
            self.loop.run(self._compare())

    async def _compare(self) -> None:
        try:
            self.jira.dataset.index.set_lag(0)
            await until(lambda: not self.jira.dataset.index.waiting)
            # The second run looks up what the first, which may have seen no change, had no turn for.
            await succeeded(self.pipeline.sync())
            await succeeded(self.pipeline.sync())
            await self.pipeline.project_all()
            changes = [msgspec.json.decode(msgspec.json.encode(entry)) for entry in self.jira.dataset.log.after(0)]
            wanted = expected(changes, SPRINT_FIELD)
            assert differences(wanted, stored(self.pipeline.tables, self.pipeline.site, wanted)) == []
            facts = [r for r in self.store.read(0, 100_000) if r.topic.startswith(("Jira", "Worklog", "Sprint"))]
            assert len({(r.event.stream_id, r.event.stream_version) for r in facts}) == len(facts)
        finally:
            await self._open.aclose()
            self.store.close()


async def succeeded(end: Awaitable[object]) -> SyncSucceeded:
    event = await end
    assert isinstance(event, SyncSucceeded), event
    return event


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("database", "examples"), [("sqlite", EXAMPLES), ("postgresql", -(-EXAMPLES // 2))])
def test_read_tables_equal_the_fold_of_jiras_change_log(
    database: str,
    examples: int,
    loop: Loop,
    temporal: TemporalServer,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> None:
    def fresh_database() -> str:
        if database == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('truth') / 'jdi.db'}"
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.fresh_database()

    class Machine(SyncMachine):
        pass

    Machine.loop, Machine.temporal, Machine.fresh_database = loop, temporal.address, staticmethod(fresh_database)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
