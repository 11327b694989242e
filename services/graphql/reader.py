"""Run named queries: in threads, because the drivers block; timed, by the query's name."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from prometheus_client import Histogram
from sqlalchemy import Engine, event

from services.graphql.errors import bad_input
from services.graphql.queries import Query

THREADS: Final = 8
"""Statements that run at once; the engine's pool has room for more connections than that."""

QUERY_SECONDS: Final = Histogram(
    "jdi_graphql_query_seconds", "Time of a named SELECT on the read tables, fetching its rows included.", ["query"]
)

Row = dict[str, Any]


class Reader:
    """The read tables of one site. May be used by any number of requests at once."""

    def __init__(self, engine: Engine, site: str) -> None:
        self.site = site
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="read")
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _know_all_letters)

    async def rows(self, query: Query, **values: Any) -> list[Row]:
        """All rows of `query`.

        Raises:
            ApiError: a text among the values cannot stand in a database.
        """
        _check_texts(values)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, query, values)

    async def first(self, query: Query, **values: Any) -> Row | None:
        """The first row of `query`; None when it has none."""
        return next(iter(await self.rows(query, **values)), None)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()

    def _run(self, query: Query, values: Mapping[str, Any]) -> list[Row]:
        started = time.perf_counter()
        with self._engine.connect() as connection:
            found = connection.execute(query.statement, {"site": self.site, **values})
            rows = [dict(row) for row in found.mappings()]
        QUERY_SECONDS.labels(query=query.name).observe(time.perf_counter() - started)
        return rows


def _check_texts(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        texts = value if isinstance(value, list) else [value]
        if not all(_storable(text) for text in texts if isinstance(text, str)):
            raise bad_input(f"{name} holds a character that no text in the read tables has (NUL or half a surrogate)")


def _storable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _know_all_letters(connection: sqlite3.Connection, _record: Any) -> None:
    """SQLite's own `lower` knows ASCII alone; PostgreSQL's knows all letters, and the same search finds the same."""
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return text.lower() if text is not None else None
