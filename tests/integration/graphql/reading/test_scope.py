"""A token that reaches some projects neither sees nor changes anything of the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from aiohttp import ClientSession, web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs import access, read_tables
from libs.access import Role, SessionStore, TokenStore
from libs.runtime import Health, engine, read_database
from services.graphql.api.alerts.types import SHARED_SUBJECT
from services.graphql.app import make_app
from services.graphql.ingestor import Ingestor
from services.graphql.reading.reader import Reader
from tests.integration.graphql.documents import queries, served
from tests.servers.addresses import free_port
from tests.unit.made import rows

SECRET = "not-for-northerners"
OTHER_SITE = "elsewhere"

OWN = frozenset({("acme", "NORTH")})
OWN_NAMES = ["NORTH", "10000", "acme:NORTH", "10001", "NORTH-1", "ann", "To Do", "run-north", "100", "alert-north", "X"]
FOREIGN_NAMES = ["SOUTH", "20000", "acme:SOUTH", "20001", "SOUTH-1", "bob", "run-south", "300", "alert-south"]
FOREIGN_NAMES += [f"{OTHER_SITE}:NORTH", "30000", "30001", "run-else", "alert-else"]

NEVER_SHOWN = {"SOUTH", "20000", "acme:SOUTH", "20001", "SOUTH-1", "bob", "run-south", "300", "200"}
NEVER_SHOWN |= {"alert-south", "alert-else", "notice-south", "notice-else", "notice-test", "notice-orphan"}
NEVER_SHOWN |= {f"{OTHER_SITE}:NORTH", OTHER_SITE, "30000", "30001", "run-else", "bob-token"}


@dataclass
class Service:
    """The running service, and a token of each role that reaches the north only."""

    url: str
    http: ClientSession
    tables: sqlalchemy.Engine
    scoped: dict[Role, str] = field(default_factory=dict)
    foreign_token: str = ""
    everything: dict[Role, str] = field(default_factory=dict)
    """A token of each role that reaches all."""

    async def ask(self, query: str, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(f"{self.url}/graphql", json={"query": query}, headers=headers) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer


class Tenants:
    """The service on a loop of its own: hypothesis calls a test many times within one fixture."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._folder = folder
        self.service = self.do(self._start())

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def _start(self) -> Service:
        url = read_database(f"sqlite:///{self._folder / 'jdi.db'}")
        tables = engine(url)
        read_tables.migrate(tables)
        access.migrate(tables)
        _fill(tables)
        tokens = TokenStore(tables)
        app = make_app(
            Reader(engine(url, read_only=True)),
            Ingestor(f"127.0.0.1:{free_port()}", "default", lambda: b""),
            tokens=tokens,
            sessions=SessionStore(tables, tokens),
            health=Health(),
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        service = Service(f"http://127.0.0.1:{self._runner.addresses[0][1]}", ClientSession(), tables)
        for role in Role:
            service.scoped[role] = tokens.create(f"north {role.value}", role, OWN, by="test")[1]
            service.everything[role] = tokens.create(f"every {role.value}", role, None, by="test")[1]
        south = frozenset({("acme", "SOUTH")})
        service.foreign_token = tokens.create("bob-token", Role.READER, south, by="test")[0].id
        return service

    def stop(self) -> None:
        self.do(self.service.http.close())
        self.do(self._runner.cleanup())
        self.loop.close()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    made = Tenants(tmp_path_factory.mktemp("tenants"))
    yield made
    made.stop()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(query=queries(OWN_NAMES + FOREIGN_NAMES), role=st.sampled_from(list(Role)))
def test_no_query_shows_anything_outside_the_reach(tenants: Tenants, query: str, role: Role) -> None:
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[role]))
    assert not {error["extensions"]["code"] for error in answer.get("errors", [])} & {"INTERNAL"}, answer
    assert SECRET not in str(answer)
    assert not strings(answer.get("data")) & NEVER_SHOWN


def test_it_was_there_to_be_seen(tenants: Tenants) -> None:
    query = """{ projects { key site name } users { id } issue(key: "SOUTH-1") { summary } apiTokens { name }
                 alerts { id } notifications { id subject } schemaDrifts(projectId: "SOUTH") { fieldName }
                 quarantine { projectKey raw } quarantinedRecord(id: "200") { why } }"""
    data = tenants.do(tenants.service.ask(query, tenants.service.everything[Role.ADMIN]))["data"]
    assert {"SOUTH", OTHER_SITE, "bob", "bob-token", "alert-south", "alert-else"} <= strings(data)
    assert {"notice-south", "notice-joint", "notice-test", "notice-orphan"} <= strings(data["notifications"])
    assert [record["projectKey"] for record in data["quarantine"]] == ["NORTH", "SOUTH", "NORTH"]
    parts = ("projects", "issue", "notifications", "schemaDrifts", "quarantine", "quarantinedRecord")
    for told in (data[part] for part in parts):
        assert SECRET in str(told)


