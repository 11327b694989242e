"""The schema is a contract: its snapshot, and the part of it that consumers were promised from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    ObjectTypeDefinitionNode,
    build_schema,
    is_specified_scalar_type,
    parse,
    print_ast,
)

from services.graphql.schema import schema

SNAPSHOT = Path(__file__).parents[3] / "schema.graphql"

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
    field = served.query_type.fields[name]
    assert {key: str(argument.type) for key, argument in field.args.items()} == arguments


def test_a_sync_is_asked_for_and_answered_as_data() -> None:
    assert served.mutation_type is not None
    field = served.mutation_type.fields["triggerProjectSync"]
    taken = {key: str(argument.type) for key, argument in field.args.items()}
    assert taken == {"projectId": "ID!", "full": "Boolean", "accountIds": "[String!]"}
    assert str(field.type) == "TriggerProjectSyncPayload!"


def test_everything_is_described() -> None:
    bare = []
    for name, made in served.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(made):
            continue
        bare += [name] if not made.description else []
        if isinstance(made, GraphQLObjectType | GraphQLInputObjectType):
            bare += [f"{name}.{key}" for key, field in made.fields.items() if not field.description]
    assert bare == []
