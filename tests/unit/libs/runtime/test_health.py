import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from libs.runtime import Health, Reported, Stop, health, health_routes, serve_health
from tests.eventually import until
from tests.servers.addresses import free_port


def client(checks: Health) -> TestClient[web.Request, web.Application]:
    app = web.Application()
    app.add_routes(health_routes(checks))
    return TestClient(TestServer(app))


async def test_ready_when_every_check_passes_sync_or_async() -> None:
    async def passing() -> str | None:
        return None

    checks = Health()
    checks.add("store", lambda: None)
    checks.add("nats", passing)
    async with client(checks) as http:
        answer = await http.get("/readyz")
        assert answer.status == 200
        assert (await answer.json())["status"] == "ok"


async def test_one_failing_check_makes_503_with_its_reason_and_leaves_livez_alone() -> None:
    def broken() -> str | None:
        raise OSError("gone")

    checks = Health()
    checks.add("nats", lambda: "not connected")
    checks.add("store", broken)
    async with client(checks) as http:
        answer = await http.get("/readyz")
        assert answer.status == 503
        assert (await answer.json())["checks"] == {
            "nats": {"ok": False, "reason": "not connected"},
            "store": {"ok": False, "reason": "OSError: gone"},
        }
        assert (await http.get("/livez")).status == 200


async def test_a_check_that_hangs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)

    async def hanging() -> str | None:
        await asyncio.Event().wait()
        return None

    checks = Health()
    checks.add("slow", hanging)
    assert await checks.report() == {"slow": "no answer within 0.01 s"}


async def test_a_check_that_hangs_is_begun_once_and_heard_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    begun, answers = 0, asyncio.Event()

    async def hanging() -> str | None:
        nonlocal begun
        begun += 1
        await answers.wait()
        return None

    checks = Health()
    checks.add("slow", hanging)
    for _ in range(5):
        assert await checks.report() == {"slow": "no answer within 0.01 s"}
    assert begun == 1
    answers.set()
    await asyncio.sleep(0)
    monkeypatch.setattr(health, "CHECK_SECONDS", 10)
    assert await checks.report() == {"slow": None}


async def test_a_part_may_report_its_own_state() -> None:
    state = Reported()
    assert state() == "not started yet"
    state.report(None)
    assert state() is None


async def test_metrics_are_prometheus_text() -> None:
    async with client(Health()) as http:
        answer = await http.get("/metrics")
        assert "jdi_events_handled_total" in await answer.text()


async def test_serving_ends_with_the_stop() -> None:
    stop = Stop()
    serving = asyncio.create_task(serve_health(Health(), "127.0.0.1", 0, stop))
    await asyncio.sleep(0)
    stop.set()
    await serving


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "10.2.3.4:8081"}, 200),
        ({"Host": "ingestor:8081"}, 200),
        ({"Host": "ingestor.jdi.svc"}, 200),
        ({"Host": "jdi.example"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8081"}, 403),
        ({"Origin": "http://evil.example"}, 403),
    ],
)
async def test_a_page_that_points_its_name_here_reads_nothing(path: str, headers: dict[str, str], status: int) -> None:
    stop = Stop()
    async with serve_until(stop) as url, ClientSession() as http, http.get(f"{url}{path}", headers=headers) as answer:
        assert answer.status == status


async def test_a_probe_that_names_no_host_is_answered() -> None:
    async with serve_until(Stop()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /livez HTTP/1.0\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"200"
        writer.close()


@contextlib.asynccontextmanager
async def serve_until(stop: Stop) -> AsyncIterator[str]:
    port = free_port()
    serving = asyncio.create_task(serve_health(Health(), "127.0.0.1", port, stop, ("jdi.example",)))
    await until(lambda: _listens(port))
    yield f"http://127.0.0.1:{port}"
    stop.set()
    await serving


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
