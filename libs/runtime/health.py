"""Health over HTTP: `/livez`, `/readyz`, `/metrics`. Each answers within seconds, also when a database hangs.

`/livez` says that the event loop turns and looks at nothing else: a service is never restarted because Jira, NATS or
the database is down. `/readyz` asks every registered check and answers 503 with the reasons while one of them fails.
"""

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from libs.runtime.metrics import CHECK_OK, METRICS_CONTENT_TYPE, metrics_text
from libs.runtime.network.hosts import is_nobodys_page
from libs.runtime.network.http_server import Doorkeeper, most_connections, serving
from libs.runtime.stop import Stop

Check = Callable[[], str | Awaitable[str | None] | None]
CHECK_SECONDS: Final = 2.0
"""A check that takes longer has failed: probes of Kubernetes give up after a few seconds themselves."""
MOST_PROBES: Final = 100
"""Connections of probes, Prometheus and people."""
PROOF_SECONDS: Final = 1.0
"""A check that writes something does it no more often, however many ask."""
BEGINNING_SECONDS: Final = 0.1
"""The same until it has passed once: whoever starts us waits for that."""

_LOOKS: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
"""Apart from the threads of the loop, which may all be waiting for a database."""
_CHECKS: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="check")
"""One each for all that block."""

log = structlog.get_logger(__name__)


class Health:
    """The named checks of one process. A check returns None when all is well, else the reason why not."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._running: dict[str, asyncio.Task[str | None]] = {}
        self._every: dict[str, float] = {}
        self._done_at: dict[str, float] = {}
        self._passed: set[str] = set()

    def add(self, name: str, check: Check, *, every: float = 0.0) -> None:
        """Ask `check` whenever somebody asks us. One that costs something is asked `every` so many seconds at most."""
        self._checks[name], self._every[name] = check, every

    async def report(self) -> dict[str, str | None]:
        """Run every check, all at once: name to None or the reason why not."""
        names = list(self._checks)
        reasons = await asyncio.gather(*(self._reason(name) for name in names))
        return dict(zip(names, reasons, strict=True))

    async def _reason(self, name: str) -> str | None:
        # One that hangs holds a thread: it is not begun again at each probe, until none is left.
        running, now = self._running.get(name), asyncio.get_running_loop().time
        pause = self._every[name] if name in self._passed else min(self._every[name], BEGINNING_SECONDS)
        if running is None or (running.done() and now() - self._done_at.get(name, -math.inf) >= pause):
            running = self._running[name] = asyncio.create_task(_outcome(self._checks[name]), name=f"check {name}")
            running.add_done_callback(lambda ended: self._asked(name, ended, now()))
        done, _ = await asyncio.wait([running], timeout=CHECK_SECONDS)
        return running.result() if done else f"no answer within {CHECK_SECONDS:g} s"

    def _asked(self, name: str, ended: asyncio.Task[str | None], now: float) -> None:
        self._done_at[name] = now
        if not ended.cancelled() and ended.result() is None:
            self._passed.add(name)


class Reported:
    """A check for a part that reports its own state: the last reason it gave, at first `not started yet`."""

    def __init__(self, reason: str | None = "not started yet") -> None:
        self.reason = reason

    def __call__(self) -> str | None:
        return self.reason

    def report(self, reason: str | None) -> None:
        self.reason = reason


def first_trouble(*checks: Check) -> Check:
    """A check that asks one after the other, until one of them says why not."""

    async def ask() -> str | None:
        for check in checks:
            outcome = check()
            reason = await outcome if inspect.isawaitable(outcome) else outcome
            if reason is not None:
                return reason
        return None

    return ask


def in_thread(check: Callable[[], str | None]) -> Check:
    """A check that blocks. The threads of the loop may all be waiting for what it looks at."""

    async def ask() -> str | None:
        return await asyncio.get_running_loop().run_in_executor(_CHECKS, check)

    return ask


async def _outcome(check: Check) -> str | None:
    try:
        outcome = check()
        return await outcome if inspect.isawaitable(outcome) else outcome
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its reason
        return f"{type(error).__name__}: {error}"


def health_routes(health: Health) -> list[web.RouteDef]:
    """The three routes, for a service that already serves HTTP."""

    async def livez(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        report = await health.report()
        failing = any(reason is not None for reason in report.values())
        checks = {name: {"ok": reason is None, "reason": reason} for name, reason in report.items()}
        body = {"status": "failing" if failing else "ok", "checks": checks}
        return web.json_response(body, status=503 if failing else 200)

    async def metrics(_request: web.Request) -> web.Response:
        for name, reason in (await health.report()).items():
            CHECK_OK.labels(name).set(reason is None)
        text = await asyncio.get_running_loop().run_in_executor(_LOOKS, metrics_text)
        return web.Response(body=text, headers={"Content-Type": METRICS_CONTENT_TYPE})

    return [web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)]


async def serve_health(health: Health, host: str, port: int, stop: Stop, named: Sequence[str] = ()) -> None:
    """Serve the three routes until `stop`.

    Args:
        health: the checks.
        host: the address to listen on.
        port: 0 takes any free one, which the log line `health` names.
        stop: ends it.
        named: names under which others ask, beside addresses and those that no page can have.
    """
    doorkeeper = Doorkeeper(min(MOST_PROBES, most_connections()))
    app = web.Application(middlewares=[no_pages(named), doorkeeper.middleware])
    app.add_routes(health_routes(health))
    async with serving(app, doorkeeper, host, port) as bound:
        log.info("health", host=bound[0], port=bound[1])
        await stop.wait()


def no_pages(named: Sequence[str]) -> Middleware:
    """Refuses a browser that asks for a page: one of another origin, or of a name that only points here."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host")
        if host is not None and not is_nobodys_page(host, named):
            return web.Response(status=403, text=f"Host {host!r} is not served; name it in JDI_ALLOWED_HOSTS.\n")
        if "Origin" in request.headers:
            return web.Response(status=403, text="Pages may not ask here.\n")
        return await handler(request)

    return check
