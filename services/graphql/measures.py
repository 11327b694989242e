"""What GraphQL measures of operations. Field names come from the schema, never from what callers write."""

import contextlib
from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine, QueuePool

from libs.runtime import asked

OPERATIONS: Final = Counter(
    "jdi_graphql_operations_total",
    "Operations that ended; type: query, mutation, subscription, invalid for what cannot be asked; field: the one at"
    " the root, `several`, or empty when invalid; code: of the first error, empty when there is none.",
    ["type", "field", "code"],
)
SECONDS: Final = Histogram(
    "jdi_graphql_operation_duration_seconds",
    "Time from reading an operation to its answer; of queries and mutations.",
    ["type", "field"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)
REFUSED: Final = Counter(
    "jdi_graphql_refused_total",
    "Operations refused because they ask for too much at once; limit: depth, fields, aliases, cost.",
    ["limit"],
)
SUBSCRIPTIONS: Final = Gauge("jdi_graphql_subscriptions_open", "Subscriptions that are open.", ["field"])
HOOKS: Final = Counter(
    "jdi_hooks_total",
    "Webhooks of Jira that came; outcome: kept, nothing_named (it names no issue), unreadable, too_large, unsigned,"
    " forged, not_stored.",
    ["outcome"],
)
CONNECTIONS: Final = Gauge(
    "jdi_graphql_read_connections_used", "Connections to the read tables that answers are being read on."
)
MOST_CONNECTIONS: Final = Gauge(
    "jdi_graphql_read_connections_limit", "Connections to the read tables that there can be; who needs one more waits."
)


@contextlib.contextmanager
def pool_measured(engine: Engine) -> Iterator[None]:
    """Measure the connections of the read tables within the block."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"the read tables have a {type(pool).__name__}, which does not count its connections")
    MOST_CONNECTIONS.set(pool.size() + pool._max_overflow)  # noqa: SLF001 - it has no public name
    with asked(CONNECTIONS, pool.checkedout):
        yield