def test_the_reach_itself_is_seen_whole(tenants: Tenants) -> None:
    query = """{ projects { uid syncRuns { id } changes { id } }
                 issues(projectId: "NORTH") { nodes { key comments { id } worklogs { id } } }
                 users { id } syncLogs(projectId: "NORTH") { id } absences(projectId: "NORTH") { id }
                 alerts { id notifications { id } } notifications { id subject alertIds }
                 project(projectId: "NORTH") { alerts { id } silences { reason } quarantined }
                 quarantine { projectUid name why raw } quarantinedRecord(id: "100") { raw }
                 beyond: quarantinedRecord(id: "200") { raw }
                 schemaDrifts(projectId: "NORTH") { fieldName } }"""
    data = tenants.do(tenants.service.ask(query, tenants.service.scoped[Role.READER]))["data"]
    assert [project["uid"] for project in data["projects"]] == ["acme:NORTH"]
    assert data["projects"][0]["syncRuns"] == [{"id": "run-north"}]
    assert data["issues"]["nodes"] == [{"key": "NORTH-1", "comments": [{"id": "1"}], "worklogs": [{"id": "1"}]}]
    assert {user["id"] for user in data["users"]} == {"ann", "shared"}
    assert (len(data["syncLogs"]), len(data["absences"])) == (1, 1)
    assert data["alerts"] == [{"id": "alert-north", "notifications": [{"id": "notice-joint"}, {"id": "notice-north"}]}]
    assert data["project"] == {"alerts": [{"id": "alert-north"}], "silences": [{"reason": "visible"}], "quarantined": 1}
    assert data["quarantine"] == [{"projectUid": "acme:NORTH", "name": "visible", "why": "visible", "raw": "visible"}]
    assert (data["quarantinedRecord"], data["beyond"]) == ({"raw": "visible"}, None)
    assert data["schemaDrifts"] == [{"fieldName": "visible"}]
    assert data["notifications"] == [
        {"id": "notice-joint", "subject": SHARED_SUBJECT, "alertIds": ["alert-north"]},
        {"id": "notice-north", "subject": "visible", "alertIds": ["alert-north"]},
    ]


def test_a_test_notice_is_seen_by_none_but_administrators_of_everything(tenants: Tenants) -> None:
    query = "{ notifications { id } }"
    for role in Role:
        everything = tenants.service.everything[role]
        shown = tenants.do(tenants.service.ask(query, everything))["data"]["notifications"]
        assert ({"id": "notice-test"} in shown) == (role is Role.ADMIN)


ABOUT = {
    "acknowledgeAlert": "UNKNOWN_ALERT",
    "resolveAlert": "UNKNOWN_ALERT",
    "redriveNotification": "UNKNOWN_NOTIFICATION",
}
"""Mutations that name an alert or a notice, and what is said when there is none."""


def test_every_mutation_on_an_alert_or_a_notice_is_tried() -> None:
    assert served.mutation_type is not None
    by_id = {name for name, made in served.mutation_type.fields.items() if "id" in made.args}
    assert by_id == ABOUT.keys() | {"revokeApiToken"}


@pytest.mark.parametrize("name", ABOUT)
@pytest.mark.parametrize(
    "wanted", ["alert-south", "alert-else", "notice-south", "notice-else", "notice-test", "notice-orphan"]
)
def test_no_alert_and_no_notice_beyond_can_be_touched(tenants: Tenants, name: str, wanted: str) -> None:
    query = f'mutation {{ {name}(id: "{wanted}") {{ userErrors {{ code }} }} }}'
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[Role.ADMIN]))
    assert answer["data"][name]["userErrors"] == [{"code": ABOUT[name]}]


@pytest.mark.parametrize(
    ("mutation", "role", "code"),
    [
        ('acknowledgeAlert(id: "alert-north")', Role.READER, "FORBIDDEN"),
        ('acknowledgeAlert(id: "alert-north")', Role.OPERATOR, "SCHEDULER_UNAVAILABLE"),
        ('resolveAlert(id: "alert-north")', Role.READER, "FORBIDDEN"),
        ('resolveAlert(id: "alert-north")', Role.OPERATOR, "SCHEDULER_UNAVAILABLE"),
        ('redriveNotification(id: "notice-north")', Role.OPERATOR, "FORBIDDEN"),
        ('redriveNotification(id: "notice-north")', Role.ADMIN, "SCHEDULER_UNAVAILABLE"),
        ("sendTestNotification(channel: EMAIL)", Role.OPERATOR, "FORBIDDEN"),
        ("sendTestNotification(channel: EMAIL)", Role.ADMIN, "FORBIDDEN"),  # its reach has bounds
    ],
)
def test_within_the_reach_the_role_decides_on_alerts_and_notices(
    tenants: Tenants, mutation: str, role: Role, code: str
) -> None:
    query = f"mutation {{ {mutation} {{ userErrors {{ code }} }} }}"
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[role]))
    assert refusal_in(answer) == code


