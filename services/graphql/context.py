"""What resolvers work with: one object a request."""

from dataclasses import dataclass

from strawberry.types import Info as StrawberryInfo

from services.graphql.loaders import Loaders
from services.graphql.queries import Queries
from services.graphql.scheduler import Scheduler


@dataclass(frozen=True)
class Context:
    """The request's view of the service."""

    queries: Queries
    loaders: Loaders
    scheduler: Scheduler
    trace_id: str  # in the log and in every masked error of this request


Info = StrawberryInfo[Context, None]
