"""The webhooks of an OAuth app at the simulated Jira: registered, refreshed, found again, and told when refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from libs.events import (
    Append,
    Change,
    ControlEvent,
    ProjectKey,
    ProjectRegistered,
    ProjectUnregistered,
)
from libs.jira_client import JiraClient, JiraSettings, OAuthSettings
from libs.jira_simulator.api.oauth import CLIENT_ID, CLIENT_SECRET
from libs.jira_simulator.api.webhooks import LIFETIME_MS
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.ingestor.checkpoints import CheckpointNames, registered_checkpoint
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.registration.keeping import EVERY, REFUSED_FOR, Registration
from services.ingestor.hints.registration.wanted import EVENTS

SITE = "acme"
URL = "https://jdi.example.com/hooks/acme/a-secret-path-of-ours"
PROJECTS = ("ALPHA", "BETA", "GAMMA")
DAY = timedelta(days=1)


class World(NamedTuple):
    jira: Simulator
    client: JiraClient
    log: EventLog
    alerts: SiteAlerts
    registration: Registration

    async def register(self, *keys: str) -> None:
        for key in keys:
            project = ProjectKey(SITE, key)
            event = ProjectRegistered(
                **ControlEvent.envelope(key, project, occurred_at=datetime.now(UTC), cause="test"),
                key=key,
                cron="0 0 1 1 *",
                timezone="UTC",
                schedule_id=f"s-{key}",
                workflow_id=f"w-{key}",
            )
            checkpoints = {registered_checkpoint(project): b"", CheckpointNames(project).watermarks: b"{}"}
            await self.log.append(Append(changes=[Change(event=event)], checkpoints=checkpoints))

    async def unregister(self, key: str) -> None:
        project = ProjectKey(SITE, key)
        event = ProjectUnregistered(
            **ControlEvent.envelope(key, project, occurred_at=datetime.now(UTC), cause="test"), reason="test"
        )
        await self.log.append(Append(changes=[Change(event=event)], forget=[registered_checkpoint(project)]))

    async def look(self, later: timedelta = timedelta(0)) -> int:
        """How many requests it took."""
        before = self.client.requests
        await self.registration.look(datetime.now(UTC) + later)
        return self.client.requests - before

    @property
    def hooks(self) -> dict[int, dict[str, Any]]:
        return self.jira.webhooks.registered

    def filters(self) -> list[str]:
        return sorted(hook["jqlFilter"] for hook in self.hooks.values())

    def age(self, **days: int) -> None:
        """So many days are left to each, or to one."""
        for id_, hook in self.hooks.items():
            if (left := days.get(f"_{id_}", days.get("all"))) is not None:
                hook["expirationDate"] += left * 86_400_000 - LIFETIME_MS

    async def told(self) -> frozenset[str]:
        return await self.alerts.open_codes()


def restarted(world: World, url: str = URL) -> World:
    registration = Registration(world.log, world.client, world.alerts, SITE, url)
    return world._replace(registration=registration)


@pytest.fixture
async def world(log: EventLog) -> AsyncIterator[World]:
    async with serve(Dataset.generate(projects=PROJECTS, issues=30)) as jira:
        oauth = OAuthSettings(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            token_url=f"{jira.base_url}/oauth/token",
            gateway=jira.base_url,
        )
        settings = JiraSettings(base_url=jira.base_url, oauth=oauth, allow_insecure=True, retry_base_seconds=0.01)
        async with JiraClient(settings) as client:
            alerts = SiteAlerts(log, SITE)
            yield World(jira, client, log, alerts, Registration(log, client, alerts, SITE, URL))


async def test_one_webhook_follows_the_projects(world: World) -> None:
    await world.look()
    assert world.hooks == {}
    await world.register("ALPHA", "BETA")
    assert await world.look() == 2
    ((id_, hook),) = world.hooks.items()
    assert hook["jqlFilter"] == 'project in ("ALPHA", "BETA")'
    assert (hook["url"], hook["events"]) == (URL, list(EVENTS))
    assert await world.look() == 0, "nothing has changed"
    assert await world.look(EVERY) == 1
    assert [*world.hooks] == [id_]
    await world.register("GAMMA")
    await world.look()
    assert world.filters() == ['project in ("ALPHA", "BETA", "GAMMA")']
    for key in PROJECTS:
        await world.unregister(key)
    await world.look()
    assert world.hooks == {}


async def test_a_lost_one_is_found_within_the_hour_and_at_a_start(world: World) -> None:
    await world.register("ALPHA")
    await world.look()
    world.jira.webhooks.lose()
    await world.look(EVERY)
    assert len(world.hooks) == 1
    world.jira.webhooks.lose()
    await restarted(world).look()
    assert len(world.hooks) == 1
    ids = [*world.hooks]
    await restarted(world).look()
    assert [*world.hooks] == ids


@pytest.mark.parametrize("as_text", [False, True])
async def test_it_is_refreshed_well_before_it_ends(world: World, as_text: bool) -> None:
    world.jira.webhooks.as_text = as_text
    await world.register("ALPHA")
    await world.look()
    ids = [*world.hooks]
    world.age(all=24)
    assert await world.look(EVERY) == 1
    world.age(all=22 + 6)
    assert await world.look(EVERY * 2) == 2
    (hook,) = world.hooks.values()
    assert hook["expirationDate"] > (datetime.now(UTC) + 29 * DAY).timestamp() * 1000
    assert [*world.hooks] == ids


async def test_a_clock_of_ours_that_is_wrong_changes_nothing(world: World) -> None:
    """When a webhook ends is compared with Jira's own clock."""
    await world.register("ALPHA")
    await world.look()
    before = {id_: dict(hook) for id_, hook in world.hooks.items()}
    for jump in (400 * DAY, -400 * DAY):
        assert await restarted(world).look(jump) == 1
        assert world.hooks == before


