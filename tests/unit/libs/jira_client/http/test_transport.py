"""One call: tried again where it can help, bounded in time and size, and silent about secrets."""

import asyncio
import base64
import gzip
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import brotli  # type: ignore[import-untyped]
import httpx
import msgspec
import pytest
import zstandard
from aiohttp import web
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from libs.jira_client import (
    AuthExpired,
    BadRequest,
    BadResponse,
    ErrorCode,
    Forbidden,
    JiraClient,
    JiraError,
    JiraTimeout,
    Limits,
    NetworkGlitch,
    QuotaExhausted,
    RateLimited,
    SiteClosed,
    UpstreamError,
    counting,
)
from tests.unit.libs.jira_client.loopback import (
    EMAIL,
    TOKEN,
    Asked,
    FakeTime,
    client,
    json,
    read_head,
    serving,
    serving_bytes,
    settings,
)

ME = {"accountId": "5b10a2844c20165700ede21g", "displayName": "Robot"}


def sequence(*answers: web.Response) -> Any:
    """A handler that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def handle(_: Asked) -> web.Response:
        return left.pop(0) if len(left) > 1 else left[0]

    return handle


async def test_a_call_carries_login_and_language() -> None:
    async with serving(lambda _: json(ME)) as server, client(server.url) as jira:
        account = await jira.verify_credentials()
    assert account.account_id == ME["accountId"]
    headers = server.asked[0].headers
    assert headers["authorization"] == "Basic " + base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
    assert headers["accept"] == "application/json"
    assert headers["accept-language"] == "en"
    assert headers["x-force-accept-language"] == "true"
    assert headers["accept-encoding"] == "gzip, br, zstd"


async def test_calls_share_one_connection() -> None:
    async with serving(lambda _: json(ME)) as server, client(server.url) as jira:
        for _ in range(20):
            await jira.myself()
    assert len({asked.peer for asked in server.asked}) == 1
    assert jira.requests == 20


@pytest.mark.parametrize(("connections", "slots"), [(3, 3), (3, 30), (30, 3)])
async def test_no_more_connections_than_either_limit_allows(connections: int, slots: int) -> None:
    limits = Limits(requests_per_second=50, burst=100, max_concurrency=slots, longest_wait_seconds=20)
    async with (
        serving(lambda _: json(ME)) as server,
        JiraClient(settings(server.url, max_concurrency=connections), limits=limits) as jira,
    ):
        await asyncio.gather(*(jira.myself() for _ in range(30)))
    assert len({asked.peer for asked in server.asked}) <= 3


async def test_the_path_of_the_gateway_is_kept() -> None:
    async with serving(lambda _: json(ME)) as server, client(server.url + "/ex/jira/11-22/") as jira:
        await jira.myself()
    assert server.asked[0].path == "/ex/jira/11-22/rest/api/3/myself"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
async def test_packed_answers(name: str, pack: Any) -> None:
    packed = pack(b'{"accountId":"' + b"a" * 5000 + b'"}')
    answer = web.Response(body=packed, content_type="application/json", headers={"Content-Encoding": name})
    async with serving(lambda _: answer) as server, client(server.url) as jira:
        assert (await jira.myself()).account_id == "a" * 5000


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_passing_fault_is_tried_three_times(status: int) -> None:
    async with serving(sequence(json({}, status), json({}, status), json(ME))) as server, client(server.url) as jira:
        await jira.myself()
    assert len(server.asked) == 3


async def test_a_lasting_fault_is_raised_after_three_tries_with_growing_waits() -> None:
    time = FakeTime()
    async with serving(lambda _: json({}, 500)) as server, client(server.url, time) as jira:
        with pytest.raises(UpstreamError):
            await jira.myself()
    assert len(server.asked) == 3
    first, second = time.slept
    assert 1.4 <= first <= 2.6
    assert 2.8 <= second <= 5.2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: json({"errorMessages": ["bad JQL"]}, 400), BadRequest),
        (lambda: json({}, 401), AuthExpired),
        (lambda: json({}, 403), Forbidden),
        (lambda: json({"message": "Tenant is restricted: suspended-payment"}, 403), SiteClosed),
        (lambda: json(ME, 200, X_Seraph_LoginReason="AUTHENTICATED_FAILED"), AuthExpired),
    ],
)
async def test_what_waiting_does_not_cure_is_asked_once(answer: Any, kind: type[JiraError]) -> None:
    async with serving(lambda _: answer()) as server, client(server.url) as jira:
        with pytest.raises(kind):
            await jira.myself()
    assert len(server.asked) == 1


async def test_a_shared_count_and_one_of_a_piece_of_work() -> None:
    async with serving(lambda _: json(ME)) as server, client(server.url) as jira:
        await jira.myself()
        with counting() as count:
            await asyncio.gather(jira.myself(), jira.myself())
        await jira.myself()
    assert count.sent == 2
    assert jira.requests == 4


# --- pace


@trials(deadline=None, max_examples=15)
@given(asked=st.floats(0, 19).map(lambda seconds: round(seconds, 3)), seed=st.integers(0, 1000))
async def test_retry_after_is_never_undercut(asked: float, seed: int) -> None:
    time = FakeTime()
    heard: list[float] = []

    def handle(_: Asked) -> web.Response:
        heard.append(time.now)
        return json({}, 429, Retry_After=f"{asked:.3f}") if len(heard) < 3 else json(ME)

    async with serving(handle) as server, client(server.url, time) as jira:
        jira.limits.pulse.chance.seed(seed)
        await jira.myself()
    assert heard[1] - heard[0] >= asked
    assert heard[2] - heard[1] >= asked


async def test_a_date_is_waited_for() -> None:
    time = FakeTime()
    now = datetime.now(UTC).replace(microsecond=0)
    refusal = json(
        {},
        429,
        Date=format_datetime(now, usegmt=True),
        Retry_After=format_datetime(now + timedelta(seconds=9), usegmt=True),
    )
    async with serving(sequence(refusal, json(ME))) as server, client(server.url, time) as jira:
        await jira.myself()
    assert time.now >= 1009


async def test_a_long_wait_is_raised_not_slept() -> None:
    time = FakeTime()
    async with serving(lambda _: json({}, 429, Retry_After="45")) as server, client(server.url, time) as jira:
        with pytest.raises(RateLimited) as caught:
            await jira.myself()
        assert caught.value.retry_after == 45
        with pytest.raises(RateLimited):  # the gate is closed for the whole site: nothing is sent
            await jira.fields()
    assert len(server.asked) == 1
    assert time.slept == []


async def test_a_burst_closes_its_endpoint_only() -> None:
    def handle(asked: Asked) -> web.Response:
        if asked.path.endswith("/myself"):
            return json({}, 429, Retry_After="45", RateLimit_Reason="jira-burst-based")
        return json([])

    async with serving(handle) as server, client(server.url) as jira:
        with pytest.raises(RateLimited):
            await jira.myself()
        assert await jira.fields() == []
        with pytest.raises(RateLimited):
            await jira.myself()
    assert [asked.path for asked in server.asked] == ["/rest/api/3/myself", "/rest/api/3/field"]


async def test_a_quota_stays_a_quota_at_the_gate() -> None:
    answer = json({}, 429, Retry_After="1800", RateLimit_Reason="jira-quota-tenant-based")
    async with serving(lambda _: answer) as server, client(server.url) as jira:
        for _ in range(2):
            with pytest.raises(QuotaExhausted) as caught:
                await jira.fields()
            assert caught.value.retry_after == pytest.approx(1800)
    assert len(server.asked) == 1


async def test_an_absurd_wait_ends_with_a_probe_and_its_answer_opens_the_site() -> None:
    time = FakeTime()
    refusals = [json({}, 429, Retry_After="999999999999") for _ in range(2)]
    async with serving(sequence(*refusals, json(ME), json([]))) as server, client(server.url, time) as jira:
        for _ in range(2):
            with pytest.raises(QuotaExhausted) as caught:
                await jira.myself()
            assert caught.value.retry_after == 3600
            with pytest.raises(QuotaExhausted):
                await jira.fields()
            time.now += 3600
        await jira.myself()
        await jira.fields()
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503])
@pytest.mark.parametrize(
    ("header", "text"), [("X_RateLimit_Reset", "2099-11-23T10:20Z"), ("RateLimit", '"a";r=0;t=99999')]
)
async def test_what_is_left_of_a_limit_shuts_nothing(status: int, header: str, text: str) -> None:
    time = FakeTime()
    answers = sequence(json({}, status, **{header: text}), json(ME))
    async with serving(answers) as server, client(server.url, time, tries=1) as jira:
        with pytest.raises(JiraError) as caught:
            await jira.myself()
        assert caught.value.retry_after is None
        await jira.myself()
    assert len(server.asked) == 2


async def test_a_refusal_of_one_call_shuts_nothing_however_long_it_asks_to_wait() -> None:
    async with serving(sequence(json({}, 404, Retry_After="600"), json(ME))) as server, client(server.url) as jira:
        with pytest.raises(JiraError):
            await jira.myself()
        await jira.myself()


class StoppedTime(FakeTime):
    """A clock that stands, and lets nobody wake, until `run`."""

    def __init__(self) -> None:
        super().__init__()
        self._running = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await self._running.wait()
        self.now = max(self.now, until)

    def run(self) -> None:
        self._running.set()


async def test_a_refusal_slows_the_others_down() -> None:
    """A second call, already queueing for a slot, does not pass the gate that the first one's refusal closes."""
    time = StoppedTime()
    heard: list[float] = []

    def handle(_: Asked) -> web.Response:
        heard.append(time.now)
        return json({}, 429, Retry_After="10") if len(heard) == 1 else json(ME)

    async with serving(handle) as server, client(server.url, time, max_concurrency=1) as jira:
        both = asyncio.gather(jira.myself(), jira.myself())
        while len(time.slept) < 2 and len(heard) < 2:
            await asyncio.sleep(0.001)
        assert len(heard) == 1, "the second went out while the gate was closed"
        time.run()
        await both
    assert len(heard) == 3
    assert min(heard[1:]) - heard[0] >= 10