MUTATIONS = {
    "startProjectSync": "projectId: {p}",
    "pauseProjectSync": "projectId: {p}",
    "resumeProjectSync": "projectId: {p}",
    "rescheduleProjectSync": 'projectId: {p}, cron: "0 0 * * *"',
    "triggerProjectSync": "projectId: {p}",
    "proveProject": "projectId: {p}, accept: true",
    "unregisterProject": "projectId: {p}",
    "setTrackedUsers": 'projectId: {p}, accountIds: ["ann"]',
    "silenceAlerts": "projectId: {p}, minutes: 5",
}
OPERATORS = {"startProjectSync", "pauseProjectSync", "resumeProjectSync", "triggerProjectSync", "silenceAlerts"}
OPERATORS |= {"proveProject"}


def test_every_mutation_on_a_project_is_tried() -> None:
    assert served.mutation_type is not None
    on_projects = {name for name, made in served.mutation_type.fields.items() if "projectId" in made.args}
    assert on_projects == set(MUTATIONS)


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("project", ["SOUTH", "20000", "acme:SOUTH", f"{OTHER_SITE}:NORTH", "30000"])
def test_no_mutation_reaches_beyond(tenants: Tenants, name: str, role: Role, project: str) -> None:
    assert refusal(tenants, name, role, project) == ("UNKNOWN_PROJECT" if role.includes(_needed(name)) else "FORBIDDEN")


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("role", list(Role))
def test_within_the_reach_the_role_decides(tenants: Tenants, name: str, role: Role) -> None:
    """Temporal does not answer here: being told so means that one was let through to it."""
    assert refusal(tenants, name, role, "NORTH") == (
        "SCHEDULER_UNAVAILABLE" if role.includes(_needed(name)) else "FORBIDDEN"
    )


@pytest.mark.parametrize(("key", "site"), [("SOUTH", "acme"), ("NEW", "acme"), ("NORTH", OTHER_SITE)])
def test_no_project_beyond_can_be_registered(tenants: Tenants, key: str, site: str) -> None:
    query = f'mutation {{ registerProject(key: "{key}", site: "{site}") {{ userErrors {{ code }} }} }}'
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[Role.ADMIN]))
    assert answer["data"]["registerProject"]["userErrors"] == [{"code": "FORBIDDEN"}]


@pytest.mark.parametrize(
    ("reach", "code"),
    [
        ("", "FORBIDDEN"),
        (', projects: ["SOUTH"]', "UNKNOWN_PROJECT"),
        (', projects: ["NORTH", "SOUTH"]', "UNKNOWN_PROJECT"),
    ],
)
def test_no_token_that_reaches_further_can_be_made(tenants: Tenants, reach: str, code: str) -> None:
    query = f'mutation {{ createApiToken(name: "more", role: READER{reach}) {{ secret userErrors {{ code }} }} }}'
    made = tenants.do(tenants.service.ask(query, tenants.service.scoped[Role.ADMIN]))["data"]["createApiToken"]
    assert made == {"secret": None, "userErrors": [{"code": code}]}


def test_no_token_that_reaches_further_can_be_revoked(tenants: Tenants) -> None:
    query = f'mutation {{ revokeApiToken(id: "{tenants.service.foreign_token}") {{ userErrors {{ code }} }} }}'
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[Role.ADMIN]))
    assert answer["data"]["revokeApiToken"]["userErrors"] == [{"code": "UNKNOWN_TOKEN"}]
    tokens = TokenStore(tenants.service.tables).list()
    assert [token.revoked_at for token in tokens if token.id == tenants.service.foreign_token] == [None]


def refusal(tenants: Tenants, name: str, role: Role, project: str) -> str:
    """The code with which a mutation is refused, as an error or as data."""
    given_arguments = MUTATIONS[name].replace("{p}", f'"{project}"')
    query = f"mutation {{ {name}({given_arguments}) {{ userErrors {{ code }} }} }}"
    answer = tenants.do(tenants.service.ask(query, tenants.service.scoped[role]))
    return refusal_in(answer)


def refusal_in(answer: dict[str, Any]) -> str:
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    (payload,) = answer["data"].values()
    return str(payload["userErrors"][0]["code"])


def _needed(name: str) -> Role:
    return Role.OPERATOR if name in OPERATORS else Role.ADMIN


