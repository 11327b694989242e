"""What can be watched begins with what is so, or where its cursor says, and misses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse

from libs import read_tables
from libs.access import Role, TokenStore
from tests.integration.graphql.conftest import TOKEN, Api
from tests.unit.made import rows

PROGRESS = 'subscription { syncProgress(projectId: "DEMO") { pagesDone running } }'
CONSOLE = "subscription { consoleEvents { position removed projects { uid syncJob { pagesDone } } } }"
LOGS = 'subscription ($after: ID) { syncLogAdded(projectId: "DEMO", after: $after) { id message } }'


@pytest.fixture
def demo(api: Api) -> Api:
    """Two registered projects with a job each."""
    for key in ("DEMO", "OTHER"):
        api.insert(read_tables.project, [rows.project(key, None)])
        api.insert(read_tables.sync_job, [rows.job(key)])
    return api


def move(api: Api, key: str, version: int, **columns: Any) -> None:
    """As the projector does: change a job, and the position in the same transaction."""
    job, at = read_tables.sync_job, read_tables.projection
    with api.tables.begin() as connection:
        connection.execute(job.update().where(job.c.project_key == key).values(version=version, **columns))
        connection.execute(at.update().values(position=at.c.position + 1))


def log(api: Api, *positions: int) -> None:
    """Append entries to the log, and move the position to the last of them."""
    with api.tables.begin() as connection:
        connection.execute(read_tables.sync_log.insert(), [rows.log(position) for position in positions])
        connection.execute(read_tables.projection.update().values(position=positions[-1]))


@contextlib.asynccontextmanager
async def connected(api: Api, token: str = TOKEN) -> AsyncIterator[ClientWebSocketResponse]:
    async with api.http.ws_connect(f"{api.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        yield socket


async def watch(socket: ClientWebSocketResponse, query: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    """The answers to a subscription."""
    payload = {"query": query, "variables": variables}
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    while True:
        message = await socket.receive_json(timeout=30)
        if message["type"] == "ping":
            await socket.send_json({"type": "pong"})
        elif message["type"] == "next":
            assert "errors" not in message["payload"], message
            yield message["payload"]["data"]
        else:
            raise AssertionError(message)


async def test_progress_begins_with_what_is_and_goes_on_with_what_moves(demo: Api) -> None:
    async with connected(demo) as socket:
        answers = watch(socket, PROGRESS)
        assert (await anext(answers))["syncProgress"] == {"pagesDone": 1, "running": False}
        move(demo, "DEMO", 2, current_run_id="run", pages_done=0)
        assert (await anext(answers))["syncProgress"] == {"pagesDone": 0, "running": True}
        move(demo, "OTHER", 2, pages_done=7)
        move(demo, "DEMO", 3, current_run_id=None, pages_done=9)
        assert (await anext(answers))["syncProgress"] == {"pagesDone": 9, "running": False}


async def test_many_moves_come_as_few_answers_and_the_last_one_comes(demo: Api) -> None:
    async with connected(demo) as socket:
        answers = watch(socket, PROGRESS)
        await anext(answers)
        for version in range(2, 202):
            await asyncio.to_thread(move, demo, "DEMO", version, pages_done=version)
        seen = [(await anext(answers))["syncProgress"]["pagesDone"]]
        while seen[-1] != 201:
            seen.append((await anext(answers))["syncProgress"]["pagesDone"])
        assert seen == sorted(seen)
        assert len(seen) < 50


async def test_the_console_is_told_which_projects_changed(demo: Api) -> None:
    async with connected(demo) as socket:
        answers = watch(socket, CONSOLE)
        first = (await anext(answers))["consoleEvents"]
        assert (first["projects"], first["removed"]) == ([], [])
        move(demo, "OTHER", 2, pages_done=5)
        changed = (await anext(answers))["consoleEvents"]
        assert changed["projects"] == [{"uid": "acme:OTHER", "syncJob": {"pagesDone": 5}}]
        assert int(changed["position"]) > int(first["position"])
        with demo.tables.begin() as connection:
            project = read_tables.project
            connection.execute(project.update().where(project.c.key == "OTHER").values(registered=False))
        move(demo, "DEMO", 2)
        left = (await anext(answers))["consoleEvents"]
        assert left["removed"] == ["acme:OTHER"]
        assert [project["uid"] for project in left["projects"]] == ["acme:DEMO"]


async def test_one_whose_reach_is_narrow_hears_of_nothing_else(demo: Api) -> None:
    secret = TokenStore(demo.tables).create("narrow", Role.READER, frozenset({("acme", "DEMO")}), by="test")[1]
    async with connected(demo, secret) as socket:
        answers = watch(socket, CONSOLE)
        await anext(answers)
        move(demo, "OTHER", 2)
        move(demo, "DEMO", 2)
        told = (await anext(answers))["consoleEvents"]
        assert [project["uid"] for project in told["projects"]] == ["acme:DEMO"]
        assert told["removed"] == []


async def test_alerts_are_told_to_those_who_may_see_them(demo: Api) -> None:
    """Raised, silenced, told of: each is word of the alert."""
    secret = TokenStore(demo.tables).create("narrow", Role.READER, frozenset({("acme", "DEMO")}), by="test")[1]
    watching = "subscription { consoleEvents { alerts { id silencedUntil notifications { id } } } }"
    async with connected(demo, secret) as narrow, connected(demo) as wide:
        scoped, everything = watch(narrow, watching), watch(wide, watching)
        assert (await anext(scoped))["consoleEvents"] == (await anext(everything))["consoleEvents"] == {"alerts": []}
        demo.insert(read_tables.alert, [rows.alert("theirs", 10, project_key="OTHER")])
        move(demo, "OTHER", 2)
        assert ids(await anext(everything)) == ["theirs"]
        demo.insert(read_tables.alert, [rows.alert("ours", 11)])
        move(demo, "DEMO", 2)
        assert ids(await anext(everything)) == ids(await anext(scoped)) == ["ours"]
        demo.insert(read_tables.alert_silence, [rows.silence(changed_position=12)])
        move(demo, "DEMO", 3)
        (silenced,) = (await anext(scoped))["consoleEvents"]["alerts"]
        assert silenced["silencedUntil"].startswith("2999-01-01")
        demo.insert(read_tables.notification, [rows.notice("n-theirs", 13), rows.notice("n-ours", 14)])
        demo.insert(read_tables.notification_alert, [rows.about("n-theirs", "theirs"), rows.about("n-ours", "ours")])
        move(demo, "DEMO", 4)
        (told,) = (await anext(scoped))["consoleEvents"]["alerts"]
        assert (told["id"], told["notifications"]) == ("ours", [{"id": "n-ours"}])


def ids(answer: dict[str, Any]) -> list[str]:
    return [alert["id"] for alert in answer["consoleEvents"]["alerts"]]


async def test_a_reconnect_with_a_cursor_misses_no_entry_and_repeats_none(demo: Api) -> None:
    """Entries are written all the time while the connection breaks again and again."""
    total = 600

    async def write() -> None:
        positions = iter(range(1, total + 1))
        while batch := list(itertools.islice(positions, 7)):
            await asyncio.to_thread(log, demo, *batch)

    writing = asyncio.create_task(write())
    seen: list[int] = []
    after = "0"
    while len(seen) < total:
        async with connected(demo) as socket:
            async for answer in watch(socket, LOGS, after=after):
                after = answer["syncLogAdded"]["id"]
                seen.append(int(after))
                if len(seen) % 61 == 0 or len(seen) == total:
                    break
    await writing
    assert seen == list(range(1, total + 1))


async def test_without_a_cursor_only_new_entries_come(demo: Api) -> None:
    log(demo, 1, 2, 3)
    async with connected(demo) as socket:
        answers = watch(socket, LOGS)
        first = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(1)
        log(demo, 4)
        assert (await first)["syncLogAdded"]["id"] == "4"


async def test_an_event_source_of_a_browser_can_watch(demo: Api) -> None:
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {TOKEN}"}
    async with demo.http.get(f"{demo.url}/graphql", params={"query": PROGRESS}, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        events = _events(response.content)
        assert (await anext(events))["data"]["syncProgress"] == {"pagesDone": 1, "running": False}
        move(demo, "DEMO", 2, pages_done=4)
        assert (await anext(events))["data"]["syncProgress"]["pagesDone"] == 4


async def test_a_revoked_token_watches_no_longer(demo: Api) -> None:
    store = TokenStore(demo.tables)
    token, secret = store.create("leaving", Role.READER, None, by="test")
    async with connected(demo, secret) as socket:
        answers = watch(socket, CONSOLE)
        await anext(answers)
        store.revoke(token.id, by="test")
        with pytest.raises((AssertionError, TypeError)):  # an error message, or the end of the connection
            await _move_until_it_ends(demo, answers)


async def _move_until_it_ends(api: Api, answers: AsyncIterator[dict[str, Any]]) -> None:
    for version in itertools.count(2):
        move(api, "DEMO", version)
        await anext(answers)


async def test_the_old_protocol_is_not_spoken(demo: Api) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with demo.http.ws_connect(f"{demo.url}/graphql", protocols=["graphql-ws"], headers=headers) as socket:
        message = await socket.receive()
        assert message.data == 4406  # the code for a subprotocol that is not acceptable


async def test_a_project_that_is_not_there_is_said_at_once(demo: Api) -> None:
    async with connected(demo) as socket:
        query = 'subscription { syncProgress(projectId: "NOPE") { pagesDone } }'
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        message = await socket.receive_json()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "NOT_FOUND"


async def _events(content: Any) -> AsyncIterator[dict[str, Any]]:
    """The data of server-sent events."""
    async for line in content:
        text = line.decode().strip()
        if text.startswith("data:") and text != "data:":
            yield json.loads(text.removeprefix("data:"))
