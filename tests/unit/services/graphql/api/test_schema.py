"""The schema is a contract: its snapshot, and the part of it that consumers were promised from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    ObjectTypeDefinitionNode,
    build_schema,
    is_required_argument,
    is_specified_scalar_type,
    parse,
    print_ast,
)

from libs.access import Role
from services.graphql.api.roles import Needs
from services.graphql.api.schema import Mutation, schema

SNAPSHOT = Path(__file__).parents[5] / "schema.graphql"

PROMISED = """
type Issue { id: ID! key: String! summary: String! status: String! priority: String assignee: User updated: DateTime!
  sprint: Sprint comments: [Comment!]! worklogs: [Worklog!]! }
type Comment { id: ID! author: User! body: String! created: DateTime! updated: DateTime }
type Worklog { id: ID! author: User! timeSpent: Int started: DateTime! updated: DateTime! }
type Sprint { id: ID! name: String! state: String! startDate: DateTime endDate: DateTime }
type SyncState { entity: String! lastSyncTime: DateTime! status: String! }
type SyncJob { id: ID! workflowId: String! scheduleId: String! cronSchedule: String! status: SyncJobStatus!
  lastRunAt: DateTime nextRunAt: DateTime }
enum SyncJobStatus { ACTIVE PAUSED ERROR }
enum SyncStatus { IDLE RUNNING SUCCESS FAILED }
type SyncLog { id: ID! level: SyncLogLevel! message: String! details: JSON entity: String runId: String
  createdAt: DateTime! }
enum SyncLogLevel { INFO ERROR DEBUG }
type User { id: ID! displayName: String! active: Boolean! avatarUrl: String accountType: String! }
"""

served = build_schema(schema.as_str())


def test_the_snapshot_is_the_schema() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8").rstrip() == schema.as_str().rstrip(), "run `make schema`"


@pytest.mark.parametrize("promised", parse(PROMISED).definitions, ids=lambda node: node.name.value)
def test_every_promised_name_field_and_nullability_is_served(promised: DefinitionNode) -> None:
    if isinstance(promised, EnumTypeDefinitionNode):
        enum = served.type_map[promised.name.value]
        assert isinstance(enum, GraphQLEnumType)
        assert set(enum.values) == {value.name.value for value in promised.values or ()}
        return
    assert isinstance(promised, ObjectTypeDefinitionNode)
    made = served.type_map[promised.name.value]
    assert isinstance(made, GraphQLObjectType)
    for field in promised.fields or ():
        assert str(made.fields[field.name.value].type) == print_ast(field.type), field.name.value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("project", {"projectId": "ID!"}),
        ("projects", {}),
        ("issue", {"id": "ID", "key": "String"}),
        ("issues", {"projectId": "ID!", "first": "Int!", "after": "String", "filter": "IssueFilterInput"}),
        ("sprints", {"projectId": "ID!"}),
        ("users", {"projectId": "ID"}),
        ("syncStates", {"projectId": "ID!"}),
        ("syncLogs", {"projectId": "ID!", "limit": "Int!"}),
        ("syncJobs", {}),
    ],
)
def test_every_query_takes_what_it_should(name: str, arguments: dict[str, str]) -> None:
    assert served.query_type is not None
    _takes(served.query_type.fields[name], arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "payload"),
    [
        ("acknowledgeAlert", {"id": "ID!", "reason": "String"}, "AlertPayload!"),
        ("resolveAlert", {"id": "ID!", "reason": "String"}, "AlertPayload!"),
        (
            "silenceAlerts",
            {"projectId": "ID!", "minutes": "Int!", "code": "String", "reason": "String"},
            "SilencePayload!",
        ),
        ("sendTestNotification", {"channel": "NotificationChannel!", "to": "[String!]"}, "NotificationPayload!"),
        ("redriveNotification", {"id": "ID!"}, "NotificationPayload!"),
    ],
)
def test_what_is_done_about_alerts_is_answered_as_data(name: str, arguments: dict[str, str], payload: str) -> None:
    assert served.mutation_type is not None
    field = served.mutation_type.fields[name]
    _takes(field, {**arguments, "idempotencyKey": "String"})
    assert str(field.type) == payload


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("startProjectSync", {"projectId": "ID!", "full": "Boolean"}),
        ("pauseProjectSync", {"projectId": "ID!"}),
        ("resumeProjectSync", {"projectId": "ID!"}),
        ("rescheduleProjectSync", {"projectId": "ID!", "cron": "String!"}),
        ("triggerProjectSync", {"projectId": "ID!", "full": "Boolean", "accountIds": "[String!]"}),
        ("proveProject", {"projectId": "ID!", "accept": "Boolean"}),
        ("registerProject", {"key": "String!"}),
        ("unregisterProject", {"projectId": "ID!"}),
        ("setTrackedUsers", {"projectId": "ID!", "accountIds": "[String!]!"}),
    ],
)
def test_every_change_takes_what_it_should_and_is_answered_as_data(name: str, arguments: dict[str, str]) -> None:
    assert served.mutation_type is not None
    field = served.mutation_type.fields[name]
    _takes(field, {**arguments, "reason": "String", "idempotencyKey": "String"})
    assert str(field.type) == "SyncJobPayload!"


def _takes(field: GraphQLField, promised: dict[str, str]) -> None:
    """The arguments are there as promised; what was added since may be left out."""
    assert {name: str(field.args[name].type) for name in promised} == promised
    added = {name: argument for name, argument in field.args.items() if name not in promised}
    assert [name for name, argument in added.items() if is_required_argument(argument)] == []


def test_every_change_needs_a_role_above_the_reader() -> None:
    definition: Any = Mutation
    needed = {
        field.python_name: [extension.role for extension in field.extensions if isinstance(extension, Needs)]
        for field in definition.__strawberry_definition__.fields
    }
    assert {name for name, roles in needed.items() if roles == [Role.OPERATOR]} == {
        "start_project_sync",
        "pause_project_sync",
        "resume_project_sync",
        "trigger_project_sync",
        "prove_project",
        "acknowledge_alert",
        "resolve_alert",
        "silence_alerts",
    }
    assert [name for name, roles in needed.items() if roles not in ([Role.OPERATOR], [Role.ADMIN])] == []


def test_everything_is_described() -> None:
    bare = []
    for name, made in served.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(made):
            continue
        bare += [name] if not made.description else []
        if isinstance(made, GraphQLObjectType | GraphQLInputObjectType):
            bare += [f"{name}.{key}" for key, field in made.fields.items() if not field.description]
        if isinstance(made, GraphQLObjectType):
            bare += [
                f"{name}.{key}({argument})"
                for key, field in made.fields.items()
                for argument, taken in field.args.items()
                if not taken.description
            ]
    assert bare == []
