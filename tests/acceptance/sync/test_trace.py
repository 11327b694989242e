"""One trace shows the whole way of one changed issue: Jira, workflow, log, NATS, read tables, subscriber.

The real services as processes, with their real servers, and a collector that comes, takes what they send, and goes.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nats
from rich.console import Console

from libs.embedded.children.log_stream import LogStream
from libs.embedded.ports import choose
from libs.embedded.stack import Stack, StackPlan, running
from libs.events import EventStore, JiraIssueFetched, open_store
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.cli.migrations import migrate
from tests.doubles.otlp_collector import Collector, Seen, collecting
from tests.eventually import until
from tests.servers.addresses import free_port

ADMIN = "token-of-the-test"
PATIENCE = 90.0

WAY = {
    ("ingestor", "RunWorkflow:syncProjectWorkflow"),
    ("ingestor", "StartActivity:fetch_and_record_pages"),
    ("ingestor", "RunActivity:fetch_and_record_pages"),
    ("ingestor", "POST /rest/api/3/search/jql"),
    ("ingestor", "append"),
    ("relay", "send JIRA"),
    ("projector", "project read_tables"),
    ("graphql", "deliver syncLogAdded"),
    ("graphql", "deliver syncProgress"),
    ("graphql", "deliver consoleEvents"),
}


@dataclass
class World:
    """What runs, and how it is asked."""

    stack: Stack
    jira: Simulator
    store: EventStore
    http: aiohttp.ClientSession

    @property
    def graphql(self) -> str:
        return f"{self.stack.file.graphql_url}/graphql"

    async def ask(self, query: str, **headers: str) -> dict[str, Any]:
        async with self.http.post(self.graphql, json={"query": query}, headers=headers) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def synced(self, runs: int) -> None:
        """Wait until so many runs have succeeded, and can be read."""

        async def results() -> list[str]:
            data = (await self.ask('{ syncRuns(projectId: "DEMO") { result } }')).get("data") or {"syncRuns": []}
            return [run["result"] for run in data["syncRuns"]]

        await until(results, lambda found: found.count("SUCCESS") >= runs)

    @asynccontextmanager
    async def watching(self, subscription: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The answers of a subscription, by server-sent events; it is open within the block."""
        async with self.http.get(
            self.graphql,
            params={"query": f"subscription {{ {subscription} }}"},
            headers={"Accept": "text/event-stream"},
        ) as response:
            assert response.status == 200, await response.text()

            async def answers() -> AsyncIterator[dict[str, Any]]:
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        yield json.loads(line.removeprefix(b"data: "))["data"]

            yield answers()

    async def change(self, issue: str, summary: str) -> None:
        body = {"issue": issue, "summary": summary}
        async with self.http.post(f"{self.jira.base_url}/simulator/edit-issue", json=body) as answer:
            assert answer.status == 200, await answer.text()

    def fetched(self, summary: str) -> tuple[int, str]:
        """Position and trace of the event that says so."""
        ((position, trace),) = [
            (recorded.position, recorded.event.trace or "")
            for recorded in self.store.read(0, 100_000)
            if isinstance(recorded.event, JiraIssueFetched) and summary.encode() in bytes(recorded.event.payload)
        ]
        return position, trace


@asynccontextmanager
async def world(folder: Path, endpoint: str) -> AsyncIterator[World]:
    """Ingestor, projector and GraphQL, with a project that has been synced once."""
    url = f"sqlite:///{folder / 'jdi.db'}"
    migrate(url)
    async with (
        serve(Dataset.generate(issues=60)) as jira,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as http,
    ):
        environ = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "JIRA_EMAIL": EMAIL,
            "JIRA_API_TOKEN": TOKEN,
            "JIRA_PROJECTS": "DEMO",
            "SYNC_DEFAULT_CRON": "0 0 1 1 *",  # no run but those that are asked for
            "JIRA_ALLOW_INSECURE": "1",
        }
        plan = StackPlan(
            data_dir=folder,
            database_url=url,
            site="acme",
            temporal_namespace="default",
            graphql_port=choose(["graphql"], {})["graphql"],
            graphql_port_is_fixed=True,
            jira_base_url=jira.base_url,
            admin_token=ADMIN,
            environ=environ,
            services=("ingestor", "relay", "projector", "graphql"),
        )
        stream, store = LogStream(Console(file=io.StringIO()), folder / "logs"), open_store(url)
        try:
            async with running(plan, stream) as stack:
                found = World(stack, jira, store, http)
                await found.synced(1)
                yield found
        finally:
            stream.close()
            store.close()


