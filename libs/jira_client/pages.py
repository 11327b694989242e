"""The ways Jira pages, and the traps in them.

- Tokens (`search/jql`): a token that comes again would loop for ever, so it ends the scan.
- `startAt` with `isLast`, `total` or neither: the next start is counted by what came, because Jira cuts pages
  shorter than asked.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from msgspec import Raw

from libs.jira_client.failures.classify import Context, bad_response
from libs.jira_client.failures.errors import BadResponse
from libs.jira_client.models import ChildPage, id_of

MOST_PAGES: Final = 10_000
"""Of one list; more is taken for a loop."""
RESTARTS: Final = 3
"""Times a list is read again from its start because something was deleted while it was read."""

T = TypeVar("T")
Fetch = Callable[[int], Awaitable[tuple[list[T], int | None]]]
"""From a start to the items there and the next start, None at the end."""


def unbelievable(message: str, endpoint: str) -> BadResponse:
    """The error for an answer that is well formed and cannot be true; trying again at once would not help."""
    return BadResponse(bad_response(message, Context(endpoint=endpoint), retryable=False))


class SeenTokens:
    """The page tokens of one scan. Give `digests` to a later instance to go on with the same scan."""

    def __init__(self, digests: Iterable[str] = ()) -> None:
        self._digests = dict.fromkeys(digests)

    @property
    def digests(self) -> tuple[str, ...]:
        """16 hex characters for each token seen, oldest first."""
        return tuple(self._digests)

    def add(self, token: str, endpoint: str = "") -> None:
        """Remembers the token. Raises BadResponse when it was seen before, or when there are too many."""
        digest = hashlib.blake2b(token.encode(), digest_size=8).hexdigest()
        if digest in self._digests:
            raise unbelievable("Jira gave the same nextPageToken twice: its pages run in a circle.", endpoint)
        if len(self._digests) >= MOST_PAGES:
            raise unbelievable(f"Jira gave more than {MOST_PAGES} pages.", endpoint)
        self._digests[digest] = None


def next_token(token: str | None, last: bool | None, endpoint: str, asked: str | None) -> str | None:
    """The token of the page after this one, None after the last.

    The token decides; `isLast` is only compared with it. Raises BadResponse when the answer contradicts itself.
    """
    if token and token == asked:
        raise unbelievable("Jira gave the nextPageToken it was asked with: its pages run in a circle.", endpoint)
    if not token and last is False:
        raise unbelievable("Jira says that more pages follow and gives no nextPageToken.", endpoint)
    return token or None


def next_start(start: int, came: int, last: bool | None, total: int | None, endpoint: str) -> int | None:
    """Where the next page of a `startAt` list starts, None after the last.

    Raises BadResponse for a list that promises more and gives nothing.
    """
    if last or (last is None and total is not None and start + came >= total):
        return None
    if came:
        return start + came
    if last is None and total is None:
        return None
    raise unbelievable("Jira says that more items follow and gives an empty page.", endpoint)


async def every(fetch: Fetch[T], endpoint: str) -> list[T]:
    """All items of a `startAt` list."""
    items: list[T] = []
    start = 0
    for _ in range(MOST_PAGES):
        came, following = await fetch(start)
        items += came
        if following is None:
            return items
        start = following
    raise unbelievable(f"Jira gave more than {MOST_PAGES} pages.", endpoint)


async def every_child(fetch: Callable[[int], Awaitable[ChildPage]], endpoint: str) -> list[Raw]:
    """All comments or worklogs of an issue, each once.

    When the total shrinks while the list is read, an item may have slipped to a page already read: it is read again.
    """
    for _ in range(RESTARTS):
        items = await _one_reading(fetch, endpoint)
        if items is not None:
            return items
    raise BadResponse(
        bad_response("The list shrank each time while it was read.", Context(endpoint=endpoint), retryable=True)
    )


async def _one_reading(fetch: Callable[[int], Awaitable[ChildPage]], endpoint: str) -> list[Raw] | None:
    items: dict[str | bytes, Raw] = {}
    start, total = 0, 0
    for _ in range(MOST_PAGES):
        page = await fetch(start)
        if page.total < total:
            return None
        # Who reads the items says which one has no id; here it is known by its own bytes.
        items |= {id_of(item) or bytes(item): item for item in page.items}
        if page.next_start is None:
            return list(items.values())
        if not page.items:
            raise unbelievable(f"Jira counts {page.total} items and shows {start}.", endpoint)
        start, total = page.next_start, page.total
    raise unbelievable(f"Jira gave more than {MOST_PAGES} pages.", endpoint)
