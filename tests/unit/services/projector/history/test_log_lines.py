"""What the sync log says of failures and of fields that change."""

from datetime import timedelta

import msgspec
import pytest

from libs.events import Event
from services.projector.history.log_lines import log_row
from tests.unit.made import build


def line(event: Event) -> dict[str, object]:
    (recorded,) = build.recorded([event])
    row = log_row(recorded)
    assert row
    return dict(row)


@pytest.mark.parametrize(
    ("pages", "reported"),
    [
        (0, "Nothing was stored."),
        (1, "1 page was stored and stays."),
        (3, "3 pages were stored and stay."),
        (1234, "1,234 pages were stored and stay."),
    ],
)
def test_partial_progress_is_told_apart_from_none(pages: int, reported: str) -> None:
    failed = msgspec.structs.replace(build.failed(), pages_recorded=pages)
    assert line(failed)["message"] == f"Sync of DEMO failed: {failed.message} {failed.advice} {reported}"


def test_a_failure_has_all_that_is_known_of_it_in_its_details() -> None:
    known = {
        "origin": "account",
        "severity": "critical",
        "category": "access",
        "scope": "site",
        "docs": "https://x.test",
    }
    failed = msgspec.structs.replace(build.failed(), **known, retryable=False, fingerprint="0123456789abcdef")
    details = msgspec.json.decode(str(line(failed)["details"]))
    whole = msgspec.json.decode(msgspec.json.encode(failed))
    reported = {"message", "run_id", "stream_id", "stream_version", "site", "project", "occurred_at", "recorded_at"}
    assert details == {name: value for name, value in whole.items() if name not in reported | {"cause", "trace"}}


@pytest.mark.parametrize(
    ("change", "before", "after", "reported"),
    [
        ("APPEARED", None, "string", "Jira has a new field: Story points (customfield_10016), string."),
        ("VANISHED", "string", None, "Jira's field Story points (customfield_10016) is gone; it was string."),
        (
            "TYPE_CHANGED",
            "number",
            "string",
            "Jira's field Story points (customfield_10016) has another type: number before, string now.",
        ),
        (
            "RENAMED",
            "Points",
            "Story points",
            "Jira's field customfield_10016 has another name: Points before, Story points now.",
        ),
        ("SPLIT", None, None, "Jira's field Story points (customfield_10016) changed (SPLIT)."),
    ],
)
def test_a_changed_field_is_told_in_words(change: str, before: str | None, after: str | None, reported: str) -> None:
    drift = msgspec.structs.replace(build.drift(), change=change, before=before, after=after)
    row = line(drift)
    assert (row["level"], row["message"]) == ("WARNING", reported)
    assert msgspec.json.decode(str(row["details"]))["field_name"] == "Story points"


def test_an_answer_of_another_shape_is_told_with_the_call() -> None:
    drift = msgspec.structs.replace(
        build.drift(), field_id="$.issues[...].id", field_name="POST /search/jql", before="str", after="int"
    )
    reported = "Jira's answer to POST /search/jql has another shape at $.issues[...].id: str is documented, int came."
    assert line(drift)["message"] == reported


def test_a_record_that_is_set_aside_is_named_with_the_reason_and_what_follows() -> None:
    quarantined = msgspec.structs.replace(build.quarantined(why="`id` is missing or no text."), field="id")
    row = line(quarantined)
    reported = "Issue MOVA-1, comment 7 was set aside: `id` is missing or no text; it is asked for again."
    assert (row["level"], row["message"]) == ("WARNING", reported)
    details = msgspec.json.decode(str(row["details"]))
    assert (details["record"], details["issue_key"]) == ("issue/10001/comment 7", "MOVA-1")
    assert "raw" not in details
    elsewhere = msgspec.structs.replace(quarantined, field="$.created")
    assert "no text (at $.created); it" in str(line(elsewhere)["message"])
    waits = msgspec.structs.replace(quarantined, field="", why="status 500", asked_again=False)
    assert line(waits)["message"] == (
        "Issue MOVA-1, comment 7 was set aside: status 500; a later answer of Jira brings it by itself."
    )


def test_a_record_that_is_released_is_told() -> None:
    row = line(build.released())
    reported = "issue/10001/comment 7 is not set aside any more: it could be read, or is gone."
    assert (row["level"], row["message"]) == ("INFO", reported)


@pytest.mark.parametrize(
    ("wait", "until"),
    [
        (timedelta(minutes=5), "03:09 UTC"),
        (timedelta(hours=20), "23:04 UTC"),
        (timedelta(days=1), "2026-01-03 03:04 UTC"),
    ],
)
def test_a_run_that_waits_says_until_when_and_for_what(wait: timedelta, until: str) -> None:
    row = line(build.waiting(until=build.MOMENT + wait))
    reported = f"Sync of DEMO waits until {until}: Jira asks for a slower pace."
    assert (row["level"], row["message"]) == ("WARNING", reported)
    assert msgspec.json.decode(str(row["details"]))["code"] == "RATE_LIMIT"


def test_a_success_counts_what_is_set_aside() -> None:
    succeeded = msgspec.structs.replace(build.succeeded(), quarantined=2, quarantine=("Issue MOVA-7: no id",))
    row = line(succeeded)
    assert str(row["message"]).endswith("with 7 requests. Set aside: 2 records.")
    assert msgspec.json.decode(str(row["details"]))["quarantine"] == ["Issue MOVA-7: no id"]
