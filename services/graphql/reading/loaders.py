"""Nested lists without a query per row: what one level of a query asks for is read by one statement."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from strawberry.dataloader import DataLoader

from services.graphql.reading.reader import R, Reader, Row

Key = tuple[str, str]
"""(site, id)"""

CHUNK: Final = 10_000
"""Keys of one statement, two variables each: SQLite takes 32,766 of them, PostgreSQL 65,535."""


@dataclass(frozen=True, eq=False)
class Nested(Generic[R]):
    """Rows that hang on others."""

    queries: type[R]
    select: Callable[[R, Sequence[Key]], Awaitable[list[Row]]]
    """Of `queries`: reads the rows of many keys."""
    column: str
    """Beside `site`: which of the keys a row belongs to."""


class Loaders:
    """What hangs on the rows of one request."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._loaders: dict[Nested[Any], DataLoader[Key, list[Row]]] = {}

    async def one(self, nested: Nested[Any], key: Key) -> Row | None:
        """The row of this key."""
        return next(iter(await self.many(nested, key)), None)

    async def many(self, nested: Nested[Any], key: Key) -> list[Row]:
        """The rows of this key, in the order of the SELECT."""
        if nested not in self._loaders:
            self._loaders[nested] = DataLoader(_load(nested, self._reader.of(nested.queries)))
        return await self._loaders[nested].load(key)

    def clear(self) -> None:
        """Forget what was loaded: the next operation of a long connection, or event of a subscription, reads anew."""
        self._loaders.clear()


def _load(nested: Nested[R], queries: R) -> Callable[[list[Key]], Awaitable[Sequence[list[Row]]]]:
    async def load(keys: list[Key]) -> Sequence[list[Row]]:
        found: dict[Key, list[Row]] = {key: [] for key in keys}
        for start in range(0, len(keys), CHUNK):
            for row in await nested.select(queries, keys[start : start + CHUNK]):
                found[row["site"], row[nested.column]].append(row)
        return [found[key] for key in keys]

    return load