# --- time and size


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_dripping_answer_meets_the_total_deadline() -> None:
    async with serving_bytes(drip) as url, client(url, tries=1, total_seconds=0.15) as jira:
        with pytest.raises(JiraTimeout) as caught:
            async with asyncio.timeout(20):
                await jira.myself()
    assert caught.value.retryable


async def test_a_silent_server_meets_the_read_deadline() -> None:
    async with serving_bytes(silence) as url, client(url, tries=2, read_seconds=0.05, total_seconds=600) as jira:
        with pytest.raises(JiraTimeout):
            async with asyncio.timeout(20):
                await jira.myself()
    assert jira.requests == 2


async def test_a_body_that_is_declared_too_large_is_not_waited_for() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n")
        await reader.read()

    async with serving_bytes(talk) as url, client(url, max_body_bytes=1_000_000, total_seconds=5) as jira:
        with pytest.raises(BadResponse, match="larger than allowed"):
            await jira.myself()
    assert jira.requests == 1


async def test_an_endless_body_is_not_read() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    async with serving_bytes(talk) as url, client(url, max_body_bytes=1_000_000, total_seconds=5) as jira:
        with pytest.raises(BadResponse, match="larger than allowed"):
            await jira.myself()
    assert jira.requests == 1


async def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b'{"accountId":"' + b"0" * 50_000_000 + b'"}')
    answer = web.Response(body=bomb, content_type="application/json", headers={"Content-Encoding": "gzip"})
    async with serving(lambda _: answer) as server, client(server.url, max_body_bytes=1_000_000) as jira:
        with pytest.raises(BadResponse, match="larger than allowed"):
            await jira.myself()


