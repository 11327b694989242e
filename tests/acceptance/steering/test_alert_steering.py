"""What people do about alerts and notifications by GraphQL, end to end: the answers are what log and tables hold."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.events import (
    AlertAcknowledged,
    AlertRaised,
    Append,
    Change,
    Event,
    EventStore,
    FailureKind,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
    stream_id,
)
from libs.temporal.messages import ApplyBackoff, ClearBackoff
from services.graphql.api.alerts import mutations as alert_mutations
from services.graphql.api.alerts.queries import AlertQueries
from services.graphql.reading.reader import Reader
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.console import TOKEN, Console, console_over
from tests.acceptance.steering.control import QUARTERLY
from tests.eventually import until
from tests.servers.addresses import TemporalServer, sqlite_log

ALERT = "alert { id status acknowledgedBy acknowledgement resolvedBy resolution silencedUntil }"
NOTICE = "notification { id state channel recipients attempts failure { code } }"
ERRORS = "userErrors { code message field }"


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture
async def console(store: EventStore, temporal: TemporalServer) -> AsyncIterator[Console]:
    async with console_over(store, temporal.address) as running:
        yield running


async def append(console: Console, event: Event) -> None:
    store = console.desk.pipeline.store
    await asyncio.to_thread(store.append, Append(changes=[Change(event=event)]))


def shared(console: Console, kind: str, name: str) -> dict[str, Any]:
    site = console.desk.pipeline.site
    return {"stream_id": stream_id(site, kind, name), "site": site, "occurred_at": datetime.now(UTC), "cause": "test"}


def raised(console: Console) -> AlertRaised:
    return AlertRaised(
        **shared(console, "control", "DEMO"),
        project="DEMO",
        alert_id="a-1",
        fingerprint="f00d",
        code="SUSPENDED_PAYMENT",
        category="billing",
        severity="critical",
        message="The site is suspended.",
        advice="Pay.",
        first_seen=datetime.now(UTC),
        last_seen=datetime.now(UTC),
        count=1,
    )


async def mutated(console: Console, mutation: str, fields: str) -> dict[str, Any]:
    (payload,) = (await console.data(f"mutation {{ {mutation} {{ {fields} {ERRORS} }} }}")).values()
    return dict(payload)


async def shown(console: Console, query: str) -> dict[str, Any]:
    """The data of a query, as soon as none of it is empty."""
    return await until(lambda: console.data(query), lambda data: all(data.values()))


@contextlib.asynccontextmanager
async def watched(console: Console) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The console's events of a browser, behind the first."""
    query = "subscription { consoleEvents { alerts { id status silencedUntil notifications { state } } } }"
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {TOKEN}"}

    async def events(content: Any) -> AsyncIterator[dict[str, Any]]:
        async for line in content:
            if line.startswith(b"data:") and line.strip() != b"data:":
                yield json.loads(line.removeprefix(b"data:"))["data"]["consoleEvents"]

    async with console.http.get(f"{console.url}/graphql", params={"query": query}, headers=headers) as response:
        told = events(response.content)
        assert (await anext(told))["alerts"] == []
        yield told


