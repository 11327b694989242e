"""The read tables, as the API asks for them."""

from services.graphql.alert_queries import AlertQueries
from services.graphql.issue_queries import IssueQueries
from services.graphql.reading import ProjectQueries
from services.graphql.sync_queries import SyncQueries


class Queries(ProjectQueries, IssueQueries, SyncQueries, AlertQueries):
    """Every question to the read tables that the API asks."""
