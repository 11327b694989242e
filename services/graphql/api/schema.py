"""What can be asked. `python -m services.graphql.api.schema > schema.graphql` writes the schema."""

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from services.graphql.api.access.fields import TokenQuery, ViewerQuery
from services.graphql.api.access.mutations import TokenMutation
from services.graphql.api.alerts.fields import AlertQuery
from services.graphql.api.alerts.mutations import AlertMutation
from services.graphql.api.completeness.fields import CompletenessQuery
from services.graphql.api.completeness.mutations import CompletenessMutation
from services.graphql.api.issues.fields import IssueQuery
from services.graphql.api.jira.fields import GateQuery
from services.graphql.api.jira.mutations import GateMutation
from services.graphql.api.projects.fields import ChoiceQuery, ProjectQuery
from services.graphql.api.projects.mutations import ProjectMutation
from services.graphql.api.quarantine.fields import QuarantineQuery
from services.graphql.api.subscriptions import Subscription
from services.graphql.api.syncs.fields import SyncQuery
from services.graphql.api.syncs.mutations import SyncMutation
from services.graphql.api.syncs.types import SyncStatus
from services.graphql.execution.limits import EXTENSIONS


@strawberry.type(description="Everything that can be read.")
class Query(
    ProjectQuery,
    IssueQuery,
    SyncQuery,
    CompletenessQuery,
    QuarantineQuery,
    AlertQuery,
    ViewerQuery,
    ChoiceQuery,
    TokenQuery,
    GateQuery,
):
    pass


@strawberry.type(description="Changes. Each is carried out by the ingestor and becomes an event.")
class Mutation(AlertMutation, TokenMutation, SyncMutation, CompletenessMutation, ProjectMutation, GateMutation):
    pass


class QuietSchema(strawberry.Schema):
    """Does not log errors: `CodedErrors` has, with the trace id, those that are ours."""

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        pass

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Answer once. Strawberry would execute a subscription like a query, which fails."""
        allowed = frozenset(allowed_operation_types or OperationType) - {OperationType.SUBSCRIPTION}
        return await super().execute(
            query, variable_values, context_value, root_value, operation_name, allowed, operation_extensions
        )


schema = QuietSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[SyncStatus],
    extensions=EXTENSIONS,
)


if __name__ == "__main__":
    print(schema.as_str())  # noqa: T201 - the program's output