async def test_one_trace_shows_the_whole_way_of_one_changed_issue(tmp_path: Path) -> None:
    port = free_port()
    async with world(tmp_path, f"http://127.0.0.1:{port}") as system:
        async with collecting(port) as collector:
            line = await changed_and_reported(system, "seen by one trace", "DEMO-7")
            position, traceparent = system.fetched("seen by one trace")
            trace = traceparent.split("-")[1]
            assert line["traceId"] == trace
            assert (await message(system, position))["ce-traceparent"] == traceparent
            sent = (await message(system, position))["traceparent"]
            await until(lambda: collector.of_trace(trace), lambda found: names(found) >= WAY and not orphans(found))
            spans = collector.of_trace(trace)
            assert [span.name for span in spans if not span.parent] == ["RunWorkflow:syncProjectWorkflow"]
            assert len({span.span for span in spans}) == len(spans)
            append = named(spans, traceparent.split("-")[2])
            assert (append.name, append.attributes) == ("append", {"jdi.events": 2, "jdi.position": position + 1})
            assert ancestors(spans, append) == [
                "RunActivity:fetch_and_record_pages",
                "StartActivity:fetch_and_record_pages",
                "RunWorkflow:syncProjectWorkflow",
            ]
            children = {span.name for span in spans if span.parent == append.span}
            assert children >= {"send JIRA", "project read_tables", "deliver syncLogAdded"}
            assert (named(spans, sent.split("-")[2]).name, sent.split("-")[1]) == ("send JIRA", trace)
            (search,) = [span for span in spans if span.name == "POST /rest/api/3/search/jql"]
            assert search.attributes == {
                "http.request.method": "POST",
                "url.template": "/rest/api/3/search/jql",
                "http.response.status_code": 200,
                "jira.site": "acme",
            }
            await a_callers_trace_goes_on(system, collector)
        await without_a_collector_all_goes_on(system)
    for service in ("ingestor", "relay", "projector", "graphql"):
        logs = [json.loads(text) for text in (tmp_path / "logs" / f"{service}.log").read_text().splitlines()]
        assert [line for line in logs if line["event"] == "stopped"], logs[-3:]
        errors = [line["event"] for line in logs if line["level"] == "error"]
        assert not [text for text in errors if "export" not in text], errors
    assert TOKEN not in str(collector.spans)
    assert EMAIL not in str(collector.spans)


async def a_callers_trace_goes_on(system: World, collector: Collector) -> None:
    """From who asks, by way of GraphQL and Temporal, to the event that the ingestor records."""
    theirs, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    mutation = 'mutation Mine { pauseProjectSync(projectId: "DEMO", reason: "traced") { userErrors { code } } }'
    answer = await system.ask(mutation, traceparent=f"00-{theirs}-{caller}-01")
    assert answer["data"]["pauseProjectSync"]["userErrors"] == []
    wanted = {
        ("graphql", "mutation pauseProjectSync"),
        ("graphql", "StartWorkflow:controlProjectWorkflow"),
        ("ingestor", "RunWorkflow:controlProjectWorkflow"),
        ("ingestor", "RunActivity:record_command"),
        ("ingestor", "append"),
        ("projector", "project read_tables"),
    }
    await until(lambda: collector.of_trace(theirs), lambda found: names(found) >= wanted and not orphans(found, caller))
    first = [(span.service, span.name) for span in collector.of_trace(theirs) if span.parent == caller]
    assert first == [("graphql", "mutation pauseProjectSync")]


async def without_a_collector_all_goes_on(system: World) -> None:
    """Nothing listens at the endpoint any more: what is done and reported is the same."""
    line = await changed_and_reported(system, "seen by nobody", "DEMO-9")
    position, traceparent = system.fetched("seen by nobody")
    assert line["traceId"] == traceparent.split("-")[1]
    assert (await message(system, position))["ce-traceparent"] == traceparent


async def changed_and_reported(system: World, summary: str, issue: str) -> dict[str, Any]:
    """Change an issue, have it synced while three subscriptions watch; the log line that tells of it."""
    async with (
        system.watching('syncLogAdded(projectId: "DEMO") { message traceId }') as lines,
        system.watching('syncProgress(projectId: "DEMO") { pagesDone running }') as progress,
        system.watching("consoleEvents { position projects { key } }") as moves,
        asyncio.timeout(PATIENCE),
    ):
        await anext(progress)
        await anext(moves)
        await system.change(issue, summary)
        await system.ask('mutation { triggerProjectSync(projectId: "DEMO") { requestId } }')
        found = None
        async for answer in lines:
            line: dict[str, Any] = answer["syncLogAdded"]
            if line["message"].startswith("Page 1 stored") and "1 change recorded" in line["message"]:
                found = line
            if "finished" in line["message"]:
                break
        assert found is not None
        head = await asyncio.to_thread(system.store.head)
        async for move in moves:
            if int(move["consoleEvents"]["position"]) >= head:
                break
        async for job in progress:
            if not job["syncProgress"]["running"]:
                break
        return found


async def message(system: World, position: int) -> dict[str, str]:
    """The headers of an event's message in NATS."""
    client = await nats.connect(system.stack.file.nats_url)
    try:
        jetstream = client.jetstream()
        await until(lambda: jetstream.stream_info("JIRA"), lambda info: info.state.last_seq >= position)
        return dict((await jetstream.get_msg("JIRA", position)).headers or {})
    finally:
        await client.close()


def names(spans: list[Seen]) -> set[tuple[str, str]]:
    return {(span.service, span.name) for span in spans}


def named(spans: list[Seen], span_id: str) -> Seen:
    (found,) = [span for span in spans if span.span == span_id]
    return found


def orphans(spans: list[Seen], foreign: str = "") -> list[Seen]:
    """Those whose parent is missing, and is not a stranger's."""
    known = {foreign, "", *(span.span for span in spans)}
    return [span for span in spans if span.parent not in known]


def ancestors(spans: list[Seen], span: Seen) -> list[str]:
    found = []
    while span.parent:
        span = named(spans, span.parent)
        found.append(span.name)
    return found
