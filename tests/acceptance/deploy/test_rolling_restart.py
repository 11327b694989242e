"""Two of every service, all at work: each is replaced, then a node dies with one of each, and nobody outside notices.

The processes are started as the manifests start them. GraphQL is reached by a Service, whose endpoints hear of a pod's
end later than the pod itself.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from sqlalchemy import Engine, select
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from libs.access import Role, TokenStore
from libs.events import (
    AlertRaised,
    AlertResolved,
    EventStore,
    Recorded,
    SyncCancelled,
    SyncFailed,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
    open_store,
)
from libs.events.nats.connection import connected
from libs.events.nats.relay import STREAM
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.read_tables import PROJECTION, projection, sync_log
from libs.runtime import engine, event_database, read_database
from libs.temporal import names
from tests.acceptance.deploy.balancer import Balancer, balancer
from tests.acceptance.deploy.busy import CODE, STEADY, TROUBLED, Busy, beside, mails_about
from tests.acceptance.deploy.pods import OVERLAY, Pods, laid_out
from tests.acceptance.sync.oracle import differences, expected, stored
from tests.deploy.manifests import SERVICES, container_of, named, of_kind, pod_of
from tests.doubles.mail_server import MailServer, mail_server
from tests.eventually import until
from tests.servers.addresses import PostgresServer, TemporalServer

SITE, NAMESPACE = "demo", "rolling"
PATIENCE = 180.0
PROBE_SECONDS = 0.2
"""Between two probes; the manifests' are rarer, which changes nothing but how long this takes."""
LATE_SECONDS = 2.0
"""For so long the endpoints still send people to a pod that was told to stop."""
AT_ONCE = 200


class Cluster:
    """Two pods of each service, and what they work on."""

    def __init__(self, pods: Pods, web: Balancer, jira: Simulator, mail: MailServer, temporal: Client) -> None:
        self.pods, self.web, self.jira, self.mail, self.temporal = pods, web, jira, mail, temporal
        self.deployments = {name: named(OVERLAY, "Deployment", name) for name in SERVICES}
        self.exits: list[tuple[str, int | None]] = []
        self.cut = 0
        """Connections of GraphQL that were open to a pod when it died."""
        self._leaving: set[str] = set()

    async def probe(self) -> None:
        """Tell the endpoints of GraphQL which pods are ready, for ever."""
        threshold = container_of(self.deployments["graphql"])["readinessProbe"]["failureThreshold"]
        failures = Counter[str]()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(4)) as http:
            while True:
                for pod in replicas("graphql"):
                    failures[pod] = 0 if await self._is_ready(http, pod) else failures[pod] + 1
                    if pod not in self._leaving and failures[pod] in (0, threshold):
                        await self.web.notice(pod, ready=failures[pod] == 0)
                await asyncio.sleep(PROBE_SECONDS)

    async def _is_ready(self, http: aiohttp.ClientSession, pod: str) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self.pods.ports[pod]}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    async def start(self, service: str, pod: str) -> None:
        """Start a pod, and wait until it is ready."""
        workload = self.deployments[service]
        self.pods.start(workload, pod)
        await asyncio.to_thread(self.pods.until_probed, workload, "readinessProbe", pod)
        self._leaving.discard(pod)

    async def roll(self, service: str) -> None:
        """Replace one pod after the other, the next when the new one is ready."""
        for pod in replicas(service):
            await self.stop(service, pod)
            await self.start(service, pod)
            if service == "graphql":
                await self.web.until_ready(pod)

    async def stop(self, service: str, pod: str) -> None:
        """End a pod as Kubernetes does: it is told to stop while its Service still sends it some."""
        grace = pod_of(self.deployments[service])["terminationGracePeriodSeconds"]
        self._leaving.add(pod)
        self.pods.signal(pod, signal.SIGTERM)
        if service == "graphql":
            await asyncio.sleep(LATE_SECONDS)
            await self.web.notice(pod, ready=False)
        self.exits.append((pod, await asyncio.to_thread(self.pods.ended, pod, grace)))

    async def node_dies(self) -> None:
        """One pod of each is gone, all at once and for good."""
        dead = {service: replicas(service)[0] for service in SERVICES}
        self.cut = len(self.web.open[dead["graphql"]])
        for pod in dead.values():
            self.pods.signal(pod, signal.SIGKILL)
        for pod in dead.values():
            assert await asyncio.to_thread(self.pods.ended, pod, PATIENCE) == -signal.SIGKILL


def replicas(service: str) -> tuple[str, str]:
    return f"{service}-0", f"{service}-1"


