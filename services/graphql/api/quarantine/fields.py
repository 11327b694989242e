"""Root fields on what is set aside."""

from __future__ import annotations

from typing import Annotated

import strawberry

from services.graphql.api.context import Info
from services.graphql.api.project_names import project_of
from services.graphql.api.quarantine.queries import QuarantineQueries
from services.graphql.api.quarantine.types import QuarantinedRecord
from services.graphql.reading.pages import MAX_LIST, how_many, position_in, within

argument = strawberry.argument


@strawberry.type
class QuarantineQuery:
    @strawberry.field(
        description="Records of Jira's that could not be read and are set aside, the last first. Each stays here until"
        " it can be read, or is gone."
    )
    async def quarantine(
        self,
        info: Info,
        project_id: Annotated[
            strawberry.ID | None,
            argument(description="Jira's id, the key, or <site>:<key>; left out: all that you may see."),
        ] = None,
        limit: Annotated[int, argument(description=how_many(MAX_LIST))] = 50,
        after: Annotated[str | None, argument(description="Cursor of an entry: what comes behind it follows.")] = None,
    ) -> list[QuarantinedRecord]:
        behind, count = position_in(after, "after"), within("limit", limit, MAX_LIST)
        project = None if project_id is None else await project_of(info, project_id)
        rows = await info.context.queries(QuarantineQueries).records(project, count, behind)
        return [QuarantinedRecord.of(row) for row in rows]

    @strawberry.field(description="A record that is set aside, by id; null when it is not, or not any more.")
    async def quarantined_record(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="Id of an entry of the quarantine.")],  # noqa: A002
    ) -> QuarantinedRecord | None:
        position = position_in(id, "id")
        row = None if position is None else await info.context.queries(QuarantineQueries).record(position)
        return None if row is None else QuarantinedRecord.of(row)
