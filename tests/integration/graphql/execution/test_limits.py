"""What costs too much is not begun, what takes too long is stopped, with what it reads; and both are counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy
from prometheus_client import REGISTRY

from libs.read_tables import issue, project, sprint, sprint_project
from services.graphql.execution.limits import MAX_ALIASES, Limits
from tests.eventually import until
from tests.integration.graphql.conftest import Api
from tests.integration.graphql.reading.test_live import connected
from tests.unit.made import rows

SECONDS = 1.5
PAGE = '{ issues(projectId: "DEMO", first: 100) { nodes { key comments { id } worklogs { id } } } }'
PAGE_COST = 1 + 100 * (1 + 10 + 10)
ENDLESS = '{ sprints(projectId: "DEMO") { id } }'

NEVER_ENDING = """
CREATE VIEW sprint AS WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number FROM numbers)
SELECT kept.* FROM kept, numbers WHERE number = 0
"""


@pytest.fixture
def limits() -> Limits:
    return Limits(seconds=SECONDS, cost=PAGE_COST)


@pytest.fixture
def demo(api: Api) -> Api:
    """A project whose sprints take for ever to read."""
    api.insert(project, [rows.project()])
    api.insert(sprint, [rows.sprint("1")])
    api.insert(sprint_project, [rows.sprint_project("1")])
    with api.tables.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE sprint RENAME TO kept"))
        connection.execute(sqlalchemy.text(NEVER_ENDING))
    return api


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def operations(kind: str, field: str, code: str) -> float:
    return count("jdi_graphql_operations_total", type=kind, field=field, code=code)


async def nothing_is_read(api: Api) -> None:
    """Waits until the service has given every connection back; a statement that went on would keep its own."""
    pool = api.reading.pool
    assert isinstance(pool, sqlalchemy.QueuePool)
    await until(pool.checkedout, lambda count: count == 0)


async def test_an_answer_tells_what_it_cost(demo: Api) -> None:
    answer = await demo.post(PAGE)
    assert answer["data"] == {"issues": {"nodes": []}}
    assert answer["extensions"] == {"cost": {"requestedQueryCost": PAGE_COST, "maximumAvailable": PAGE_COST}}


async def test_what_costs_too_much_is_refused_before_anything_is_read(demo: Api) -> None:
    before, refused = operations("query", "several", "TOO_COSTLY"), count("jdi_graphql_refused_total", limit="cost")
    demo.statements.clear()
    answer = await demo.post(PAGE[:-1] + ' sprints(projectId: "DEMO") { id } }')
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "TOO_COSTLY"
    assert str(PAGE_COST + 100) in error["message"]
    assert "data" not in answer
    assert answer["extensions"]["cost"]["requestedQueryCost"] == PAGE_COST + 100
    assert not [statement for statement in demo.statements if "issue" in statement or "sprint" in statement]
    assert operations("query", "several", "TOO_COSTLY") == before + 1
    assert count("jdi_graphql_refused_total", limit="cost") == refused + 1


async def test_a_query_that_takes_too_long_is_stopped_with_its_statement(demo: Api) -> None:
    before = operations("query", "sprints", "TIMEOUT")
    answer = await demo.post(ENDLESS)
    (error,) = answer["errors"]
    assert answer["data"] is None
    assert error["extensions"]["code"] == "TIMEOUT"
    assert f"{SECONDS:g} s" in error["message"]
    await nothing_is_read(demo)
    assert operations("query", "sprints", "TIMEOUT") == before + 1


async def test_a_cancel_meets_no_other_query(demo: Api) -> None:
    """One that came late would end whoever reads next on the connection."""
    demo.insert(issue, [rows.issue(1)])
    for _ in range(3):
        stopped = asyncio.gather(*(demo.post(ENDLESS) for _ in range(3)))
        while not stopped.done():
            answer = await demo.post('{ issue(key: "DEMO-1") { key } }')
            # On a machine that is busy it may take too long itself: then it has no path.
            assert answer["data"] == {"issue": {"key": "DEMO-1"}} or "path" not in answer["errors"][0], answer
        assert {answer["errors"][0]["extensions"]["code"] for answer in await stopped} == {"TIMEOUT"}
    await nothing_is_read(demo)


async def test_over_a_websocket_it_is_stopped_too(demo: Api) -> None:
    async with connected(demo) as socket:
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": ENDLESS}})
        message = await socket.receive_json()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "TIMEOUT"
    await nothing_is_read(demo)


class TestPatient:
    """The service has all the time in the world; those who ask, or PostgreSQL, have not."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(seconds=3600)

    async def test_a_query_that_nobody_waits_for_any_more_is_stopped_with_its_statement(self, demo: Api) -> None:
        async with connected(demo) as socket:
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": ENDLESS}})
            await until(lambda: [statement for statement in demo.statements if "sprint" in statement])
            await socket.send_json({"id": "1", "type": "complete"})
            await nothing_is_read(demo)

    @pytest.mark.parametrize("read_tables", ["postgresql"], indirect=True)
    async def test_what_postgresql_stops_is_told_in_the_same_words(self, demo: Api) -> None:
        @sqlalchemy.event.listens_for(demo.reading, "begin")
        def keep_time(connection: sqlalchemy.Connection) -> None:
            connection.exec_driver_sql("SET LOCAL statement_timeout = '300ms'")

        error = await demo.error(ENDLESS)
        assert error["extensions"]["code"] == "TIMEOUT"
        assert error["path"] == ["sprints"]


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("{ projects { key } }", ("query", "projects", "")),
        ("query Outlandish { mine: projects { key } }", ("query", "projects", "")),
        ("{ projects { key } viewer { name } }", ("query", "several", "")),
        ('{ issues(projectId: "NONE") { nodes { id } } }', ("query", "issues", "NOT_FOUND")),
        ("{ outlandish }", ("invalid", "", "BAD_USER_INPUT")),
        ("{ outlandish", ("invalid", "", "BAD_USER_INPUT")),
        ("subscription { consoleEvents { position } }", ("invalid", "", "BAD_USER_INPUT")),
    ],
)
async def test_an_operation_is_counted_by_what_the_schema_calls_it(
    api: Api, query: str, labels: tuple[str, str, str]
) -> None:
    before, total = operations(*labels), _sum("jdi_graphql_operations_total")
    await api.post(query)
    assert operations(*labels) == before + 1
    assert _sum("jdi_graphql_operations_total") == total + 1
    async with api.http.get(f"{api.url}/metrics") as response:
        shown = await response.text()
    assert "utlandish" not in shown
    assert "mine" not in shown


async def test_what_is_too_large_is_counted_as_refused(api: Api) -> None:
    before = count("jdi_graphql_refused_total", limit="aliases")
    await api.error("{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + " }")
    assert count("jdi_graphql_refused_total", limit="aliases") == before + 1


async def test_open_subscriptions_are_counted_until_they_end(api: Api) -> None:
    query, ended = "subscription { consoleEvents { position } }", operations("subscription", "consoleEvents", "")
    async with connected(api) as socket:
        for number in range(3):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": {"query": query}})
        answers: list[dict[str, Any]] = [await socket.receive_json() for _ in range(3)]
        assert {answer["payload"]["extensions"]["cost"]["requestedQueryCost"] for answer in answers} == {1}
        assert count("jdi_graphql_subscriptions_open", field="consoleEvents") == 3
    await until(lambda: not count("jdi_graphql_subscriptions_open", field="consoleEvents"))
    assert operations("subscription", "consoleEvents", "") == ended + 3


def _sum(name: str) -> float:
    return sum(sample.value for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name)