@pytest.fixture
async def cluster(tmp_path: Path, postgres: PostgresServer, temporal: TemporalServer) -> AsyncIterator[Cluster]:
    """A cluster in which every project has synced once."""
    data = Dataset.generate(projects=(*STEADY, *TROUBLED), issues=160)
    async with AsyncExitStack() as opened:
        mail = opened.enter_context(mail_server())
        jira = await opened.enter_async_context(serve(data))
        channels = {"jdi-channels": {"smtp-url": mail.url}}
        pods = opened.enter_context(laid_out(tmp_path, postgres, temporal, NAMESPACE, channels))
        pods.hosts["http://simulator:8095"] = jira.base_url
        pods.given = {
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "JIRA_PROJECTS": ",".join((*STEADY, *TROUBLED)),
            "SYNC_DEFAULT_CRON": "0 0 1 1 *",  # so that what happens here is what was asked for
            "NOTIFY_EMAIL_TO": "ops@example.com",
            "NOTIFY_ALLOW_INSECURE": "1",
            "NOTIFY_CRITICAL_WAIT_SECONDS": "0",
            "NOTIFY_GROUP_INTERVAL_SECONDS": "0",
        }
        web = await opened.enter_async_context(balancer({pod: pods.ports[pod] for pod in replicas("graphql")}))
        client = await Client.connect(temporal.address, namespace=NAMESPACE)
        found = Cluster(pods, web, jira, mail, client)
        await asyncio.to_thread(pods.run, of_kind(OVERLAY, "Job")[0])
        await asyncio.gather(*(found.start(service, pod) for service in SERVICES for pod in replicas(service)))
        async with beside(found.probe()):
            yield found


