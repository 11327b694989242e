from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.sync.lateness.measuring import LEAST
from services.ingestor.sync.plan import (
    TRAILING_EVERY,
    TRAILING_WINDOW,
    Owed,
    PendingRequest,
    Watermarks,
    advance,
    incremental_jql,
    plan_sync,
    quote,
)
from services.ingestor.sync.refresh_plan import REFRESH_AFTER, due_refreshes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = PendingRequest(request_id="r", full=False, account_ids=("a",))
times = st.datetimes(datetime(2020, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001


def watermarks(at: datetime, trailing_at: datetime = NOW) -> Watermarks:
    return Watermarks(issue=at, comment=at, worklog=at, sprint=at, user=at, trailing_at=trailing_at)


def test_the_first_run_is_full() -> None:
    plan = plan_sync(None, [], Owed(), NOW)
    assert plan.full
    assert plan.since is None


@given(issue=times, comment=times, worklog=times)
def test_a_run_starts_at_the_oldest_of_the_watermarks(issue: datetime, comment: datetime, worklog: datetime) -> None:
    watermarks = Watermarks(
        issue=issue, comment=comment, worklog=worklog, sprint=NOW, user=NOW, trailing_at=NOW - timedelta(minutes=1)
    )
    assert plan_sync(watermarks, [], Owed(), NOW).since == min(issue, comment, worklog)


def test_once_an_hour_a_run_looks_back_over_the_trailing_window() -> None:
    plan = plan_sync(watermarks(NOW - LEAST, NOW - TRAILING_EVERY), [], Owed(), NOW)
    assert plan.since == NOW - TRAILING_WINDOW
    after = advance(watermarks(NOW), plan, NOW)
    assert after is not None
    assert plan_sync(after, [], Owed(), NOW + timedelta(minutes=1)).since == NOW - LEAST


@given(scan_started_at=times, newest_seen=times)
def test_a_watermark_never_depends_on_what_was_seen(scan_started_at: datetime, newest_seen: datetime) -> None:
    plan = plan_sync(watermarks(newest_seen), [], Owed(), NOW)
    after = advance(watermarks(newest_seen), plan, scan_started_at)
    assert after is not None
    assert after.issue == scan_started_at - LEAST


def test_unfinished_issues_are_read_again_as_many_as_fit_one_request() -> None:
    unfinished = [str(number) for number in range(250)]
    plan = plan_sync(watermarks(NOW), [], Owed(unfinished), NOW)
    assert list(plan.retry_issue_ids) == unfinished[:100]


def test_a_search_that_showed_issues_without_a_name_is_read_again_from_its_bound() -> None:
    bound = NOW - timedelta(days=3)
    assert plan_sync(watermarks(NOW), [], Owed(bounds=[bound]), NOW).since == bound
    assert plan_sync(watermarks(NOW), [], Owed(bounds=[bound, None]), NOW).full
    limited = plan_sync(watermarks(NOW), [ACCOUNT], Owed(bounds=[bound, None]), NOW)
    assert not limited.full
    assert limited.since == plan_sync(watermarks(NOW), [ACCOUNT], Owed(), NOW).since


def test_a_run_limited_to_accounts_moves_no_watermark() -> None:
    request = PendingRequest(request_id="r", full=True, account_ids=("a", "b"))
    plan = plan_sync(watermarks(NOW), [request], Owed(), NOW)
    assert plan.full
    assert plan.account_ids == ("a", "b")
    assert advance(watermarks(NOW), plan, NOW) is None


def test_a_request_for_everything_widens_one_for_some_accounts() -> None:
    some = PendingRequest(request_id="some", full=True, account_ids=("a",))
    everything = PendingRequest(request_id="all", full=False)
    plan = plan_sync(watermarks(NOW), [some, everything], Owed(), NOW)
    assert plan.account_ids == ()
    assert plan.full
    assert plan.request_ids == ("some", "all")


def test_the_first_run_reads_everything_whatever_was_asked() -> None:
    request = PendingRequest(request_id="r", full=False, account_ids=("a",))
    assert plan_sync(None, [request], Owed(), NOW).account_ids == ()


def test_the_bound_is_in_epoch_milliseconds_without_upper_bound() -> None:
    jql = incremental_jql("KEY", datetime(2026, 1, 1, tzinfo=UTC), ["a"])
    assert jql == (
        'project = "KEY" AND updated >= 1767225600000'
        ' AND (assignee in ("a") OR reporter in ("a") OR worklogAuthor in ("a"))'
        " ORDER BY updated ASC, key ASC"
    )


@given(st.text())
def test_a_quoted_text_cannot_end_its_literal(text: str) -> None:
    inner = quote(text)[1:-1]
    assert inner.replace("\\\\", "").replace('\\"', "").count('"') == 0


def test_idle_runs_refresh_one_reference_and_each_has_its_turn() -> None:
    units = ("project", "fields", "boards", "sprints/1", "sprints/2", "users/0", "users/1")
    refreshed = dict.fromkeys(REFRESH_AFTER, NOW)
    made = set()
    now = NOW
    for _ in range(1000):
        now += timedelta(minutes=15)
        due = due_refreshes(units, refreshed, now, full=False, changed=False)
        assert len(due) == 1
        refreshed[due[0]] = now
        made.add(due[0])
    assert made == set(units)


def test_a_run_with_changes_always_refreshes_sprints_and_users() -> None:
    units = ("fields", "sprints/1", "users/0")
    refreshed = dict.fromkeys(REFRESH_AFTER, NOW)
    assert due_refreshes(units, refreshed, NOW, full=False, changed=True) == ("sprints/1", "users/0")
