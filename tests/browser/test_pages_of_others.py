"""A page of somebody else's in the browser of one whose stack runs here: it reads nothing and changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, Error

from libs.temporal import names
from libs.temporal.connect import connect
from tests.browser.conftest import chromium
from tests.integration.embedded.test_servers import listening
from tests.integration.embedded.test_stack import plan, started

THEIRS = "evil.example"
SEND = """async ([port, path, body]) => {
    const there = `http://127.0.0.1:${port}${path}`;
    await fetch(there, {method: "POST", mode: "no-cors", body}).catch(() => null);
    return fetch(there).then(answer => answer.text()).catch(() => null);
}"""
COMMAND = json.dumps(
    {
        "workflowType": {"name": names.CONTROL_WORKFLOW},
        "taskQueue": {"name": names.CONTROL_QUEUE},
        "input": [{"type": "pause", "site": "test", "project": "DEMO", "command_id": "forged", "actor": "admin"}],
    }
)
SHOWN = ("/api/v1/namespaces/default/workflows/forged", "/rest/api/3/serverInfo")
PATHS = (*SHOWN, "/simulator/mutate")


async def read(browser: Browser, address: str) -> int:
    """The status of what a page under a name of its own, bound to this machine, is shown; 0: nothing."""
    page = await browser.new_page()  # a page that has shown an error of the browser's may break off the next one
    try:
        answer = await page.goto(address)
    except Error:
        return 0
    finally:
        await page.close()
    return 0 if answer is None else answer.status


@pytest.mark.asyncio(loop_scope="function")
async def test_it_reads_nothing_and_changes_nothing(tmp_path: Path) -> None:
    async def page_of_theirs(_request: web.Request) -> web.Response:
        return web.Response(text="<h1>Win a prize</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page_of_theirs)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    theirs = runner.addresses[0][1]
    wanted = replace(plan(tmp_path), simulator=("--project", "DEMO", "--issues", "5"), jira_base_url="")
    async with started(wanted) as stack, aiohttp.ClientSession() as http:
        state = f"{stack.file.jira_base_url}/simulator/state"
        before = await (await http.get(state)).json()
        ports = [port for pid in stack.supervisor.pids().values() for port in listening(pid)]
        assert {stack.file.ports[name] for name in ("temporal", "nats", "jira")} <= set(ports)
        async with chromium(f"--host-resolver-rules=MAP {THEIRS} 127.0.0.1") as chrome:
            page = await chrome.new_page()
            await page.goto(f"http://{THEIRS}:{theirs}/")
            sent = {(port, path): await page.evaluate(SEND, [port, path, COMMAND]) for port in ports for path in PATHS}
            assert {asked for asked, answer in sent.items() if answer is not None} == set()
            shown = {
                (port, path): await read(chrome, f"http://{THEIRS}:{port}{path}") for port in ports for path in SHOWN
            }
        assert {asked for asked, status in shown.items() if 0 < status < 400} == set()
        assert {shown[stack.file.ports["jira"], path] for path in SHOWN} == {403}
        client = await connect(stack.file.temporal_address)
        assert [execution.id async for execution in client.list_workflows()] == []
        assert await (await http.get(state)).json() | {"now": ""} == before | {"now": ""}
    await runner.cleanup()
