"""Webhooks on a real port, into a real log, on both databases."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec
import pytest
import sqlalchemy
from aiohttp import ClientSession, web

from libs.events import Append, EventStore, migrate, open_store
from libs.events.hints import Heard, Hint, heard_checkpoint, hint_prefix, read_hint, stored_hint
from libs.read_tables import alert
from libs.runtime import Secret, engine, event_database
from services.graphql.hooks.keeping import MOST_WAITING, Keeper
from services.graphql.hooks.receiving import receiver_of
from services.graphql.hooks.settings import HookSettings
from services.graphql.ingestor import Ingestor
from tests.eventually import until
from tests.integration.graphql.conftest import TOKEN, app_over
from tests.servers.addresses import free_port

SITE, PATH, SECRET = "acme", "a-path-that-nobody-guesses", "a-secret-that-nobody-guesses"
ISSUE = {"webhookEvent": "jira:issue_updated", "issue": {"id": "10001", "fields": {"project": {"key": "DEMO"}}}}


class Site:
    """The service with its log, and what the ingestor was told."""

    def __init__(self, url: str, store: EventStore, http: ClientSession, keeper: Keeper) -> None:
        self.url, self.store, self.http, self.keeper = url, store, http, keeper
        self.told = 0

    async def send(self, body: Any, *, path: str = f"{SITE}/{PATH}", secret: str = SECRET, **headers: str) -> int:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        if secret:
            signed = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={signed}"
        async with self.http.post(f"{self.url}/hooks/{path}", data=content, headers=headers) as response:
            await response.read()
            return response.status

    async def ask(self, query: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.http.post(f"{self.url}/graphql", json={"query": query}, headers=headers) as response:
            answer = await response.json()
            assert "errors" not in answer, answer
            return answer["data"]

    def hints(self) -> list[str]:
        """The issues whose hints wait, one by one."""
        found = (read_hint(content) for content in self.store.checkpoints(hint_prefix(SITE)).values())
        return sorted(hint.issue for hint in found if hint is not None)

    def heard(self) -> Heard | None:
        content = self.store.checkpoint(heard_checkpoint(SITE))
        return None if content is None else msgspec.json.decode(content, type=Heard)


@asynccontextmanager
async def site_of(tables: sqlalchemy.Engine, settings: HookSettings) -> AsyncIterator[Site]:
    url = event_database(tables.url.render_as_string(hide_password=False))
    migrate(url)
    store = open_store(url)
    reading = engine(tables.url.render_as_string(hide_password=False), read_only=True)

    async def tell(_site: str) -> None:
        running.told += 1

    keeper = Keeper(SITE, lambda: open_store(url), tell)
    ingestor = Ingestor(f"127.0.0.1:{free_port()}", "default", lambda: b"")
    app = app_over(tables, reading, ingestor, hooks=receiver_of(settings, keeper))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        running = Site(f"http://127.0.0.1:{runner.addresses[0][1]}", store, http, keeper)
        yield running
    await runner.cleanup()
    await keeper.close()
    reading.dispose()
    store.close()


SIGNED = HookSettings(hook_path=Secret(PATH), hook_secret=Secret(SECRET), no_proxy="")


async def test_a_hint_is_stored_when_it_is_answered(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, SIGNED) as site:
        assert await site.send(ISSUE) == 200
        assert site.hints() == ["10001"]
        heard = site.heard()
        assert heard is not None
        assert (heard.event, heard.signed) == ("jira:issue_updated", True)
        await until(lambda: site.told)
        # What names no issue is heard, and asks for nothing.
        assert await site.send({"webhookEvent": "user_created"}) == 200
        assert site.hints() == ["10001"]


WEBHOOKS = (
    "{ webhooks { site taken lastAt lastEvent lastSigned waiting waitingSince refused lastRefusal silentSince } }"
)


async def test_operators_see_whether_hooks_come(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, SIGNED) as site:
        before: dict[str, Any] = {"taken": True, "lastAt": None, "lastEvent": None, "lastSigned": None}
        waiting = {"waiting": 0, "waitingSince": None, "refused": 0, "lastRefusal": None}
        before |= {"site": SITE, "silentSince": None}
        assert await site.ask(WEBHOOKS) == {"webhooks": before | waiting}
        assert await site.send(ISSUE) == 200
        seen = (await site.ask(WEBHOOKS))["webhooks"]
        assert (seen["lastEvent"], seen["lastSigned"], seen["waiting"]) == ("jira:issue_updated", True, 1)
        assert seen["lastAt"] == seen["waitingSince"]
        assert await site.send(ISSUE, secret="another secret of some length") == 401
        assert await site.send(ISSUE, secret="") == 401
        seen = (await site.ask(WEBHOOKS))["webhooks"]
        assert (seen["refused"], "JIRA_HOOK_SECRET" in seen["lastRefusal"]) == (2, True)
    async with site_of(read_tables, HookSettings(no_proxy="")) as site:
        assert await site.ask("{ webhooks { taken waiting } }") == {"webhooks": {"taken": False, "waiting": 0}}


async def test_operators_see_since_when_hooks_are_silent(read_tables: sqlalchemy.Engine) -> None:
    def row(number: int, code: str, status: str) -> dict[str, object]:
        texts = dict.fromkeys(("fingerprint", "message", "advice", "docs"), "")
        places = {"raised_position": number, "changed_position": number, "version": number}
        of_site = {"site": SITE, "project_key": "", "category": "latency", "severity": "warning", "count": 1}
        seen = {"first_seen": f"2026-01-0{number}T00:00:00+00:00", "last_seen": "2026-01-09T00:00:00+00:00"}
        return {"alert_id": f"a{number}", "code": code, "status": status, **texts, **places, **of_site, **seen}

    rows = [
        row(1, "WEBHOOKS_SILENT", "RESOLVED"),
        row(2, "STREAM_GAP", "OPEN"),
        row(3, "WEBHOOKS_SILENT", "ACKNOWLEDGED"),
    ]
    with read_tables.begin() as connection:
        connection.execute(alert.insert(), rows)
    async with site_of(read_tables, SIGNED) as site:
        seen = await site.ask("{ webhooks { silentSince } }")
        assert seen == {"webhooks": {"silentSince": "2026-01-03T00:00:00+00:00"}}


async def test_forged_ones_are_refused_and_leave_nothing(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, SIGNED) as site:
        assert await site.send(ISSUE, secret="another secret of some length") == 401
        assert await site.send(ISSUE, secret="") == 401
        assert await site.send(ISSUE, secret="", Authorization="Bearer a.b.c") == 401
        assert await site.send(ISSUE, path=f"{SITE}/another-path-of-some-length") == 404
        assert await site.send(ISSUE, path=f"another/{PATH}") == 404
        assert await site.send(ISSUE, Origin="https://evil.example") == 403
        assert await site.send(ISSUE, Host="evil.example") == 403
        assert (site.hints(), site.heard(), site.told) == ([], None, 0)


async def test_an_oauth_apps_webhooks_bring_a_token(read_tables: sqlalchemy.Engine) -> None:
    app = "the-client-secret-of-the-app-which-is-long-enough"
    token, forged = (f"Bearer {jwt.encode({}, secret, algorithm='HS256')}" for secret in (app, f"not {app}"))
    settings = HookSettings(hook_path=Secret(PATH), hook_oauth_secret=Secret(app), no_proxy="")
    async with site_of(read_tables, settings) as site:
        assert await site.send(ISSUE, secret="", Authorization=forged) == 401
        assert await site.send(ISSUE, secret="") == 401
        assert site.hints() == []
        assert await site.send(ISSUE, secret="", Authorization=token) == 200
        heard = site.heard()
        assert heard is not None
        assert heard.signed
    # Whoever cannot judge a token takes it for none.
    async with site_of(read_tables, HookSettings(hook_path=Secret(PATH), no_proxy="")) as site:
        assert await site.send(ISSUE, secret="", Authorization=token) == 200


async def test_without_a_secret_the_path_alone_tells(read_tables: sqlalchemy.Engine) -> None:
    settings = HookSettings(hook_path=Secret(f"{PATH},another-path-of-some-length"), no_proxy="")
    async with site_of(read_tables, settings) as site:
        assert await site.send(ISSUE, secret="") == 200
        assert await site.send(ISSUE, secret="", path=f"{SITE}/another-path-of-some-length") == 200
        heard = site.heard()
        assert heard is not None
        assert not heard.signed
        # One that is signed with a secret that we do not have is no hint of ours.
        assert await site.send(ISSUE) == 401


async def test_without_a_path_there_is_no_such_address(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, HookSettings(no_proxy="")) as site:
        assert await site.send(ISSUE) == 404


async def test_a_large_issue_is_taken_and_a_larger_one_is_not(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, SIGNED) as site:
        assert await site.send({**ISSUE, "text": "x" * 900_000}) == 200
        assert await site.send({**ISSUE, "text": "x" * 1_100_000}) == 413
        assert site.hints() == ["10001"]


async def test_a_flood_makes_few_transactions_and_loses_no_issue(
    read_tables: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended: list[Append] = []
    append = EventStore.append

    def counted(store: EventStore, batch: Append) -> Any:
        appended.append(batch)
        return append(store, batch)

    monkeypatch.setattr(EventStore, "append", counted)
    async with site_of(read_tables, SIGNED) as site:
        bodies = [{"issue": {"id": str(10_000 + number % 50)}} for number in range(500)]
        assert set(await asyncio.gather(*(site.send(body) for body in bodies))) == {200}
        assert set(site.hints()) == {str(10_000 + number) for number in range(50)}
        assert len(appended) < 250
        await until(lambda: site.told)
        assert site.told < len(appended)


async def test_while_the_log_is_away_jira_is_told_to_send_again(
    read_tables: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = EventStore.append

    def away(_store: EventStore, _batch: Append) -> Any:
        raise OSError("the disk is away")

    async with site_of(read_tables, SIGNED) as site:
        monkeypatch.setattr(EventStore, "append", away)
        assert await site.send(ISSUE) == 503
        monkeypatch.setattr(EventStore, "append", append)
        # What was not stored comes with the next one, so that two who wait for one transaction are never told a lie.
        assert await site.send({"issue": {"id": "10002"}}) == 200
        assert set(site.hints()) == {"10001", "10002"}


async def test_more_than_can_be_kept_are_refused(read_tables: sqlalchemy.Engine) -> None:
    async with site_of(read_tables, SIGNED) as site:
        site.keeper._waiting = dict.fromkeys(map(str, range(MOST_WAITING)))  # type: ignore[assignment]
        assert await site.send(ISSUE) == 503
        site.keeper._waiting = {}


def test_hints_of_one_issue_have_names_of_their_own() -> None:
    hint = Hint(issue="1", at=datetime.now(UTC))
    names = {stored_hint(SITE, hint)[0] for _ in range(100)}
    assert len(names) == 100
    assert read_hint(stored_hint(SITE, hint)[1]) == hint
    assert read_hint(b"\xff") is None