async def test_one_that_a_refresh_passes_over_is_registered_anew(world: World) -> None:
    await world.register("ALPHA")
    await world.look()
    (old,) = world.hooks
    world.jira.webhooks.refreshes = []
    world.age(all=10)
    await world.look(EVERY)
    assert [*world.hooks] == [old]
    world.age(all=26)
    await world.look(EVERY * 2)
    (new,) = world.hooks
    assert new != old


async def test_all_pages_of_the_list_are_read(world: World) -> None:
    world.jira.webhooks.page = 1
    await world.register("ALPHA")
    theirs = {
        "jqlFilter": "project = GAMMA",
        "events": [],
        "url": "https://other.example.com/",
        "expirationDate": 10**15,
    }
    world.hooks.update({number: dict(theirs) for number in (1, 2, 3)})
    await world.look()
    (ours,) = {*world.hooks} - {1, 2, 3}
    await restarted(world).look()
    assert {*world.hooks} == {1, 2, 3, ours}


async def test_only_our_own_are_removed_whatever_ids_are_used_again(world: World) -> None:
    await world.register("ALPHA")
    await world.look()
    (ours,) = world.hooks
    theirs = {
        "jqlFilter": "project = GAMMA",
        "events": [],
        "url": "https://other.example.com/",
        "expirationDate": 10**15,
    }
    world.hooks[ours] = dict(theirs)
    await world.look(EVERY)
    assert world.hooks[ours] == theirs
    assert len(world.hooks) == 2
    world = restarted(world, "")
    await world.look()
    assert [*world.hooks] == [ours]
    assert await restarted(world, "").look() == 0


async def test_after_a_change_of_address_the_old_one_goes(world: World) -> None:
    await world.register("ALPHA")
    await world.look()
    world = restarted(world, f"{URL}-new")
    await world.look()
    assert [hook["url"] for hook in world.hooks.values()] == [f"{URL}-new"]


