"""Projects, their syncs, and asking for one."""

from __future__ import annotations

from libs.read_tables import (
    NEVER,
    comment,
    issue,
    issue_sprint,
    jira_user,
    project,
    sprint,
    sprint_project,
    sync_job,
    sync_log,
)
from libs.read_tables import sync_state as sync_state_table
from tests.integration.graphql.conftest import Api
from tests.unit.made import rows


async def test_a_project_by_id_or_key(api: Api) -> None:
    api.insert(project, [rows.project(), rows.project("NEW", None)])
    query = "query ($p: ID!) { project(projectId: $p) { id key name } }"
    demo = {"id": "10000", "key": "DEMO", "name": "Project DEMO"}
    assert (await api.data(query, p="10000"))["project"] == demo
    assert (await api.data(query, p="DEMO"))["project"] == demo
    assert (await api.data(query, p="NEW"))["project"]["key"] == "NEW"
    assert (await api.data(query, p="NONE"))["project"] is None


async def test_projects_with_their_syncs_take_one_statement_per_relation(api: Api) -> None:
    keys = [f"P{n}" for n in range(5)]
    api.insert(project, [rows.project(key, str(n)) for n, key in enumerate(keys)])
    api.insert(sync_job, [rows.job(key) for key in keys])
    api.insert(sync_state_table, [rows.state(entity, key) for key in keys for entity in ("issue", "user")])
    api.statements.clear()
    found = (await api.data("{ projects { key syncJob { id } syncStates { entity } } }"))["projects"]
    assert [entry["key"] for entry in found] == keys
    assert [entry["syncJob"]["id"] for entry in found] == [f"{rows.SITE}:{key}" for key in keys]
    assert {len(entry["syncStates"]) for entry in found} == {2}
    assert len(api.statements) == 3


async def test_sync_states_say_never_and_why_not(api: Api) -> None:
    api.insert(project, [rows.project()])
    failed = {"error_code": "AUTH_EXPIRED", "error_message": "Jira said 401.", "error_advice": "Make a new token."}
    api.insert(
        sync_state_table,
        [rows.state("issue"), rows.state("user", status="FAILED", last_sync_time=NEVER, watermark=None, **failed)],
    )
    query = """{ syncStates(projectId: "10000") { entity lastSyncTime status watermark rows
                 error { code message advice } } }"""
    issues, users = (await api.data(query))["syncStates"]
    assert (issues["entity"], issues["status"], issues["error"]) == ("issue", "SUCCESS", None)
    assert users["lastSyncTime"].startswith("1970-01-01T00:00:00")
    assert users["status"] == "FAILED"
    assert users["error"] == {"code": "AUTH_EXPIRED", "message": "Jira said 401.", "advice": "Make a new token."}


async def test_jobs_know_their_next_run_unless_paused(api: Api) -> None:
    api.insert(project, [rows.project(key, None) for key in "ABCD"])
    api.insert(
        sync_job,
        [
            rows.job("A"),
            rows.job("B", status="PAUSED"),
            rows.job("C", status="ERROR", timezone="Asia/Kolkata", last_run_at=None),
            rows.job("D", cron="nonsense"),
        ],
    )
    query = "{ syncJobs { id workflowId scheduleId cronSchedule status lastRunAt nextRunAt projectKey timezone } }"
    active, paused, failing, unreadable = (await api.data(query))["syncJobs"]
    assert active["id"] == "acme:A"
    assert active["scheduleId"] == "jira-sync:acme:A"
    assert active["nextRunAt"][14:16] in {"00", "15", "30", "45"}
    assert (paused["status"], paused["nextRunAt"]) == ("PAUSED", None)
    assert failing["status"] == "ERROR"
    assert failing["nextRunAt"] is not None
    assert failing["lastRunAt"] is None
    assert unreadable["nextRunAt"] is None