async def test_an_endless_error_page_is_still_an_error_of_its_status() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"<p>no" * 10_000)
            await writer.drain()

    async with serving_bytes(talk) as url, client(url, max_body_bytes=10**15, total_seconds=5) as jira:
        with pytest.raises(AuthExpired):
            await jira.myself()


# --- answers that cannot be believed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"accountId": "x"',
        b'{"accountId": NaN}',
        b'{"other": 1}',
        b"[]",
        b"null",
        b'{"accountId": 123456789012345678901234567890}',
        b"<html>login</html>",
    ],
)
async def test_an_unreadable_body_is_a_bad_response(body: bytes) -> None:
    async with (
        serving(lambda _: web.Response(body=body, content_type="application/json")) as server,
        client(server.url) as jira,
    ):
        with pytest.raises(BadResponse) as caught:
            await jira.myself()
    assert len(server.asked) == 3
    assert caught.value.evidence.endpoint == "GET /rest/api/3/myself"


@pytest.mark.parametrize("text", [b"\xff", b"\\ud83d"])
async def test_what_is_kept_raw_is_mended_too(text: bytes) -> None:
    body = b'{"issues": [{"id": "1", "fields": {"summary": "cut ' + text + b'"}}], "isLast": true}'
    async with (
        serving(lambda _: web.Response(body=body, content_type="application/json")) as server,
        client(server.url, tries=1) as jira,
    ):
        page = await jira.search_issues("project = ABC", ["summary"])
    assert msgspec.json.decode(page.issues[0])["fields"]["summary"] == "cut \ufffd"