async def next_alert(told: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    """The one alert of the next event that names any."""
    async with asyncio.timeout(60):
        while not (alerts := (await anext(told))["alerts"]):
            pass
    (alert,) = alerts
    return dict(alert)


async def test_an_alert_is_acknowledged_silenced_and_resolved_before_everybodys_eyes(console: Console) -> None:
    await console.desk.register()
    await shown(console, "{ projects { uid } }")
    async with watched(console) as told:
        await append(console, raised(console))
        assert (await next_alert(told))["status"] == "OPEN"

        again = 'acknowledgeAlert(id: "a-1", reason: "I pay", idempotencyKey: "once")'
        for _ in range(2):
            payload = await mutated(console, again, ALERT)
            assert payload["userErrors"] == []
            alert = payload["alert"]
            assert (alert["status"], alert["acknowledgedBy"], alert["acknowledgement"]) == (
                "ACKNOWLEDGED",
                "admin",
                "I pay",
            )
        assert sum(isinstance(event, AlertAcknowledged) for event in console.desk.events()) == 1
        assert (await next_alert(told))["status"] == "ACKNOWLEDGED"

        payload = await mutated(
            console,
            'silenceAlerts(projectId: "DEMO", code: "SUSPENDED_PAYMENT", minutes: 30, reason: "known")',
            "silences { code until by reason }",
        )
        (silence,) = payload["silences"]
        assert (silence["code"], silence["by"], silence["reason"]) == ("SUSPENDED_PAYMENT", "admin", "known")
        assert (await next_alert(told))["silencedUntil"] == silence["until"]
        lift = 'silenceAlerts(projectId: "DEMO", code: "SUSPENDED_PAYMENT", minutes: 0)'
        assert (await mutated(console, lift, "silences { until }")) == {"silences": [], "userErrors": []}
        assert (await next_alert(told))["silencedUntil"] is None

        payload = await mutated(console, 'resolveAlert(id: "a-1", reason: "paid")', ALERT)
        alert = payload["alert"]
        assert (alert["status"], alert["resolution"], alert["resolvedBy"]) == ("RESOLVED", "BY_HAND", "admin")
        assert (await next_alert(told))["status"] == "RESOLVED"
    data = await console.data(
        '{ projectChanges(projectId: "DEMO") { kind reason } project(projectId: "DEMO") { alerts { id } } }'
    )
    assert [change["kind"] for change in data["projectChanges"][:4]] == [
        "ALERT_RESOLVED",
        "ALERTS_UNSILENCED",
        "ALERTS_SILENCED",
        "ALERT_ACKNOWLEDGED",
    ]
    assert data["project"]["alerts"] == []


@pytest.mark.parametrize("mutation", ["acknowledgeAlert", "resolveAlert"])
async def test_what_is_no_alert_is_said(console: Console, mutation: str) -> None:
    payload = await mutated(console, f'{mutation}(id: "a-9")', ALERT)
    assert payload["alert"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("UNKNOWN_ALERT", "id")]


async def test_a_job_tells_how_it_is_slowed_down_and_when_it_runs_next(console: Console) -> None:
    await console.desk.register(QUARTERLY)
    anchor = datetime.now(UTC)
    state = console.desk.state()
    await console.desk.do(
        ApplyBackoff,
        level=3,
        code="SUSPENDED_PAYMENT",
        failures=5,
        seconds=7200,
        anchor=anchor,
        run_id="run",
        expected_version=state.backoff.version,
    )
    query = "{ syncJobs { nextRunAt upcomingRuns(count: 1) backoff { level code failures seconds nextRunAt } } }"
    await until(lambda: console.desk.state().backoff.level == 3)
    slow = await _job(console, query, slow=True)
    assert slow["backoff"] == {
        "level": 3,
        "code": "SUSPENDED_PAYMENT",
        "failures": 5,
        "seconds": 7200,
        "nextRunAt": slow["nextRunAt"],
    }
    assert slow["upcomingRuns"] == [slow["nextRunAt"]]
    due = datetime.fromisoformat(slow["nextRunAt"])
    assert due == anchor.replace(microsecond=0) + timedelta(hours=2)
    settled = console.desk.state().backoff.version
    await console.desk.do(ClearBackoff, run_id="run", expected_version=settled, reason="a run succeeded")
    quick = await _job(console, query, slow=False)
    assert quick["upcomingRuns"] == [quick["nextRunAt"]]
    assert datetime.fromisoformat(quick["nextRunAt"]).minute % 15 == 0


async def _job(console: Console, query: str, *, slow: bool) -> dict[str, Any]:
    async def job() -> dict[str, Any] | None:
        jobs: list[dict[str, Any]] = (await console.data(query))["syncJobs"]
        return next((job for job in jobs[:1] if (job["backoff"] is not None) == slow), None)

    return await until(job) or {}


async def test_a_test_notice_is_answered_with_what_came_of_it(console: Console) -> None:
    async with notifying(console):
        send = 'sendTestNotification(channel: EMAIL, to: ["ops@acme.example"], idempotencyKey: "button")'
        first, second = await mutated(console, send, NOTICE), await mutated(console, send, NOTICE)
        assert first == second
        assert first["userErrors"] == []
        told = first["notification"]
        assert (told["state"], told["channel"], told["recipients"]) == ("SENT", "EMAIL", ["ops@acme.example"])
        assert (told["attempts"], told["failure"]) == (1, None)


async def test_without_a_notifier_one_is_told_what_happens_next(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_mutations, "TRIED_SECONDS", 0.5)
    payload = await mutated(console, "sendTestNotification(channel: SLACK)", NOTICE)
    (error,) = payload["userErrors"]
    assert (error["code"], "It tries when it is back" in error["message"]) == ("NO_ANSWER", True)


async def test_a_dead_notice_is_tried_again_once(console: Console) -> None:
    request = shared(console, "notice", "n-1")
    await append(
        console,
        NotificationFailed(
            **request,
            project="",
            notification_id="n-1",
            channel="email",
            reason=NotificationReason.TEST,
            subject="A test",
            recipients=("ops@acme.example",),
            kind=FailureKind.CONFIG,
            code="NOT_CONFIGURED",
            message="No mail server is set.",
        ),
    )
    dead = await shown(console, "{ notifications(state: DEAD) { id failure { code } } }")
    assert dead["notifications"] == [{"id": "n-1", "failure": {"code": "NOT_CONFIGURED"}}]
    async with notifying(console):
        payload = await mutated(console, 'redriveNotification(id: "n-1")', NOTICE)
        assert payload["userErrors"] == []
        assert (payload["notification"]["state"], payload["notification"]["attempts"]) == ("SENT", 2)
    again = await mutated(console, 'redriveNotification(id: "n-1")', NOTICE)
    assert [error["code"] for error in again["userErrors"]] == ["NOT_DEAD"]
    unknown = await mutated(console, 'redriveNotification(id: "n-2")', NOTICE)
    assert [error["code"] for error in unknown["userErrors"]] == ["UNKNOWN_NOTIFICATION"]


@contextlib.asynccontextmanager
async def notifying(console: Console) -> AsyncIterator[None]:
    """In the notifier's place: sends whatever it is asked for from now on."""
    store = console.desk.pipeline.store
    task = asyncio.create_task(_send_all(console, await asyncio.to_thread(store.head)))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _send_all(console: Console, position: int) -> None:
    store = console.desk.pipeline.store
    while True:
        for recorded in await asyncio.to_thread(store.read, position, 100):
            position = recorded.position
            asked = recorded.event
            if isinstance(asked, NotificationRequested | NotificationRedriven):
                await append(console, _sent(console, asked))
        await asyncio.to_thread(store.wait, position, 0.2)


def _sent(console: Console, asked: NotificationRequested | NotificationRedriven) -> NotificationSent:
    return NotificationSent(
        **shared(console, "notice", asked.notification_id),
        project="",
        notification_id=asked.notification_id,
        channel=asked.channel,
        reason=NotificationReason.TEST,
        subject="A test",
        recipients=asked.to if isinstance(asked, NotificationRequested) else (),
    )


async def test_an_alert_of_the_site_is_shown_acknowledged_and_resolved(console: Console) -> None:
    await console.desk.register()
    site = console.desk.pipeline.site
    with contextlib.closing(EventLog(console.desk.pipeline.store)) as log:
        await SiteAlerts(log, site).raise_once("FOREIGN_MESSAGE", "Somebody else publishes.")
    query = "{ alerts { id code projectKey projectUid message category status runId } projects { key } }"
    found = await shown(console, query)
    [alert] = found["alerts"]
    assert (alert["code"], alert["projectKey"], alert["projectUid"]) == ("FOREIGN_MESSAGE", "", f"{site}:")
    assert [project["key"] for project in found["projects"]] == ["DEMO"]

    payload = await mutated(console, f'acknowledgeAlert(id: "{alert["id"]}", reason: "I look")', ALERT)
    assert payload["userErrors"] == []
    assert payload["alert"]["status"] == "ACKNOWLEDGED"
    payload = await mutated(console, f'resolveAlert(id: "{alert["id"]}", reason: "It was me")', ALERT)
    assert payload["userErrors"] == []
    assert (payload["alert"]["status"], payload["alert"]["resolvedBy"]) == ("RESOLVED", "admin")
    with contextlib.closing(EventLog(console.desk.pipeline.store)) as log:
        assert await SiteAlerts(log, site).open_codes() == frozenset()
    reader = Reader(console.desk.pipeline.tables, frozenset({(site, "DEMO")}))
    assert await reader.of(AlertQueries).alert(alert["id"]) is None
    assert await reader.within(None).of(AlertQueries).alert(alert["id"]) is not None
