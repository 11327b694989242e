"""What resolvers work with: one object a request."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from strawberry.types import Info as StrawberryInfo

from services.graphql.loaders import Loaders
from services.graphql.queries import Queries

RequestSync = Callable[[str, str, bool, Sequence[str]], Awaitable[str]]
"""(site, project, full, account ids) to the id of the request."""


@dataclass(frozen=True)
class Context:
    """The request's view of the service."""

    queries: Queries
    loaders: Loaders
    request_sync: RequestSync


Info = StrawberryInfo[Context, None]