@pytest.mark.parametrize("named", ["text/html; charset=UTF-8", "text/plain", "application/octet-stream", ""])
async def test_json_under_another_type_is_read(named: str) -> None:
    answer = web.Response(body=b'{"accountId": "x"}', headers={"Content-Type": named})
    async with serving(lambda _: answer) as server, client(server.url, tries=1) as jira:
        assert (await jira.myself()).account_id == "x"


async def test_a_byte_order_mark_is_no_harm() -> None:
    body = b'\xef\xbb\xbf{"accountId": "x"}'
    async with (
        serving(lambda _: web.Response(body=body, content_type="application/json")) as server,
        client(server.url) as jira,
    ):
        assert (await jira.myself()).account_id == "x"


async def test_an_answer_cut_short_is_a_network_glitch() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"acc')
        await writer.drain()

    async with serving_bytes(talk) as url, client(url) as jira:
        with pytest.raises(NetworkGlitch):
            await jira.myself()
    assert jira.requests == 3


async def test_a_refused_connection_is_a_network_glitch() -> None:
    async with serving_bytes(silence) as url:
        pass
    async with client(url) as jira:
        with pytest.raises(NetworkGlitch):
            await jira.myself()


async def test_a_redirect_is_not_followed() -> None:
    async with serving(lambda _: json(ME)) as other:
        away = web.Response(status=302, headers={"Location": other.url + "/rest/api/3/myself"})
        async with serving(lambda _: away) as server, client(server.url) as jira:
            with pytest.raises(BadResponse, match="another address"):
                await jira.myself()
        assert other.asked == []


async def test_the_announced_end_of_an_endpoint_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def ending(_: Asked) -> web.Response:
        return json(ME, Deprecation="@1688169599", Sunset="Wed, 11 Nov 2026 23:59:59 GMT")

    async with serving(ending) as server, client(server.url) as jira:
        for _ in range(3):
            await jira.myself()
    (line,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert line == (
        "Atlassian announces the end of GET /rest/api/3/myself: "
        "Deprecation: @1688169599; Sunset: Wed, 11 Nov 2026 23:59:59 GMT"
    )


async def test_a_thing_of_another_shape_is_a_failure_of_the_call_that_brought_it() -> None:
    project: dict[str, Any] = {"id": "10000", "key": None, "values": []}
    async with serving(lambda _: json(project)) as server, client(server.url) as jira:
        with pytest.raises(BadResponse) as caught:
            await jira.project("ABC")
    evidence = caught.value.evidence
    assert (evidence.endpoint, evidence.path) == ("GET /rest/api/3/project/{key}", "$.key")


async def test_cookies_are_not_kept() -> None:
    def handle(_: Asked) -> web.Response:
        answer = json(ME)
        answer.set_cookie("JSESSIONID", "abc")
        return answer

    async with serving(handle) as server, client(server.url) as jira:
        await jira.myself()
        await jira.myself()
    assert "cookie" not in server.asked[1].headers


def _nothing_lost(_: pytest.MonkeyPatch) -> None: ...


def _own_pool_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.jira_client.http.transport.pool", lambda **_: None)


def _distrust_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    made = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **given: made(**given | {"trust_env": True}))


