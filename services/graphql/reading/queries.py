"""The read tables, as the API asks for them."""

from services.graphql.api.alerts.queries import AlertQueries
from services.graphql.api.issues.queries import IssueQueries
from services.graphql.api.syncs.queries import SyncQueries
from services.graphql.reading.reader import ProjectQueries


class Queries(ProjectQueries, IssueQueries, SyncQueries, AlertQueries):
    """Every question to the read tables that the API asks."""
