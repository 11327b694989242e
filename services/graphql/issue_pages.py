"""Pages of issues: what they can be narrowed by, and how they are read on."""

import dataclasses
from typing import Any, Final

import strawberry

from services.graphql import cursors, queries
from services.graphql.context import Info
from services.graphql.cursors import Place
from services.graphql.errors import bad_input
from services.graphql.times import DateTime
from services.graphql.types import Issue

MAX_PAGE: Final = 100
MAX_TEXT: Final = 1_000
"""Characters to search for; SQLite takes no pattern over 50,000 bytes."""


@strawberry.input(description="Narrows a list of issues. All that is given must match; null counts as not given.")
class IssueFilter:
    assignee: strawberry.ID | None = strawberry.field(default=None, description="accountId of the assignee.")
    status: str | None = strawberry.field(default=None, description="Name of the status, in upper or lower case.")
    sprint: strawberry.ID | None = strawberry.field(
        default=None, description="Id or exact name of a sprint that the issue is or was in."
    )
    updated_since: DateTime | None = strawberry.field(
        default=None, description="Only issues changed in Jira at this time or later."
    )
    text: str | None = strawberry.field(
        default=None,
        description="Text that the key, the summary or the description contains, in upper or lower case. "
        "No character has a special meaning.",
    )


@strawberry.type(description="Where a page of a list stands in it.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for by `after`.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first element; null when there is none.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last element: pass it as `after` to read on. Null when there is none."
    )


@strawberry.type(description="An issue and its place in the list.")
class IssueEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this issue.")
    node: Issue = strawberry.field(description="The issue.")


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which issues of which project: the parameters of the queries, by the filters' names."""

    project_key: str
    filters: dict[str, Any]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.filters)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"project_key": self.project_key, **self.filters}


@strawberry.type(description="A page of issues, the one changed last in front.")
class IssueConnection:
    nodes: list[Issue] = strawberry.field(description="The issues.")
    page_info: PageInfo = strawberry.field(description="How to read on.")
    selection: strawberry.Private[Selection]

    @strawberry.field(description="The issues with their cursors.")
    def edges(self) -> list[IssueEdge]:
        return [IssueEdge(cursor=_cursor(issue), node=issue) for issue in self.nodes]

    @strawberry.field(description="How many issues match in all; costs a query of its own.")
    async def total_count(self, info: Info) -> int:
        query = queries.issues_count(self.selection.names)
        rows = await info.context.reader.rows(query, **self.selection.parameters)
        return int(rows[0]["issues"])


def select_issues(project_key: str, wanted: IssueFilter | None) -> Selection:
    """What a caller asks for.

    Raises:
        ApiError: the text to search for is too long.
    """
    given = {} if wanted is None else dataclasses.asdict(wanted)
    filters = {name: value for name, value in given.items() if value is not None}
    if "text" in filters:
        if len(filters["text"]) > MAX_TEXT:
            raise bad_input(f"filter.text: at most {MAX_TEXT} characters can be searched for")
        filters["text"] = contains(filters["text"])
    return Selection(project_key, filters)


async def load_page(info: Info, selection: Selection, first: int, after: Place | None) -> IssueConnection:
    """The `first` issues of the selection, behind `after` if that is given."""
    query = queries.issues_page(selection.names, after=after is not None)
    place = {} if after is None else {"after_updated": after.updated, "after_id": after.issue_id}
    rows = await info.context.reader.rows(query, limit=first + 1, **selection.parameters, **place)
    issues = [Issue(**row) for row in rows[:first]]
    page_info = PageInfo(
        has_next_page=len(rows) > first,
        has_previous_page=after is not None,
        start_cursor=_cursor(issues[0]) if issues else None,
        end_cursor=_cursor(issues[-1]) if issues else None,
    )
    return IssueConnection(nodes=issues, page_info=page_info, selection=selection)


def contains(text: str) -> str:
    """The LIKE pattern, with `/` as escape, for everything that contains `text`."""
    for special in "/%_":
        text = text.replace(special, f"/{special}")
    return f"%{text}%"


def checked_size(name: str, value: int, most: int) -> int:
    """`value`, when a page may be so long.

    Raises:
        ApiError: it may not.
    """
    if not 1 <= value <= most:
        raise bad_input(f"{name}: {value} is not between 1 and {most}")
    return value


def _cursor(issue: Issue) -> str:
    return cursors.encode(Place(issue.updated, issue.id))
