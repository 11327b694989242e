"""What the sync log says of failures and of fields that change."""

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
