"""One request to Jira: paced, limited in time and size, classified, and tried again where that can help."""

import asyncio
import http.cookiejar
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, NoneType
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_any
from tenacity.stop import stop_base

from libs.jira_client.failures.classify import (
    Answer,
    Context,
    announced_end,
    classify,
    classify_exception,
    out_of_time,
)
from libs.jira_client.failures.errors import ErrorCode, JiraError, JiraTimeout, RateLimited, Scope, Verdict, error_for
from libs.jira_client.http.allowances import allowances
from libs.jira_client.http.body import ACCEPT_ENCODING, ERROR_BODY, read_body
from libs.jira_client.http.counting import count_request
from libs.jira_client.http.deadline import seconds_given, seconds_left
from libs.jira_client.http.egress import pool
from libs.jira_client.http.json_text import decode
from libs.jira_client.http.observing import Observer, RequestEnded, unobserved
from libs.jira_client.http.pace import Limits
from libs.jira_client.http.proxy import Proxy
from libs.jira_client.http.redact import Redactor
from libs.jira_client.http.retry_after import http_date
from libs.jira_client.page_size import smaller_may_help
from libs.jira_client.settings import JiraSettings
from libs.jira_client.sign_in.ways import Call, Signed, SignIn

LONGEST_BACKOFF: Final = 30.0
"""Seconds between two tries when Jira names no time itself."""
GRACE: Final = 1.0
"""Seconds after a deadline in which a request that has failed by it is still classified and counted."""

SIGN_IN_SECONDS: Final = 30.0
"""Deadline of a call of the sign-in's own."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
Params = Mapping[str, str | int | Sequence[str]]


class Request(NamedTuple, Generic[T]):
    """What to ask, and what the answer must decode to."""

    endpoint: str
    """The method with the path's template, as in `GET /rest/api/3/field`: it names the call in errors and limits."""
    path: str
    kind: type[T]
    params: Params = MappingProxyType({})
    body: Mapping[str, Any] | None = None
    divisible: bool = False
    """Whether the caller asks for less where less may help: then the same is not asked again."""
    subject: str = ""
    """What the path's arguments name, as in `issue 10001`: for people, and never for a label of a metric or a span."""

    @property
    def method(self) -> str:
        return self.endpoint.partition(" ")[0]


class Response(NamedTuple, Generic[T]):
    value: T
    server_time: datetime | None
    """Jira's `Date` header, UTC."""


