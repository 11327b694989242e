"""What can be asked. Run as a program it prints the schema: `python -m services.graphql.schema > schema.graphql`."""

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from services.graphql.admin_fields import AdminQuery
from services.graphql.alert_fields import AlertQuery
from services.graphql.issue_fields import IssueQuery
from services.graphql.limits import EXTENSIONS
from services.graphql.mutations import Mutation
from services.graphql.project_fields import ProjectQuery
from services.graphql.subscriptions import Subscription
from services.graphql.sync_fields import SyncQuery
from services.graphql.sync_types import SyncStatus


@strawberry.type(description="Everything that can be read.")
class Query(ProjectQuery, IssueQuery, SyncQuery, AlertQuery, AdminQuery):
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