class Log:
    """The event log as it grows."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.read: list[Recorded] = []

    async def until(self, so: Callable[[], bool]) -> None:
        await until(self._read_on, lambda _: so(), seconds=PATIENCE)

    async def _read_on(self) -> int:
        while batch := await asyncio.to_thread(self.store.read, self.read[-1].position if self.read else 0, 1000):
            self.read += batch
        return len(self.read)

    def of(self, *kinds: type) -> list[Any]:
        return [recorded.event for recorded in self.read if isinstance(recorded.event, kinds)]

    def synced(self) -> set[str]:
        return {event.project for event in self.of(SyncSucceeded)}

    def served(self) -> set[str]:
        """Ids of the requests that were carried out. One whose run fails is taken up by the next."""
        ended = {event.run_id for event in self.of(SyncSucceeded)}
        return {one for event in self.of(SyncStarted) if event.run_id in ended for one in event.request_ids}


@pytest.mark.timeout(600)
async def test_nobody_notices_that_every_service_is_replaced_and_that_a_node_dies(cluster: Cluster) -> None:
    pods = cluster.pods
    log = Log(open_store(event_database(pods.database)))
    tables = engine(read_database(pods.database))
    token = TokenStore(tables).create("test", Role.OPERATOR, None, by="test")[1]
    busy = Busy(cluster.web.url, token, cluster.jira, cluster.mail)
    await log.until(lambda: log.synced() == {*STEADY, *TROUBLED})
    for pod in replicas("graphql"):
        await cluster.web.until_ready(pod)

    async with beside(*map(busy.watch, STEADY)):
        async with beside(*map(busy.read, range(4)), *map(busy.trigger, STEADY), busy.change()):
            async with beside(busy.trouble([*TROUBLED[:3]] * 2)) as (trouble,), asyncio.timeout(PATIENCE):
                await asyncio.gather(*(cluster.roll(service) for service in SERVICES))
                assert busy.broken == 0
                await cluster.node_dies()
                busy.enough.set()
                await trouble
            busy.enough.clear()
            async with asyncio.timeout(PATIENCE):
                await busy.trouble(TROUBLED[3:])
        await settled(busy, log)
        await watched(busy, tables, log)

    assert busy.failed == []
    assert busy.broken <= cluster.cut + cluster.web.refused
    assert_sound(log, busy)
    wanted = expected(changes_of(cluster.jira), SPRINT_FIELD)
    assert differences(wanted, stored(tables, SITE, wanted)) == []
    assert_told_once(log, cluster.mail, busy)
    assert await published(pods, len(log.read)) == [str(recorded.position) for recorded in log.read]
    await assert_workflows_ended(cluster.temporal, log)

    await asyncio.gather(*(cluster.stop(service, replicas(service)[1]) for service in SERVICES))
    assert [(pod, code) for pod, code in cluster.exits if code != 0] == []
    assert len(cluster.exits) == 3 * len(SERVICES)
    tables.dispose()
    log.store.close()


async def settled(busy: Busy, log: Log) -> None:
    """Whatever was asked for has been done, and two syncs more: the second looks up what the first had no turn for."""
    async with busy.client() as http:
        for _ in range(2):
            wanted = set(await asyncio.gather(*(busy.sync(http, project) for project in (*STEADY, *TROUBLED))))
            await log.until(lambda wanted=wanted: wanted <= log.served())  # type: ignore[misc]
    await log.until(lambda: set(busy.requested) <= log.served())


async def watched(busy: Busy, tables: Engine, log: Log) -> None:
    """The read tables have come as far as the log, and every watcher has been given every entry once, in order."""
    end = log.read[-1].position
    await until(lambda: asyncio.to_thread(position, tables), lambda found: found >= end)
    for project in STEADY:
        entries, seen = await asyncio.to_thread(entries_of, tables, project), busy.seen[project]
        await until_so_far(seen, entries[-1])
        assert seen[: len(entries)] == entries
    assert busy.closed.count(aiohttp.WSCloseCode.GOING_AWAY) >= len(STEADY)


async def until_so_far(seen: list[int], last: int) -> None:
    await until(lambda: seen[-1], lambda found: found >= last)


def position(tables: Engine) -> int:
    with tables.connect() as connection:
        query = select(projection.c.position).where(projection.c.name == PROJECTION)
        return int(connection.execute(query).scalar_one())


def entries_of(tables: Engine, project: str) -> list[int]:
    with tables.connect() as connection:
        query = select(sync_log.c.position).where(sync_log.c.project_key == project).order_by(sync_log.c.position)
        return list(connection.execute(query).scalars())


def changes_of(jira: Simulator) -> list[Any]:
    return [msgspec.json.decode(msgspec.json.encode(entry)) for entry in jira.dataset.log.after(0)]


def assert_sound(log: Log, busy: Busy) -> None:
    """No event is missing, double or out of order; every promise was kept, and every run ended once."""
    positions = [recorded.position for recorded in log.read]
    assert positions == sorted(set(positions))
    versions = defaultdict[Any, list[int]](list)
    for recorded in log.read:
        versions[recorded.event.stream_id].append(recorded.event.stream_version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())

    assert set(busy.requested) <= {event.request_id for event in log.of(SyncRequested)}
    well = {event.run_id for event in log.of(SyncSucceeded)}
    served = Counter(one for event in log.of(SyncStarted) if event.run_id in well for one in event.request_ids)
    assert {served[one] for one in busy.requested} == {1}
    begun = [event.run_id for event in log.of(SyncStarted)]
    ended = [event.run_id for event in log.of(SyncSucceeded, SyncFailed, SyncCancelled)]
    assert len(set(begun)) == len(begun)
    assert len(set(ended)) == len(ended)
    assert {(event.code, event.project in TROUBLED) for event in log.of(SyncFailed)} == {(CODE, True)}


def assert_told_once(log: Log, mail: MailServer, busy: Busy) -> None:
    """One mail for each alert and one for its end; the node that died may have cost a repetition, under the same id."""
    assert {event.code for event in log.of(AlertRaised)} == {CODE}
    for kind, over in ((AlertRaised, False), (AlertResolved, True)):
        for project in TROUBLED:
            told = {each.message_id for each in mails_about(mail.mails, project, over=over)}
            assert len(told) == sum(event.project == project for event in log.of(kind)), project
    ids = [each.message_id for each in mail.mails]
    assert len(set(ids)) == 2 * busy.episodes.total()
    assert len(ids) - len(set(ids)) <= 1


async def published(pods: Pods, count: int) -> list[str]:
    """Positions of the first messages of the stream, as soon as there are so many."""

    async def on_error(error: Exception) -> None:
        raise error

    client = await connected(pods.nats.url("doctor"), on_error)
    try:
        jetstream = client.jetstream(timeout=30)
        await until(lambda: jetstream.stream_info(STREAM), lambda info: info.state.last_seq >= count)
        found: list[str] = []
        for start in range(1, count + 1, AT_ONCE):
            stop = min(start + AT_ONCE, count + 1)
            batch = await asyncio.gather(*(jetstream.get_msg(STREAM, seq=number) for number in range(start, stop)))
            found += [str((message.headers or {})["ce-id"]) for message in batch]
        return found
    finally:
        await client.close()


async def assert_workflows_ended(temporal: Client, log: Log) -> None:
    """All well, but for the runs that Jira refused. Censuses end, too, but some after the log was read."""
    refused = {event.run_id for event in log.of(SyncFailed)}

    async def runs() -> list[WorkflowExecution]:
        return [run async for run in temporal.list_workflows()]

    ended = await until(runs, lambda found: all(run.status is not WorkflowExecutionStatus.RUNNING for run in found))
    ours = [run for run in ended if run.workflow_type != names.CENSUS_WORKFLOW]
    unwell = [run for run in ours if run.status is not WorkflowExecutionStatus.COMPLETED]
    assert {(run.run_id, run.status) for run in unwell} == {(one, WorkflowExecutionStatus.FAILED) for one in refused}
