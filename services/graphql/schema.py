"""What can be asked. Run as a program it prints the schema: `python -m services.graphql.schema > schema.graphql`."""

from typing import Any

import strawberry

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


schema = QuietSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[SyncStatus],
    extensions=EXTENSIONS,
)


if __name__ == "__main__":
    print(schema.as_str())  # noqa: T201 - the program's output
