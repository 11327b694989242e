"""Given events of syncs and of people, then the state, the job and the log of the project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from libs.events import AlertEnd, AlertRaised, Event
from libs.read_tables import NEVER
from services.projector.history.changes import CHANGES
from services.projector.history.log_lines import LINES
from services.projector.project.state import ENTITIES
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, empty_tables, rows

ABOUT_BACKOFF_AND_ALERTS: Sequence[Event] = (
    build.backed_off(),
    build.restored(),
    build.schedule_stretched(),
    build.stretch_ended(),
    build.alert_raised(),
    *(build.alert_resolved(end=end, reason="It works.") for end in AlertEnd),
    build.alert_acknowledged(reason="I call them."),
    build.alerts_silenced(),
    build.alerts_silenced("AUTH_EXPIRED"),
    build.alerts_silenced(minutes=0),
)

LATER = build.MOMENT + timedelta(minutes=15)


@pytest.fixture
def tables() -> Iterator[Connection]:
    with empty_tables() as connection:
        yield connection


def given_events(tables: Connection, *events: Event) -> None:
    apply(tables, build.recorded(events))


def job(tables: Connection) -> dict[str, Any]:
    (row,) = rows(tables, "sync_job")
    return row


def states(tables: Connection, column: str) -> set[Any]:
    found = rows(tables, "sync_state")
    assert [row["entity"] for row in found] == sorted(ENTITIES)
    return {row[column] for row in found}


def log(tables: Connection) -> dict[str, Any]:
    """The newest line."""
    return rows(tables, "sync_log")[-1]


def test_a_registered_project_has_never_synced(tables: Connection) -> None:
    given_events(tables, build.registered("0 * * * *"))
    (project,) = rows(tables, "project")
    assert (project["key"], project["name"], project["project_id"]) == ("DEMO", "DEMO", None)
    assert project["registered_at"] == "2026-01-02T03:04:05.678Z"
    assert (job(tables)["status"], job(tables)["cron"], job(tables)["last_run_at"]) == ("ACTIVE", "0 * * * *", None)
    assert job(tables)["schedule_id"] == "jira-sync:acme:DEMO"
    assert states(tables, "status") == {"IDLE"}
    assert states(tables, "last_sync_time") == {NEVER}


def test_a_fetched_project_gets_its_name(tables: Connection) -> None:
    given_events(tables, build.registered(), build.project("Demonstration"))
    (project,) = rows(tables, "project")
    assert (project["name"], project["project_id"]) == ("Demonstration", "10000")


def test_a_run_is_seen_from_its_start(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.page(number=0), build.page(number=1, total=3))
    assert states(tables, "status") == {"RUNNING"}
    assert (job(tables)["current_run_id"], job(tables)["pages_done"], job(tables)["pages_total"]) == ("run-1", 2, 3)
    assert log(tables)["level"] == "DEBUG"
    assert log(tables)["message"].startswith("Page 2 of 3 stored: 100 issues, 1 comment, 0 worklogs")


def test_a_success_sets_time_watermark_and_rows(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.succeeded(at=LATER))
    assert states(tables, "status") == {"SUCCESS"}
    assert states(tables, "last_sync_time") == {"2026-01-02T03:19:05.678Z"}
    by_entity = {row["entity"]: row for row in rows(tables, "sync_state")}
    assert (by_entity["issue"]["watermark"], by_entity["issue"]["rows"]) == ("2026-01-02T03:04:05.678Z", 100)
    assert by_entity["sprint"]["watermark"] is None
    assert (job(tables)["last_result"], job(tables)["current_run_id"]) == ("SUCCESS", None)
    assert log(tables)["message"] == (
        "Sync of DEMO finished in 1.2 s: 100 issues, 1 comment, 0 worklogs, 2 sprints, 3 users; "
        "50 changes recorded with 7 requests."
    )


def test_a_failure_says_why_and_what_to_do(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.failed())
    assert states(tables, "status") == {"FAILED"}
    assert states(tables, "error_code") == {"AUTH_EXPIRED"}
    assert states(tables, "error_advice") == {"Make a new API token and set JIRA_API_TOKEN."}
    assert states(tables, "last_sync_time") == {NEVER}
    assert (job(tables)["status"], job(tables)["last_result"]) == ("ERROR", "ERROR")
    assert log(tables)["level"] == "ERROR"
    details = json.loads(log(tables)["details"])
    assert (details["code"], details["attempts"], details["evidence"]["status"]) == ("AUTH_EXPIRED", 3, 401)


def test_an_error_says_since_when_and_how_often_in_a_row(tables: Connection) -> None:
    given_events(
        tables,
        build.registered(),
        build.started(),
        build.failed(),
        build.cancelled("run-2", LATER),
        build.failed("run-3", LATER + timedelta(minutes=15)),
    )
    assert states(tables, "error_since") == {"2026-01-02T03:04:05.678Z"}
    assert states(tables, "error_attempts") == {2}
    assert states(tables, "error_severity") == {"critical"}
    assert states(tables, "error_docs") == {"https://id.atlassian.com/manage-profile/security/api-tokens"}


def test_a_slowed_down_schedule_says_so_in_words(tables: Connection) -> None:
    given_events(tables, build.registered(), build.backed_off(level=2, seconds=21_600, code="SUSPENDED_PAYMENT"))
    assert log(tables)["level"] == "WARNING"
    assert log(tables)["message"] == (
        "Slowed down to every 6 h until a run succeeds: 4 runs in a row failed with SUSPENDED_PAYMENT."
    )
    details = json.loads(log(tables)["details"])
    assert (details["level"], details["seconds"], details["code"]) == (2, 21_600, "SUSPENDED_PAYMENT")


def test_what_the_log_tells_of_alerts(tables: Connection) -> None:
    given_events(tables, *ABOUT_BACKOFF_AND_ALERTS)
    assert [row["message"] for row in rows(tables, "sync_log")][1:] == [
        "Back to the schedule: a run succeeded.",
        "Syncs run every 2 h while webhooks tell of changes at once.",
        "Syncs run by the schedule again: webhooks are not proved alive.",
        "Alert AUTH_EXPIRED: Jira refused the token. Make a new API token and set JIRA_API_TOKEN.",
        "Alert AUTH_EXPIRED is over: the trouble is gone.",
        "Alert AUTH_EXPIRED is over: the project fails in another way now.",
        "Alert AUTH_EXPIRED was resolved by ada: It works.",
        "Alert AUTH_EXPIRED is over: the project is not synced any more.",
        "ada acknowledged an alert: I call them.",
        "ada silenced all alerts until 2026-01-02T04:04:05.678Z: Jira moves house.",
        "ada silenced alerts of AUTH_EXPIRED until 2026-01-02T04:04:05.678Z: Jira moves house.",
        "ada ended the silence of all alerts: Jira moves house.",
    ]


def test_only_people_resolve_alerts_in_the_settings_history(tables: Connection) -> None:
    given_events(tables, *ABOUT_BACKOFF_AND_ALERTS)
    reported = [(row["kind"], row["actor"], row["reason"]) for row in rows(tables, "project_change")]
    assert reported == [
        ("BACKOFF", "telemetry", None),
        ("BACKOFF_ENDED", "telemetry", "a run succeeded"),
        ("STRETCHED", "ingestor", None),
        ("STRETCH_ENDED", "ingestor", "webhooks are not proved alive"),
        ("ALERT_RESOLVED", "ada", "It works."),
        ("ALERT_ACKNOWLEDGED", "ada", "I call them."),
        ("ALERTS_SILENCED", "ada", "Jira moves house"),
        ("ALERTS_SILENCED", "ada", "Jira moves house"),
        ("ALERTS_UNSILENCED", "ada", "Jira moves house"),
    ]


def test_a_success_clears_the_error(tables: Connection) -> None:
    given_events(
        tables,
        build.registered(),
        build.started(),
        build.failed(),
        build.started("run-2", LATER),
        build.succeeded("run-2", LATER),
    )
    assert states(tables, "error_code") == {None}
    assert job(tables)["status"] == "ACTIVE"


def test_an_error_stays_readable_while_the_next_run_is_on(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.failed(), build.started("run-2", LATER))
    assert states(tables, "status") == {"RUNNING"}
    assert states(tables, "error_code") == {"AUTH_EXPIRED"}


def test_a_cancel_is_no_failure(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.cancelled())
    assert states(tables, "status") == {"IDLE"}
    assert (job(tables)["status"], job(tables)["last_result"]) == ("ACTIVE", "CANCELLED")


def test_a_cancel_does_not_hide_a_failure(tables: Connection) -> None:
    given_events(
        tables,
        build.registered(),
        build.started(),
        build.failed(),
        build.started("run-2", LATER),
        build.cancelled("run-2", LATER),
    )
    assert states(tables, "status") == {"FAILED"}
    assert job(tables)["status"] == "ERROR"


def test_a_run_reported_dead_after_its_successor_began_changes_only_the_log(tables: Connection) -> None:
    given_events(
        tables, build.registered(), build.started(), build.started("run-2", LATER), build.failed("run-1", LATER)
    )
    assert states(tables, "status") == {"RUNNING"}
    assert job(tables)["current_run_id"] == "run-2"
    assert log(tables)["level"] == "ERROR"


def test_a_failure_older_than_the_last_run_changes_only_the_log(tables: Connection) -> None:
    given_events(
        tables,
        build.registered(),
        build.started("run-2", LATER),
        build.succeeded("run-2", LATER),
        build.failed("run-1", build.MOMENT),
    )
    assert states(tables, "status") == {"SUCCESS"}
    assert job(tables)["status"] == "ACTIVE"


def test_a_run_that_failed_before_it_began_counts(tables: Connection) -> None:
    given_events(tables, build.registered(), build.failed())
    assert states(tables, "status") == {"FAILED"}
    assert job(tables)["last_run_at"] == "2026-01-02T03:04:05.678Z"


def test_pause_wins_over_error_and_resume_shows_it_again(tables: Connection) -> None:
    events = build.recorded([build.registered(), build.started(), build.paused(), build.failed(), build.resumed()])
    apply(tables, events[:4])
    assert job(tables)["status"] == "PAUSED"
    apply(tables, events[4:])
    assert job(tables)["status"] == "ERROR"


def test_a_changed_schedule_shows_in_the_job(tables: Connection) -> None:
    given_events(tables, build.registered(), build.schedule_changed("0 3 * * *"))
    assert (job(tables)["cron"], job(tables)["timezone"]) == ("0 3 * * *", "Europe/Berlin")
    assert log(tables)["message"] == "ada changed the schedule to 0 3 * * * (Europe/Berlin): night only."


def test_the_watch_list_is_replaced_as_a_whole(tables: Connection) -> None:
    events = build.recorded([build.tracked("u2", "u1"), build.tracked("u3"), build.tracked()])
    apply(tables, events[:1])
    assert [row["account_id"] for row in rows(tables, "tracked_user")] == ["u1", "u2"]
    apply(tables, events[1:2])
    assert [row["account_id"] for row in rows(tables, "tracked_user")] == ["u3"]
    apply(tables, events[2:])
    assert rows(tables, "tracked_user") == []
    apply(tables, events[:2])  # seen before: changes nothing
    assert rows(tables, "tracked_user") == []


WAIT = ("waiting_run_id", "waiting_step", "waiting_code", "waiting_message", "waiting_until")


def wait(tables: Connection) -> tuple[Any, ...]:
    return tuple(job(tables)[column] for column in WAIT)


WAITS = ("run-1", "page", "RATE_LIMIT", "Jira asks for a slower pace.", "2026-01-02T03:09:05.678Z")
NO_WAIT = (None,) * len(WAIT)


def test_a_run_says_what_it_waits_for_and_until_when(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.waiting())
    assert wait(tables) == WAITS
    assert job(tables)["current_run_id"] == "run-1"


def test_a_run_that_has_not_begun_waits_too(tables: Connection) -> None:
    given_events(tables, build.registered(), build.waiting())
    assert wait(tables) == WAITS


@pytest.mark.parametrize(
    "event",
    [build.page(), build.started(), build.started("run-2"), build.succeeded(), build.failed(), build.cancelled()],
    ids=lambda event: type(event).__name__,
)
def test_a_run_that_goes_on_or_ends_waits_no_more(tables: Connection, event: Event) -> None:
    given_events(tables, build.registered(), build.started(), build.waiting(), event)
    assert wait(tables) == NO_WAIT


@pytest.mark.parametrize("event", [build.page("run-0"), build.failed("run-0"), build.cancelled("run-0")])
def test_another_run_ends_no_wait(tables: Connection, event: Event) -> None:
    given_events(tables, build.registered(), build.started(), build.waiting(), event)
    assert wait(tables) == WAITS


def test_a_run_that_is_over_or_replaced_does_not_wait(tables: Connection) -> None:
    given_events(tables, build.registered(), build.started(), build.cancelled(), build.waiting())
    assert wait(tables) == NO_WAIT
    given_events(tables, build.registered(), build.started("run-2", LATER), build.waiting("run-1"))
    assert wait(tables) == NO_WAIT


def test_issues_that_are_tried_again_have_a_line_of_their_own(tables: Connection) -> None:
    given_events(tables, build.started(), build.page(number=-1))
    assert log(tables)["message"].startswith("Issues that earlier syncs could not read completely, stored: 100 issues")


def test_warnings_are_visible(tables: Connection) -> None:
    given_events(
        tables, build.registered(), build.started(), build.page(warnings=["Comments of DEMO-4 are incomplete."])
    )
    assert log(tables)["level"] == "WARNING"
    assert "Comments of DEMO-4 are incomplete." in log(tables)["message"]


def test_who_paused_and_why_is_shown_until_it_is_resumed(tables: Connection) -> None:
    events = build.recorded([build.registered(), build.paused(), build.resumed()])
    apply(tables, events[:2])
    shown = job(tables)
    assert (shown["paused_by"], shown["pause_reason"]) == ("ada", "holiday")
    assert shown["paused_at"] is not None
    apply(tables, events[2:])
    assert {job(tables)[column] for column in ("paused_at", "paused_by", "pause_reason")} == {None}


def test_an_unregistered_project_is_remembered_and_comes_back_running(tables: Connection) -> None:
    events = build.recorded(
        [build.registered(), build.tracked("u1"), build.paused(), build.unregistered(), build.registered("0 * * * *")]
    )
    apply(tables, events[:4])
    (project,) = rows(tables, "project")
    assert not project["registered"]
    assert rows(tables, "tracked_user") == []
    apply(tables, events[4:])
    (project,) = rows(tables, "project")
    assert project["registered"]
    assert (job(tables)["status"], job(tables)["cron"], job(tables)["paused_by"]) == ("ACTIVE", "0 * * * *", None)


def test_the_settings_history_tells_who_decided_what_and_why(tables: Connection) -> None:
    given_events(tables, build.registered(), build.paused(), build.tracked("u1"), build.requested())
    reported = [(row["kind"], row["actor"], row["reason"], row["summary"]) for row in rows(tables, "project_change")]
    assert reported[1] == ("PAUSED", "ada", "holiday", "Paused.")
    assert [kind for kind, *_ in reported] == ["REGISTERED", "PAUSED", "WATCH_LIST", "SYNC_REQUESTED"]
    assert reported[3][3] == "Full sync asked for."


def test_every_decision_is_a_sentence() -> None:
    reported = [
        build.registered(),
        build.unregistered(),
        build.tracked("u1"),
        build.tracked(),
        build.schedule_changed("0 3 * * *"),
        build.paused(),
        build.resumed(),
        build.requested(),
        build.census_requested(),
        build.census_requested(accept=True),
        *ABOUT_BACKOFF_AND_ALERTS,
    ]
    assert {type(event) for event in reported} == CHANGES.keys() | {AlertRaised}
    summaries = [CHANGES[type(event)](event).summary for event in reported if type(event) in CHANGES]
    assert all(summary.endswith(".") and ".." not in summary for summary in summaries), summaries


def test_every_line_is_a_sentence() -> None:
    reported = [
        build.registered(),
        build.unregistered(),
        build.tracked("u1"),
        build.tracked(),
        build.schedule_changed("0 3 * * *"),
        build.paused(),
        build.resumed(),
        build.requested(),
        build.started(),
        build.page(),
        build.waiting(),
        build.succeeded(),
        build.failed(),
        build.cancelled(),
        build.drift(),
        build.quarantined(),
        build.released(),
        build.census_requested(),
        build.census_requested(accept=True),
        build.census(build.proof(here=98, late=2), build.proof("comment", None, 7)),
        build.held_back(),
        build.census_failed(),
        *ABOUT_BACKOFF_AND_ALERTS,
    ]
    assert {type(event) for event in reported} == LINES.keys()
    for event in reported:
        line = LINES[type(event)](event)
        assert line.message.endswith("."), line.message
        assert "  " not in line.message
        assert ".." not in line.message
        assert line.level in ("DEBUG", "INFO", "WARNING", "ERROR")