@pytest.mark.parametrize("lose", [_nothing_lost, _own_pool_lost, _distrust_lost])
async def test_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, lose: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """Two things keep them out, a pool of our own and `trust_env=False`, and either suffices when the other is lost."""
    for name in ("no_proxy", "NO_PROXY"):  # would let a client that obeys the environment pass on loopback
        monkeypatch.delenv(name, raising=False)
    lose(monkeypatch)
    async with serving(lambda _: json(ME)) as proxy, serving(lambda _: json(ME)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        async with client(server.url) as jira:
            await jira.myself()
    assert (len(server.asked), len(proxy.asked)) == (1, 0)


# --- clock


async def test_jiras_clock_is_known_and_never_ahead() -> None:
    time = FakeTime()
    answer = json(ME, Date="Mon, 23 Nov 2026 10:16:00 GMT")
    async with serving(lambda _: answer) as server, client(server.url, time) as jira:
        assert jira.server_now is None
        await jira.myself()
        assert jira.server_now == datetime(2026, 11, 23, 10, 16, tzinfo=UTC)
        time.now += 2.5
        assert jira.server_now == datetime(2026, 11, 23, 10, 16, 2, 500_000, tzinfo=UTC)


# --- secrets


@pytest.mark.parametrize(
    ("email", "token"),
    [(EMAIL, TOKEN), ("opaque account", "opaque secret")],
    ids=["of a known shape", "known only as what it is"],
)
async def test_an_echoed_secret_is_in_no_text(caplog: pytest.LogCaptureFixture, email: str, token: str) -> None:
    caplog.set_level(logging.DEBUG)
    coded = base64.b64encode(f"{email}:{token}".encode()).decode()

    def echo(asked: Asked) -> web.Response:
        assert asked.headers["authorization"] == f"Basic {coded}"
        return json({"errorMessages": [f"Who is {email} with {token}? You sent {coded}"]}, 400)

    async with serving(echo) as server, client(server.url, email=email, token=token) as jira:
        with pytest.raises(BadRequest) as caught:
            await jira.myself()
    error = caught.value
    texts = [
        str(error),
        repr(error),
        repr(error.verdict),
        "".join(traceback.format_exception(error)),
        repr(jira),
        caplog.text,
    ]
    for text in texts:
        for secret in (token, email, coded):
            assert secret not in text
    assert "You sent" in str(error)


async def test_an_error_carries_no_chain_that_could_quote_headers() -> None:
    async with serving_bytes(silence) as url, client(url, tries=1, read_seconds=0.05) as jira:
        with pytest.raises(JiraTimeout) as caught:
            await jira.myself()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_cancelling_is_not_an_error() -> None:
    heard = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_head(reader)
        heard.set()
        await reader.read()

    async with serving_bytes(talk) as url, client(url) as jira:
        task = asyncio.create_task(jira.myself())
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert jira.requests == 1


def test_a_client_without_limits_makes_its_own_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def limits(**given: Any) -> Limits:
        made.append(given)
        return Limits(**given)

    monkeypatch.setattr("libs.jira_client.client.Limits", limits)
    given = {"requests_per_second": 7.0, "burst": 3, "max_concurrency": 2, "longest_wait_seconds": 5.0}
    JiraClient(settings("http://127.0.0.1:9", **given))
    assert made == [given]


async def test_the_code_and_advice_reach_the_reader() -> None:
    async with serving(lambda _: json({}, 401)) as server, client(server.url) as jira:
        with pytest.raises(AuthExpired) as caught:
            await jira.myself()
    assert caught.value.code is ErrorCode.AUTH_EXPIRED
    assert "JIRA_API_TOKEN" in caught.value.advice
