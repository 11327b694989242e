"""What is closed, as the API shows it, and whose word counts when it is opened."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from libs.access import Principal, Role
from libs.temporal.commands import CommandFailedError, CommandRefusedError
from libs.temporal.messages import (
    AnyQuestion,
    Closing,
    FindClosings,
    FindLateness,
    LateChanges,
    Lateness,
    OpenGate,
    Options,
)
from services.graphql.api.context import Defaults
from services.graphql.api.schema import schema
from services.graphql.execution.limits import Limits
from services.graphql.ingestor import Discovery

CLOSINGS = (
    Closing(
        endpoint=None, until=datetime(2026, 3, 1, 12, tzinfo=UTC), code="RATE_LIMIT", message="Slow.", advice="No."
    ),
    Closing(endpoint="GET /a", until=None, code="QUOTA_EXHAUSTED", message="Used up.", advice="Wait."),
)
SHOWN = [
    {"endpoint": None, "until": "2026-03-01T12:00:00+00:00", "probeDue": False, "code": "RATE_LIMIT"},
    {"endpoint": "GET /a", "until": None, "probeDue": True, "code": "QUOTA_EXHAUSTED"},
]
QUERY = "{ jiraClosings { endpoint until probeDue code } }"
OPEN = """mutation ($endpoint: String) { openJiraGate(endpoint: $endpoint, reason: " Jira is well ") {
    closings { endpoint until probeDue code } userErrors { code message field } } }"""


@dataclasses.dataclass
class FakeIngestor:
    """Answers what it is told to, and keeps what it was asked."""

    answer: Options | Exception
    asked: list[AnyQuestion] = dataclasses.field(default_factory=list)

    async def ask(self, question: AnyQuestion) -> Options:
        self.asked.append(question)
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class World:
    """The schema over an ingestor that answers as it is told."""

    def __init__(self, answer: Options | Exception, role: Role = Role.ADMIN, projects: Any = None) -> None:
        self.ingestor = FakeIngestor(answer)
        principal = Principal(token_id=None, name="ann", role=role, projects=projects, expires_at=None)
        self.context = SimpleNamespace(
            principal=principal,
            ingestor=self.ingestor,
            discovery=Discovery(self.ingestor),  # type: ignore[arg-type]
            defaults=Defaults(known_site="acme"),
            limits=Limits(),
            trace_id="t",
            loaders={},
        )

    async def ask(self, document: str, **variables: Any) -> Any:
        return await schema.execute(document, variables, self.context)


async def test_what_is_closed_is_shown_with_its_end_and_reason() -> None:
    world = World(Options(closings=CLOSINGS), Role.OPERATOR)
    assert (await world.ask(QUERY)).data == {"jiraClosings": SHOWN}
    world.ingestor.answer = Options()
    assert (await world.ask(QUERY)).data == {"jiraClosings": []}


async def test_how_late_the_search_is_shows_what_was_measured_and_what_follows() -> None:
    query = "{ searchLateness { number latestSeconds overlapSeconds buckets { upToSeconds number } } }"
    buckets = (LateChanges(up_to_seconds=30, number=2), LateChanges(up_to_seconds=60, number=1))
    world = World(Options(lateness=Lateness(buckets=buckets, latest_seconds=41.5, overlap_seconds=300)), Role.OPERATOR)
    shown = [{"upToSeconds": 30, "number": 2}, {"upToSeconds": 60, "number": 1}]
    found = {"number": 3, "latestSeconds": 41.5, "overlapSeconds": 300.0, "buckets": shown}
    assert (await world.ask(query)).data == {"searchLateness": found}
    assert world.ingestor.asked == [FindLateness(site="acme")]
    world = World(Options(lateness=Lateness(buckets=(), latest_seconds=0, overlap_seconds=300)))
    never: dict[str, Any] = {"number": 0, "latestSeconds": None, "overlapSeconds": 300.0, "buckets": []}
    assert (await world.ask(query)).data == {"searchLateness": never}


async def test_those_who_ask_at_the_same_time_ask_once() -> None:
    world = World(Options(closings=CLOSINGS))
    await asyncio.gather(*(world.ask(QUERY) for _ in range(5)))
    assert world.ingestor.asked == [FindClosings(site="acme")]


@pytest.mark.parametrize("endpoint", [None, "GET /a"])
async def test_an_admin_opens_one_closing_and_sees_what_is_left(endpoint: str | None) -> None:
    world = World(Options(closings=CLOSINGS[1:]))
    found = await world.ask(OPEN, endpoint=endpoint)
    assert found.data == {"openJiraGate": {"closings": SHOWN[1:], "userErrors": []}}
    assert world.ingestor.asked == [OpenGate(site="acme", endpoint=endpoint, actor="ann", reason="Jira is well")]


@pytest.mark.parametrize(
    ("error", "code", "field"),
    [
        (CommandRefusedError("Nothing is closed.", "NOT_CLOSED", "endpoint"), "NOT_CLOSED", "endpoint"),
        (CommandFailedError("The ingestor did not answer."), "REFUSED", None),
    ],
)
async def test_what_could_not_be_opened_says_why(error: Exception, code: str, field: str | None) -> None:
    (told,) = (await World(error).ask(OPEN)).data["openJiraGate"]["userErrors"]
    assert told == {"code": code, "message": str(error), "field": field}


async def test_the_gate_of_all_projects_is_not_opened_by_who_reaches_some() -> None:
    world = World(Options(), projects=frozenset({("acme", "DEMO")}))
    (told,) = (await world.ask(OPEN)).data["openJiraGate"]["userErrors"]
    assert told["code"] == "FORBIDDEN"
    assert world.ingestor.asked == []


@pytest.mark.parametrize(("document", "role"), [(QUERY, Role.READER), (OPEN, Role.OPERATOR)])
async def test_a_role_too_low_is_refused(document: str, role: Role) -> None:
    world = World(Options(), role)
    (error,) = (await world.ask(document)).errors
    assert error.extensions["code"] == "FORBIDDEN"
    assert world.ingestor.asked == []
