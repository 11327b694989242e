"""What is set aside, as the API shows it."""

from datetime import datetime
from typing import Self

import strawberry

from services.graphql.api.context import Info
from services.graphql.api.project_names import key_of, uid
from services.graphql.api.quarantine.queries import RAW
from services.graphql.reading.from_row import EMPTY_IS_NULL, column, from_row
from services.graphql.reading.reader import Row


@strawberry.type(description="A record of Jira's, a part of one or a list, that could not be read and is set aside.")
class QuarantinedRecord:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(
        description="Position of the event that set it aside; another one when it is set aside anew.",
        metadata=column("since_position"),
    )
    site: str = strawberry.field(description="Short name of the Jira site.")
    project_key: str = strawberry.field(description="Key of the project.")
    project_uid: strawberry.ID = strawberry.field(description="<site>:<project key>.")
    record: str = strawberry.field(
        description="Names it within the project: issue/10001/comment 7, issue/10001/comments (the list)."
    )
    kind: str = strawberry.field(
        description="issue, comment, worklog, sprint, user, board, field or project; of a list, what it lists."
    )
    name: str = strawberry.field(description="What people call it: Issue DEMO-7, comment 12.")
    issue_id: strawberry.ID | None = strawberry.field(
        description="Jira's id of the issue that it is, or belongs to; null for what belongs to none."
    )
    issue_key: str | None = strawberry.field(description="Key of that issue when it was set aside, where known.")
    field: str | None = strawberry.field(
        description="The place in the record that could not be read, such as $.created; null: the whole.",
        metadata=EMPTY_IS_NULL,
    )
    why: str = strawberry.field(description="Why it could not be read, as it was last seen.")
    asked_again: bool = strawberry.field(
        description="Whether the next runs ask Jira for it; else a later answer brings it by itself."
    )
    since: datetime = strawberry.field(description="When it was set aside.")
    run_id: str = strawberry.field(description="The last run that told of it.")
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this one.")

    @strawberry.field(
        description="The record as Jira showed it, as text, cut where it is very long; null for a list that could not"
        " be had."
    )
    async def raw(self, info: Info) -> str | None:
        found = await info.context.loaders.one(RAW, (self.row["site"], self.cursor))
        return None if found is None else found["raw"]

    @classmethod
    def of(cls, row: Row) -> Self:
        return from_row(cls, row, project_uid=uid(key_of(row)), cursor=str(row["since_position"]))