async def test_a_schedule_that_webhooks_stretch_says_so_and_a_backoff_goes_first(api: Api) -> None:
    stretched = {"stretch_seconds": 7200, "stretch_anchor": "2026-01-02T03:00:00.000Z"}
    slowed = {
        "backoff_level": 1,
        "backoff_code": "TIMEOUT",
        "backoff_failures": 1,
        "backoff_seconds": 1800,
        "backoff_anchor": "2026-01-02T03:07:00.000Z",
        "backoff_since": "2026-01-02T03:07:00.000Z",
    }
    api.insert(project, [rows.project(key) for key in "ABC"])
    api.insert(sync_job, [rows.job("A"), rows.job("B", **stretched), rows.job("C", **stretched, **slowed)])
    plain, seldom, failing = (await api.data("{ syncJobs { nextRunAt stretch { seconds since } } }"))["syncJobs"]
    assert plain["stretch"] is None
    assert seldom["stretch"] == {"seconds": 7200, "since": "2026-01-02T03:00:00+00:00"}
    assert (int(seldom["nextRunAt"][11:13]) % 2, seldom["nextRunAt"][14:16]) == (1, "00")
    assert failing["stretch"] == seldom["stretch"]
    assert failing["nextRunAt"][14:16] in {"07", "37"}


async def test_the_log_is_read_newest_first_and_a_warning_is_no_fourth_level(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(
        sync_log,
        [
            rows.log(1, "DEBUG"),
            rows.log(2, "WARNING"),
            rows.log(3, "ERROR", details='{"code": "RATE_LIMIT", "evidence": {"status": 429}}'),
            rows.log(4, project_key="OTHER"),
        ],
    )
    query = """query ($n: Int!) { syncLogs(projectId: "DEMO", limit: $n) {
      id level warning message details entity runId createdAt } }"""
    found = (await api.data(query, n=10))["syncLogs"]
    told = [(entry["id"], entry["level"], entry["warning"]) for entry in found]
    assert told == [("3", "ERROR", False), ("2", "INFO", True), ("1", "DEBUG", False)]
    assert found[0]["details"] == {"code": "RATE_LIMIT", "evidence": {"status": 429}}
    assert [entry["id"] for entry in (await api.data(query, n=1))["syncLogs"]] == ["3"]


async def test_users_and_sprints_are_those_of_the_project(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(jira_user, [rows.user(name) for name in ("ann", "bob", "cleo", "dora", "elsewhere")])
    api.insert(issue, [rows.issue(1, assignee_id="bob", reporter_id="ann"), rows.issue(2, project_key="OTHER")])
    api.insert(comment, [rows.comment(1, "10001", "cleo"), rows.comment(2, "10002", "elsewhere")])
    api.insert(sprint, [rows.sprint("7"), rows.sprint("8"), rows.sprint("9")])
    api.insert(sprint_project, [rows.sprint_project("7"), rows.sprint_project("8", "OTHER")])
    api.insert(sprint_project, [rows.sprint_project("9", "OTHER")])
    api.insert(
        issue_sprint, [{"site": rows.SITE, "issue_id": "10001", "sprint_id": "8", "place": 0, "state": "active"}]
    )
    query = '{ users(projectId: "DEMO") { id } sprints(projectId: "DEMO") { id state startDate endDate } }'
    found = await api.data(query)
    assert [entry["id"] for entry in found["users"]] == ["ann", "bob", "cleo"]
    assert [entry["id"] for entry in found["sprints"]] == ["7", "8"]


TRIGGER = """mutation ($p: ID!) { triggerProjectSync(projectId: $p, full: true, accountIds: ["ann"]) {
  syncJob { id } requestId userErrors { code message field } } }"""


async def test_without_temporal_a_sync_is_refused_with_advice(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(sync_job, [rows.job()])
    answer = (await api.data(TRIGGER, p="10000"))["triggerProjectSync"]
    assert answer["syncJob"] is None
    assert answer["requestId"] is None
    (error,) = answer["userErrors"]
    assert (error["code"], error["field"]) == ("SCHEDULER_UNAVAILABLE", None)
    assert "TEMPORAL_ADDRESS" in error["message"]


async def test_a_sync_of_an_unknown_project_is_refused(api: Api) -> None:
    (error,) = (await api.data(TRIGGER, p="NONE"))["triggerProjectSync"]["userErrors"]
    assert (error["code"], error["field"]) == ("UNKNOWN_PROJECT", "projectId")