def strings(value: Any) -> set[str]:
    """Every string in an answer."""
    if isinstance(value, dict):
        return {found for inner in value.values() for found in strings(inner)}
    if isinstance(value, list):
        return {found for inner in value for found in strings(inner)}
    return {value} if isinstance(value, str) else set()


def _fill(tables: sqlalchemy.Engine) -> None:
    """Three projects: ours, one of the same site, and one of the same key at another site."""
    _project(tables, "acme", "NORTH", 10000, "ann", "run-north", 100, "visible")
    _project(tables, "acme", "SOUTH", 20000, "bob", "run-south", 200, SECRET)
    _project(tables, OTHER_SITE, "NORTH", 30000, "bob", "run-else", 300, SECRET)
    people = [("acme", "ann", "visible"), ("acme", "shared", "visible"), ("acme", "bob", SECRET)]
    people.append((OTHER_SITE, "bob", SECRET))
    _insert(
        tables,
        read_tables.jira_user,
        [rows.user(who, display_name=name) | {"site": site} for site, who, name in people],
    )
    # One that tells of both projects of the site, one of none, and one of an alert that nobody knows.
    for position, (notification_id, alerts) in enumerate(
        [("joint", ("alert-north", "alert-south")), ("test", ()), ("orphan", ("alert-lost",))], 1000
    ):
        _notice(tables, "acme", f"notice-{notification_id}", position, SECRET, alerts)


def _project(
    tables: sqlalchemy.Engine, site: str, key: str, number: int, who: str, run: str, position: int, text: str
) -> None:
    issue_id, small = str(number + 1), number // 10000
    here: dict[str, Any] = {"site": site}
    mine: dict[str, Any] = {**here, "project_key": key}
    issue = rows.issue(1, summary=text, description=text, assignee_id=who, reporter_id="shared", sprint_id=str(number))
    _insert(tables, read_tables.project, [rows.project(key, str(number)) | {**here, "name": text}])
    _insert(tables, read_tables.issue, [issue | {**mine, "issue_id": issue_id, "key": f"{key}-1"}])
    _insert(tables, read_tables.comment, [rows.comment(small, issue_id, who) | {**here, "body": text}])
    _insert(tables, read_tables.worklog, [rows.worklog(small, issue_id, who, comment=text) | here])
    _insert(tables, read_tables.sprint, [rows.sprint(str(number), name=text) | here])
    _insert(tables, read_tables.sprint_project, [rows.sprint_project(str(number)) | mine])
    _insert(tables, read_tables.sync_job, [rows.job(key) | {**here, "schedule_id": text}])
    _insert(tables, read_tables.sync_state, [rows.state("issue", key, error_code="X", error_message=text) | here])
    _insert(tables, read_tables.sync_log, [rows.log(position, message=text, run_id=run) | mine])
    _insert(tables, read_tables.sync_run, [rows.run(run, position, reason=text) | mine])
    _insert(tables, read_tables.project_change, [rows.change(position, reason=text) | mine])
    _insert(tables, read_tables.tracked_user, [{**mine, "account_id": who}])
    _insert(tables, read_tables.gone, [rows.absence(str(number + 9), reason="UNTRACKED") | mine])
    _insert(tables, read_tables.census, [rows.census(key, brake=text, run_id=run) | here])
    difference = json.dumps([{"cause": "HELD_BACK", "number": 1, "ids": [issue_id]}])
    _insert(tables, read_tables.completeness, [rows.compared("issue", key, differences=difference) | here])
    _insert(tables, read_tables.schema_drift, [rows.drift(position, field_name=text) | mine])
    texts = dict.fromkeys(("name", "why", "raw", "field"), text)
    _insert(tables, read_tables.quarantine, [rows.set_aside(position, **texts, run_id=run) | mine])
    alert_id = run.replace("run", "alert")
    _insert(tables, read_tables.alert, [rows.alert(alert_id, position, message=text, code="X") | mine])
    _insert(tables, read_tables.alert_silence, [rows.silence(reason=text) | mine])
    _notice(tables, site, run.replace("run", "notice"), position, text, (alert_id,))


def _notice(
    tables: sqlalchemy.Engine, site: str, notification_id: str, position: int, subject: str, alerts: tuple[str, ...]
) -> None:
    here = {"site": site}
    row = rows.notice(notification_id, position, subject=subject, state="DEAD" if alerts else "SENT")
    _insert(tables, read_tables.notification, [row | here])
    if alerts:
        named = [rows.about(notification_id, alert_id) | here for alert_id in alerts]
        _insert(tables, read_tables.notification_alert, named)


def _insert(tables: sqlalchemy.Engine, table: sqlalchemy.Table, values: list[dict[str, Any]]) -> None:
    with tables.begin() as connection:
        connection.execute(table.insert(), values)
