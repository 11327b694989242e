"""References that are odd or sick cost themselves alone, and their turn comes again."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from msgspec import Raw

from libs.events import Append, SprintFetched, SprintListed, migrate, open_store
from libs.jira_client import ErrorCode, JiraClient, JiraError, NotFoundOrHidden
from libs.jira_client.failures.classify import Answer, Context, classify
from libs.jira_client.failures.errors import error_for
from libs.temporal.messages import RefreshReferences, Scan
from services.ingestor.sync import references
from services.ingestor.sync.records.translate import Origin, count, listings, sprint_change
from services.ingestor.sync.references import Found, each, in_words, refreshed_at
from services.ingestor.sync.refresh_plan import due_refreshes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = Origin(site="acme", project="KEY", cause="run", fetched_at=NOW)


def failure(status: int) -> JiraError:
    verdict = classify(Answer(status_code=status, headers={}, content=b"{}"), Context(endpoint="GET /x"))
    assert verdict is not None
    return error_for(verdict)


def test_an_odd_sprint_of_a_board_is_named_and_the_others_are_read() -> None:
    sprints = [Raw(b'{"id":1,"name":"S1"}'), Raw(b'{"name":"S2"}'), Raw(b"7"), Raw(b'{"id":"4","endDate":{}}')]
    found = each(sprints, "sprint", "board 9, sprint", partial(sprint_change, ORIGIN))
    assert count(found.changes, SprintFetched) == 2
    assert [warning.partition(" (")[0] for warning in found.warnings] == [
        "Could not read board 9, sprint at place 2",
        "Could not read board 9, sprint at place 3",
    ]


def test_every_project_whose_boards_list_a_sprint_says_so_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as log:
        appended = []
        for minute, project in enumerate(["SHRA", "SHRB", "SHRA", "SHRB"]):
            at = NOW.replace(minute=minute)
            origin = Origin(site="acme", project=project, cause="run", fetched_at=at)
            sprints = [sprint_change(origin, Raw(b'{"id":71,"name":"Shared A","state":"active"}'))]
            done = log.append(Append(changes=[*sprints, *listings(origin, sprints)]))
            appended.append([(type(event), event.project) for event in done.appended])
    assert appended == [
        [(SprintFetched, "SHRA"), (SprintListed, "SHRA")],
        [(SprintListed, "SHRB")],
        [],
        [],
    ]


class Jira:
    """A Jira that proves the token, or does not."""

    def __init__(self, trouble: JiraError | None = None) -> None:
        self.trouble = trouble

    async def verify_credentials(self) -> None:
        if self.trouble:
            raise self.trouble


async def sick(unit: str, status: int, jira: Jira) -> Found:
    found = Found()
    await found.add_sick(cast("JiraClient", jira), unit, failure(status))
    return found


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (502, True), (401, True), (403, False), (404, False), (400, False)]
)
async def test_a_failure_of_one_look_up_is_a_warning_that_names_it(status: int, again: bool) -> None:
    found = await sick("sprints/9", status, Jira())
    assert found.warnings[0].startswith("Could not look up sprints of board 9: ")
    assert found.failed == (("sprints/9",) if again else ())
    odd = found.unanswered["sprints/9"]
    assert odd is not None
    assert odd.name == "sprints of board 9"


@pytest.mark.parametrize(
    ("unit", "status", "aside"), [("boards", 403, False), ("boards", 500, True), ("users", 404, False)]
)
async def test_what_a_site_may_do_without_is_owed_but_not_set_aside(unit: str, status: int, aside: bool) -> None:
    found = await sick(unit, status, Jira())
    assert unit in found.unanswered
    assert (found.unanswered[unit] is not None) is aside


@pytest.mark.parametrize("status", [401, 429])
async def test_a_failure_that_concerns_every_call_is_none_of_one_look_up(status: int) -> None:
    with pytest.raises(JiraError) as raised:
        await sick("boards", status, Jira(failure(status)))
    assert raised.value.code in {ErrorCode.AUTH_EXPIRED, ErrorCode.RATE_LIMIT}


def test_what_was_never_read_is_read_by_the_next_run() -> None:
    units = ("boards", "sprints/1", "sprints/2", "sprints/3")
    read = {"boards": NOW.replace(year=2025), "sprints/1": NOW}
    assert due_refreshes(units, read, NOW, full=False, changed=False) == ("sprints/2", "sprints/3")


def test_what_is_owed_is_read_by_every_run() -> None:
    units = ("boards", "sprints/1", "fields", "users/0")
    read = dict.fromkeys(units, NOW)
    for changed in (True, False):
        assert "fields" in due_refreshes(units, read, NOW, full=False, changed=changed, owed={"fields"})
    assert "fields" not in due_refreshes(units, read, NOW, full=False, changed=True)


def test_what_failed_is_due_again_but_takes_nobodys_turn() -> None:
    units = ("boards", "sprints/1", "fields")
    read = refreshed_at(units, ("sprints/1",), NOW)
    assert due_refreshes(units, read, NOW, full=False, changed=False) == ("sprints/1",)
    others = read | {"boards": NOW.replace(year=2025)}
    assert due_refreshes(units, others, NOW, full=False, changed=False) == ("boards",)


@pytest.mark.parametrize(
    ("unit", "words"), [("fields", "fields"), ("users/3", "users"), ("sprints/7", "sprints of board 7")]
)
def test_units_are_named_as_people_know_them(unit: str, words: str) -> None:
    assert in_words(unit) == words


@pytest.mark.parametrize(("unit", "changed", "fails"), [("project", False, True), ("project", True, False)])
async def test_a_project_that_is_not_there_fails_a_run_that_saw_none_of_its_issues(
    unit: str, changed: bool, fails: bool
) -> None:
    async def refused() -> Found:
        raise failure(404)

    message = RefreshReferences(
        site="acme", project="KEY", run_id="run", scan=cast("Scan", None), full=False, changed=changed
    )
    found = Found()
    with pytest.raises(NotFoundOrHidden) if fails else contextlib.nullcontext():
        await references._try(cast("JiraClient", Jira()), refused(), unit, found, message)
    assert found.failed == ()
    assert (unit in found.unanswered) is not fails