@dataclass
class _Head:
    """Status and headers of an answer, noted as they come: the rest of it may fail to arrive."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport:
    """Sends requests to one site, between `open` and `close`."""

    def __init__(
        self, settings: JiraSettings, limits: Limits, sign_in: SignIn, observer: Observer = unobserved
    ) -> None:
        self.requests = 0
        self._settings = settings
        self._limits = limits
        self._sign_in = sign_in
        self._observer = observer
        self._proxy = Proxy.parse(settings.proxy) if settings.proxy else None
        self._secrets: tuple[str, ...] = ()
        self._redact = Redactor()
        self._http = _http_client(settings, self._proxy)
        self._server_time: tuple[datetime, float] | None = None
        self._ending: set[str] = set()

    async def open(self) -> None:
        await self._http.__aenter__()

    async def close(self) -> None:
        await self._sign_in.close()
        await self._http.aclose()

    @property
    def server_now(self) -> datetime | None:
        """The last `Date` header plus the time since: never ahead of Jira's clock. None before the first answer."""
        if self._server_time is None:
            return None
        then, at = self._server_time
        return then + timedelta(seconds=self._limits.pulse.monotonic() - at)

    async def fetch(self, request: Request[T]) -> Response[T]:
        """The decoded answer. Raises JiraError, after `tries` tries where trying again can help.

        Where a `deadline` holds, it ends waits and tries too: with the last failure when there is no time for another
        try, else with a JiraTimeout that names the endpoint.
        """
        try:
            async with asyncio.timeout(_until(seconds_left() + GRACE)):
                return await self._tried(request)
        except (TimeoutError, JiraTimeout) as error:
            if seconds_left() > 0:
                raise
            raise error_for(out_of_time(seconds_given(), Context(endpoint=request.endpoint))) from error

    async def pause(self, attempt: int) -> None:
        """Wait as before another try, for a caller that asks for less."""
        await self._limits.pulse.sleep(self._backoff(attempt))

    async def _tried(self, request: Request[T]) -> Response[T]:
        if seconds_left() <= 0:
            raise TimeoutError
        retrying = AsyncRetrying(
            stop=stop_any(stop_after_attempt(self._settings.tries), _NoTimeForAnother()),
            wait=self._wait,
            retry=retry_if_exception(lambda error: self._worth_another_try(error, request)),
            sleep=self._limits.pulse.sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._attempt(request)
        raise AssertionError("tenacity ends by returning or raising")

    async def _attempt(self, request: Request[T]) -> Response[T]:
        """One try, as soon as the limits admit it. Raises JiraError."""
        async with self._limits.admission(request.endpoint):
            outcome = await self._observed(request)
            if isinstance(outcome, Response):
                self._limits.gate.answered(request.endpoint)
                return outcome
            # While the slot is still held: nobody passes between the refusal and the closing of the gate.
            self._slow_down(outcome, request.endpoint)
        _log.info("Jira call failed: %s %s", request.endpoint, outcome.code)
        raise outcome

    async def _observed(self, request: Request[T]) -> Response[T] | JiraError:
        head, monotonic = _Head(), self._limits.pulse.monotonic
        began = monotonic()
        outcome = await self._outcome(request, head)
        code = outcome.code.value if isinstance(outcome, JiraError) else ""
        left = allowances(request.endpoint, head.headers)
        self._observer(RequestEnded(request.endpoint, head.status, code, monotonic() - began, left))
        return outcome

    async def _outcome(self, request: Request[T], head: _Head) -> Response[T] | JiraError:
        """The response or the error; returned, so that the original, which may quote our headers, is not its cause."""
        try:
            answer, verdict = await self._answered(request, head)
            if verdict is None:
                self._note_end(request.endpoint, answer)
                return Response(_decoded(answer, request.kind), http_date(answer.headers.get("date")))
        except JiraError as error:
            return error
        except Exception as error:  # noqa: BLE001 (whatever it is, it is classified, and nothing is swallowed)
            verdict = classify_exception(error, self._context(request))
        return error_for(verdict)

    async def _answered(self, request: Request[T], head: _Head) -> tuple[Answer, Verdict | None]:
        """Jira's answer and what it means; where it does not take what we sign with, asked once more with another."""
        signed = await self._sign_in.signed(self._ask)
        answer, verdict = await self._judged(request, signed, head)
        if verdict is not None and verdict.code is ErrorCode.AUTH_EXPIRED:
            again = await self._sign_in.another(signed, self._ask)
            if again is not None:
                signed = again
                answer, verdict = await self._judged(request, signed, head)
        if verdict is None:
            self._sign_in.accepted(signed)
            return answer, None
        return answer, self._sign_in.meaning(verdict)

    async def _judged(self, request: Request[T], signed: Signed, head: _Head) -> tuple[Answer, Verdict | None]:
        answer = await self._send(request, signed, head)
        return answer, None if _says_nothing(request, answer) else classify(answer, self._context(request))

    def _context(self, request: Request[T]) -> Context:
        return Context(
            endpoint=request.endpoint, now=datetime.now(UTC), redact=self._redactor(), subject=request.subject
        )

    def _redactor(self) -> Redactor:
        """Made anew when a secret has changed."""
        secrets = (*self._sign_in.secrets, *(self._proxy.secrets if self._proxy else ()))
        if secrets != self._secrets:
            self._secrets, self._redact = secrets, Redactor(secrets)
        return self._redact

    async def _send(self, request: Request[T], signed: Signed, head: _Head) -> Answer:
        """The whole answer, within the total deadline."""
        outgoing = self._http.build_request(
            request.method,
            f"{signed.base_url}{request.path}",
            params=dict(request.params) or None,
            content=None if request.body is None else msgspec.json.encode(request.body),
            headers={"Authorization": signed.authorization}
            | ({} if request.body is None else {"Content-Type": "application/json"}),
        )
        async with asyncio.timeout(self._longest(request)):
            self.requests += 1
            count_request()
            try:
                return await self._exchange(outgoing, head, self._settings.max_body_bytes)
            finally:
                self._note_time(head.headers)

    async def _exchange(self, outgoing: httpx.Request, head: _Head, most: int) -> Answer:
        incoming = await self._http.send(outgoing, stream=True)
        head.status, head.headers = incoming.status_code, incoming.headers
        try:
            content = await read_body(incoming, most)
        finally:
            await incoming.aclose()
        return Answer(status_code=incoming.status_code, headers=incoming.headers, content=content)

    async def _ask(self, call: Call) -> Answer:
        """A call of the sign-in's own: no request to Jira, so that its limits do not hold for it, nor its count."""
        head, monotonic = _Head(), self._limits.pulse.monotonic
        outgoing = self._http.build_request(
            call.method,
            call.url,
            content=None if call.form is None else msgspec.json.encode(call.form),
            headers=({} if call.form is None else {"Content-Type": "application/json"})
            | ({"Authorization": call.authorization} if call.authorization else {}),
        )
        began = monotonic()
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                return await self._exchange(outgoing, head, ERROR_BODY)
        finally:
            self._observer(RequestEnded(call.endpoint, head.status, "", monotonic() - began, ()))

    def _longest(self, request: Request[T]) -> float:
        """Seconds that one try may take. Of a deadline, a request for less must have its share too."""
        left = seconds_left()
        return min(self._settings.total_seconds, left / 2 if request.divisible else left)

    def _note_time(self, headers: Mapping[str, str]) -> None:
        moment = http_date(headers.get("date"))
        if moment is not None:
            self._server_time = (moment, self._limits.pulse.monotonic())

    def _note_end(self, endpoint: str, answer: Answer) -> None:
        """An endpoint that Atlassian is going to remove is logged once, while it still answers."""
        announced = announced_end(answer.headers)
        if announced and endpoint not in self._ending:
            self._ending.add(endpoint)
            _log.warning("Atlassian announces the end of %s: %s", endpoint, self._redactor()(announced))

    def _slow_down(self, error: JiraError, endpoint: str) -> None:
        """Close the gate for as long as Jira asked: for the whole site, or for the endpoint alone.

        Not for a refusal that concerns the one call, whatever it asks for: the others are welcome.
        """
        seconds = error.retry_after if error.retryable else None
        if isinstance(error, RateLimited):
            seconds = seconds or self._settings.retry_base_seconds
        if seconds:
            whole_site = isinstance(error, RateLimited) and error.scope is Scope.SITE
            self._limits.gate.close(None if whole_site else endpoint, seconds, error)
        elif error.evidence.status is not None:
            self._limits.gate.answered(endpoint)

    def _worth_another_try(self, error: BaseException, request: Request[T]) -> bool:
        if not isinstance(error, JiraError) or not error.retryable:
            return False
        if request.divisible and smaller_may_help(error):
            return False
        return (error.retry_after or 0.0) <= self._settings.longest_wait_seconds

    def _wait(self, state: RetryCallState) -> float:
        """What Jira asked for is the least."""
        error = state.outcome.exception() if state.outcome else None
        asked = (error.retry_after or 0.0) if isinstance(error, JiraError) else 0.0
        spread = self._limits.pulse.chance.uniform(0.0, self._settings.retry_base_seconds / 4)
        return max(self._backoff(state.attempt_number), asked + spread)

    def _backoff(self, attempt: int) -> float:
        """Doubling waits, spread so that clients do not march in step."""
        doubled: float = self._settings.retry_base_seconds * 2 ** (attempt - 1)
        return min(LONGEST_BACKOFF, doubled) * self._limits.pulse.chance.uniform(0.7, 1.3)


def _says_nothing(request: Request[T], answer: Answer) -> bool:
    """Whether it is taken without a word, as is right where nothing was asked for."""
    return request.kind is NoneType and answer.status_code in (202, 204) and not answer.content.strip()


def _decoded(answer: Answer, kind: type[T]) -> T:
    """What was asked for; nothing of an answer to which nobody listens."""
    return cast(T, None) if kind is NoneType else decode(answer.content, kind)


def _until(seconds: float) -> float | None:
    return None if seconds == math.inf else seconds


class _NoTimeForAnother(stop_base):
    """The deadline comes before the next try."""

    def __call__(self, state: RetryCallState) -> bool:
        return state.upcoming_sleep >= seconds_left()


def _http_client(settings: JiraSettings, proxy: Proxy | None) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        headers={
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
            # Error texts in English: the classifier reads them.
            "Accept-Language": "en",
            "X-Force-Accept-Language": "true",
            "User-Agent": "jira-data-integrator",
        },
        timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
        follow_redirects=False,
        trust_env=False,
        transport=pool(
            connections=settings.max_concurrency,
            public_only=not settings.allow_insecure,
            tls=settings.tls,
            proxy=proxy,
            plain=settings.base_url.startswith("http://"),
        ),
    )
    # A session cookie would outlive the token it was made with and hide that the token has expired.
    client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return client
