"""What one unit of work costs: bytes, CPU seconds, requests, memory; of the whole stack on PostgreSQL.

CPU seconds are those that the kernel counted for each process, so other work on the machine hardly moves them. Rates of
the log, the relay and the projector are wall clock: other work makes them too low, never too high.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, LiteralString

import httpx
import nats
import psycopg

from benchmarks.capacity.costs import Costs, EventCosts, ProcessCosts, QueryCosts
from benchmarks.log import append, relay, transactions
from benchmarks.reading import rebuild
from benchmarks.whole.processes import cpu_seconds, peak_mb, resident_mb
from benchmarks.whole.stack import ask, simulated_jira, stack, stack_at, states, until_synced_again, until_visible
from libs.temporal.connect import connect
from libs.temporal.names import schedule_id
from tests.servers.addresses import postgres_server

ISSUES: Final = 2000
IDLE_RUNS: Final = 40
CHANGE_RUNS: Final = 15
CHANGED: Final = 50
"""Issues that have changed in each of those runs."""
REST_SECONDS: Final = 20
LOOK_SECONDS: Final = 0.2
REQUESTS: Final = 300
AT_ONCE: Final = 4
PARTS: Final = ("temporal", "nats", "ingestor", "relay", "projector", "graphql", "telemetry", "notifier")

QUERIES: Final = {
    "a board: 50 issues with assignee and sprint": (
        '{ issues(projectId: "DEMO", first: 50) { nodes { key summary status assignee { displayName }'
        " sprint { name } } pageInfo { hasNextPage endCursor } } }"
    ),
    "50 issues with all their comments and worklogs": (
        '{ issues(projectId: "DEMO", first: 50) { nodes { key summary status assignee { displayName } sprint { name }'
        " comments { author { displayName } body } worklogs { author { displayName } timeSpent started } }"
        " pageInfo { hasNextPage endCursor } } }"
    ),
    "freshness of a project": '{ syncStates(projectId: "DEMO") { entity status rows lastSyncTime } }',
}

Spent = dict[str, float]
"""CPU seconds by process."""


def measure() -> Costs:
    """Everything, in about five minutes on two cores."""
    benchmarks = (append, transactions, relay, rebuild)
    rates = {row.what: row.value for benchmark in benchmarks for row in benchmark.run()}
    with (
        tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as folder,
        postgres_server(Path(folder) / "pg") as server,
        simulated_jira(ISSUES, latency_ms=5) as jira,
    ):
        database = server.fresh_database()
        postmaster = int((Path(folder) / "pg" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        with stack(jira, DATABASE_URL=database, JIRA_PROJECTS="") as (url, _):
            return _Bench(url, jira, database, postmaster, rates).costs()


class _Bench:
    """A running stack, and what has been spent in it."""

    def __init__(self, url: str, jira: str, database: str, postmaster: int, rates: Mapping[str, float]) -> None:
        self._rates = rates
        while not stack_at(url).pids.keys() >= set(PARTS):
            time.sleep(0.1)
        self._stack = stack_at(url)
        self._url, self._jira, self._database = url, jira, database
        self._pids = {name: self._stack.pids[name] for name in PARTS} | {"postgres": postmaster}
        self._background: Spent = {}

    def costs(self) -> Costs:
        time.sleep(5)  # what starts is over
        self._background = self._at_rest()
        idle_mb = {name: resident_mb(pid) for name, pid in self._pids.items()}
        tables = self._read_bytes()
        first = self._spent(self._first_sync)
        events, stored = self._events(), self._log_bytes()
        read_bytes = self._read_bytes() - tables
        nats_bytes = asyncio.run(self._nats_bytes())

        before = self._counted()
        idle = self._spent(lambda: self._runs(IDLE_RUNS))
        requests, appended, outcomes, shown, _ = (now - then for now, then in zip(self._counted(), before, strict=True))

        before = self._counted()
        busy = self._spent(self._changed_runs)
        asked, changed, _, _, wal = (now - then for now, then in zip(self._counted(), before, strict=True))
        changes = CHANGE_RUNS * CHANGED
        idle_part = CHANGE_RUNS / IDLE_RUNS
        return Costs(
            machine=f"Python {platform.python_version()}, PostgreSQL {self._text('SHOW server_version')}, 2 cores",
            events=events,
            log_bytes_per_event=stored,
            outcome_bytes=self._number("SELECT pg_total_relation_size('once')::float / count(*) FROM once"),
            outcomes_per_run=outcomes / IDLE_RUNS,
            read_bytes_per_issue=read_bytes / ISSUES,
            read_bytes_per_run=shown / IDLE_RUNS,
            wal_bytes_per_event=wal / changed,
            nats_bytes_per_event=nats_bytes,
            temporal_bytes_per_run=asyncio.run(self._history_bytes()),
            run_requests=requests / IDLE_RUNS,
            changed_run_requests=asked / CHANGE_RUNS,
            run_events=appended / IDLE_RUNS,
            change_events=(changed - appended * idle_part) / changes,
            processes={
                name: ProcessCosts(
                    cpu_at_rest=self._background[name],
                    cpu_per_run=idle[name] / IDLE_RUNS,
                    cpu_per_changed_issue=max(0.0, busy[name] - idle[name] * idle_part) / changes,
                    cpu_per_1000_new_issues=first[name] / ISSUES * 1000,
                    idle_mb=idle_mb[name],
                    peak_mb=peak_mb(pid),
                )
                for name, pid in self._pids.items()
            },
            queries={name: self._query(text) for name, text in QUERIES.items()},
            ingestor_connections=self._ingestor_connections(),
            append_per_second=self._rates["PostgreSQL: idempotent append"],
            transactions_per_second=self._rates["PostgreSQL: appends of one event, one after another"],
            relay_per_second=self._rates["relay"],
            project_per_second=self._rates["rebuild, PostgreSQL"],
        )

    # ── work ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _first_sync(self) -> None:
        ask(self._url, 'mutation { registerProject(key: "DEMO", cron: "0 0 1 1 *") { userErrors { message } } }')
        until_visible(self._url, ISSUES)

    def _runs(self, count: int) -> None:
        asyncio.run(self._scheduled(count))

    async def _scheduled(self, count: int) -> None:
        """Runs as a schedule starts them: without a command before."""
        client = await connect(self._stack.temporal_address, self._stack.temporal_namespace)
        schedule = client.get_schedule_handle(schedule_id(self._stack.site, "DEMO"))
        for _ in range(count):
            before = states(self._url)["issue"]["lastSyncTime"]
            await schedule.trigger()
            await asyncio.to_thread(until_synced_again, self._url, before, LOOK_SECONDS)

    def _changed_runs(self) -> None:
        for number in range(CHANGE_RUNS):
            for issue in range(CHANGED):
                edit = {"issue": f"DEMO-{number * CHANGED + issue + 1}", "summary": f"Version {number}"}
                httpx.post(f"{self._jira}/simulator/edit-issue", json=edit).raise_for_status()
            self._runs(1)

    def _query(self, text: str) -> QueryCosts:
        def one(_: int) -> None:
            assert ask(self._url, text)

        with ThreadPoolExecutor(AT_ONCE) as asking:
            list(asking.map(one, range(20)))
            spent = self._spent(lambda: list(asking.map(one, range(REQUESTS))))
        return QueryCosts(cpu=spent["graphql"] / REQUESTS, database_cpu=spent["postgres"] / REQUESTS)

    # ── what it took ───────────────────────────────────────────────────────────────────────────────────────────

    def _at_rest(self) -> Spent:
        """CPU seconds a second of processes that have nothing to do."""
        before, began = self._cpu(), time.monotonic()
        time.sleep(REST_SECONDS)
        return {name: (now - before[name]) / (time.monotonic() - began) for name, now in self._cpu().items()}

    def _spent(self, work: Callable[[], object]) -> Spent:
        """What `work` costs beyond that."""
        before, began = self._cpu(), time.monotonic()
        work()
        time.sleep(1)  # relay, telemetry and notifier come after what is visible
        took = time.monotonic() - began
        return {name: max(0.0, now - before[name] - self._background[name] * took) for name, now in self._cpu().items()}

    def _cpu(self) -> Spent:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}

    def _counted(self) -> tuple[float, float, float, float, float]:
        """Requests to Jira, events, answers kept, bytes of what the console shows of runs, bytes of WAL."""
        return (
            float(httpx.get(f"{self._jira}/simulator/requests", timeout=60).json()["count"]),
            self._number("SELECT max(notification_id) FROM jdi_events"),
            self._number("SELECT count(*) FROM once"),
            self._number("SELECT pg_total_relation_size('sync_run') + pg_total_relation_size('sync_log')"),
            self._number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"),
        )

    def _events(self) -> dict[str, EventCosts]:
        with psycopg.connect(self._database) as connection:
            rows = connection.execute(
                "SELECT split_part(topic, '.', 1), avg(octet_length(state))::float, avg(pg_column_size(log.*))::float"
                " FROM jdi_events AS log GROUP BY 1 ORDER BY 1"
            ).fetchall()
        return {name: EventCosts(json_bytes=plain, stored_bytes=stored) for name, plain, stored in rows}

    def _log_bytes(self) -> float:
        return self._number(
            "SELECT (pg_total_relation_size('jdi_events') + pg_total_relation_size('heads')"
            " - sum(pg_column_size(log.*)))::float / count(*) FROM jdi_events AS log"
        )

    def _read_bytes(self) -> float:
        return self._number(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(array['issue', 'comment', 'worklog',"
            " 'issue_sprint', 'sprint', 'jira_user']) AS name"
        )

    async def _nats_bytes(self) -> float:
        """What a message takes beside the event's own bytes, once the relay has brought all of them."""
        client = await nats.connect(self._stack.nats_url)
        stream = client.jetstream()
        events = self._number("SELECT count(*) FROM jdi_events")
        while (state := (await stream.stream_info("JIRA")).state).messages < events:
            await asyncio.sleep(LOOK_SECONDS)
        await client.close()
        plain = self._number("SELECT sum(octet_length(state)) FROM jdi_events")
        return (state.bytes - plain) / state.messages

    async def _history_bytes(self) -> float:
        client = await connect(self._stack.temporal_address, self._stack.temporal_namespace)
        sizes = []
        async for run in client.list_workflows("WorkflowType = 'syncProjectWorkflow'"):
            described = await client.get_workflow_handle(run.id, run_id=run.run_id).describe()
            sizes.append(described.raw_description.workflow_execution_info.history_size_bytes)
        return sum(sizes) / len(sizes)

    def _ingestor_connections(self) -> float:
        """To the database: how many are gone when it is killed, before the stack has started another."""
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        before = self._number(count)
        os.kill(self._pids["ingestor"], signal.SIGKILL)
        time.sleep(0.3)
        return before - self._number(count)

    def _number(self, statement: LiteralString) -> float:
        return float(self._text(statement))

    def _text(self, statement: LiteralString) -> str:
        with psycopg.connect(self._database) as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return str(row[0])