async def test_a_project_that_jira_does_not_take_is_told_and_does_not_cost_the_others(world: World) -> None:
    await world.register("ALPHA", "GONE")
    await world.look()
    assert world.filters() == ['project in ("ALPHA")']
    assert await world.told() == {"WEBHOOKS_REFUSED"}
    ids = [*world.hooks]
    assert await world.look(EVERY) == 1, "not again each hour"
    assert [*world.hooks] == ids
    assert await world.told() == {"WEBHOOKS_REFUSED"}
    await world.unregister("GONE")
    await world.look(EVERY)
    assert await world.told() == frozenset()
    await world.register("GONE")
    await world.look(EVERY)
    world.jira.mutations.create_project("GONE")
    await world.look(EVERY + REFUSED_FOR)
    assert world.filters() == ['project in ("ALPHA", "GONE")']
    assert await world.told() == frozenset()


async def test_where_there_is_no_place_left_that_is_told_and_what_is_there_stays(world: World) -> None:
    theirs = {
        "jqlFilter": "project = GAMMA",
        "events": [],
        "url": "https://other.example.com/",
        "expirationDate": 10**15,
    }
    world.hooks.update({number: dict(theirs) for number in range(5)})
    await world.register("ALPHA")
    await world.look()
    assert await world.told() == {"WEBHOOKS_REFUSED"}
    assert {*world.hooks} == {*range(5)}
    world.jira.webhooks.lose(0)
    await world.look(EVERY)
    assert await world.told() == frozenset()
    await world.register("BETA")
    await world.look(EVERY)
    assert [hook["jqlFilter"] for hook in world.hooks.values() if hook["url"] == URL] == [
        'project in ("ALPHA", "BETA")'
    ]


async def test_whoever_is_no_app_is_told(world: World) -> None:
    settings = JiraSettings(base_url=world.jira.base_url, email=EMAIL, token=TOKEN, allow_insecure=True)
    await world.register("ALPHA")
    async with JiraClient(settings) as client:
        registration = Registration(world.log, client, world.alerts, SITE, URL)
        await registration.look(datetime.now(UTC))
    assert await world.told() == {"WEBHOOKS_REFUSED"}
    await world.look()
    assert await world.told() == frozenset()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(match="/webhook", method="POST", status=200, body={"webhookRegistrationResult": []}),
        Fault(match="/webhook", method="POST", status=200, body={"webhookRegistrationResult": [{}]}),
        Fault(
            match="/webhook",
            method="POST",
            status=200,
            body={"webhookRegistrationResult": [{"createdWebhookId": None}]},
        ),
        Fault(match="/webhook", method="POST", status=200, body={}),
        Fault(match="/webhook", method="POST", kind="html", status=200, body="<html>"),
        Fault(match="/webhook", method="POST", kind="truncate"),
        Fault(match="/webhook", method="GET", kind="half_list"),
        Fault(match="/webhook", method="GET", status=500, times=3),
        Fault(match="/webhook", method="GET", status=200, body={"values": [{"id": "x"}, 7, {}], "isLast": True}),
    ],
    ids=lambda fault: f"{fault.method} {fault.kind} {fault.body}"[:60],
)
async def test_odd_answers_are_outlived(world: World, fault: Fault) -> None:
    """In the end there is one webhook, whatever was answered once."""
    fault.times = max(fault.times or 1, 3)
    world.jira.faults.add(fault)
    await world.register("ALPHA")
    await world.look()
    world.jira.faults.clear()
    await world.look(EVERY)
    await world.look(EVERY * 2)
    assert world.filters() == ['project in ("ALPHA")']
    assert await world.told() == frozenset()


async def test_what_passes_by_itself_is_tried_again_at_the_next_look(world: World) -> None:
    await world.register("ALPHA")
    world.jira.faults.add(Fault(match="/webhook", method="GET", status=503, times=3))
    await world.look()
    assert world.hooks == {}
    await world.look()
    assert len(world.hooks) == 1
    assert await world.told() == frozenset()


async def test_a_removal_that_fails_is_made_up_for(world: World) -> None:
    await world.register("ALPHA")
    await world.look()
    world.jira.faults.add(Fault(match="/webhook", method="DELETE", status=500, times=3))
    await world.register("BETA")
    await world.look()
    assert len(world.hooks) == 2
    await world.look(EVERY)
    assert world.filters() == ['project in ("ALPHA", "BETA")']
