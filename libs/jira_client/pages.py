"""The ways Jira pages, and the traps in them.

- Tokens (`search/jql`): a token that comes again would loop for ever, so it ends the scan.
- `startAt` with `isLast`, `total` or neither: the next start is counted by what came, because Jira cuts pages
  shorter than asked. `total` is a hint: it may count what the account may not see.

A `startAt` list that does not end as it should is given as far as it was shown, and says so (`Listed`). A scan by
tokens that does not is ended by BadResponse after the pages that came: whoever takes an absence from it must know.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from msgspec import Raw

from libs.jira_client.failures.classify import Context, bad_response
from libs.jira_client.failures.errors import BadResponse
from libs.jira_client.lists import Listed
from libs.jira_client.models import id_of

MOST_PAGES: Final = 10_000
"""Of one scan; more is taken for a loop."""
LONGEST_LIST: Final = 1_000
"""Pages of one `startAt` list; more is taken for a loop."""
RESTARTS: Final = 3
"""Times a list is read again from its start because something was deleted while it was read."""
EMPTY_PAGES: Final = 3
"""Pages of a search that may be empty, one after another, and still name a next one."""
REPEATED_PAGES: Final = 3
"""Pages of a search, one after another, that show nothing new and name a next one: then it is a loop."""


class Shown(NamedTuple):
    """One page of a `startAt` list, with what Jira says about the others."""

    items: list[Raw]
    last: bool | None
    total: int | None


Fetch = Callable[[int], Awaitable[Shown]]
"""From a start to the page there."""


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


def whole_search(came: int, total: int | None, endpoint: str) -> None:
    """Check a first page of a search without token: a total above what it shows means that more was meant to come.

    Raises BadResponse then: without a token there is no way to ask for the rest.
    """
    if total is not None and total > came:
        raise unbelievable(f"Jira counts {total} issues, shows {came}, and gives no nextPageToken.", endpoint)


def next_start(start: int, came: int, last: bool | None, total: int | None) -> int | None:
    """Where the next page of a `startAt` list starts, None after the last. An empty page is the last.

    A total below what is shown is no end: it is wrong, and more may follow.
    """
    if last or not came or (last is None and total is not None and start + came == total):
        return None
    return start + came


async def whole_list(fetch: Fetch, endpoint: str) -> Listed[Raw]:
    """All items of a `startAt` list, each once.

    When the total shrinks while the list is read, an item may have slipped to a page already read: it is read again.
    """
    for _ in range(RESTARTS - 1):
        listed = await _reading(fetch, endpoint, steady=True)
        if listed is not None:
            return listed
    return await _reading(fetch, endpoint, steady=False) or Listed()


async def _reading(fetch: Fetch, endpoint: str, *, steady: bool) -> Listed[Raw] | None:
    """The list from its start; None when it has to be `steady` and shrank meanwhile."""
    items: dict[str | bytes, Raw] = {}
    start = most = 0
    shrank = False
    for _ in range(LONGEST_LIST):
        page = await fetch(start)
        shrank = shrank or (page.last is None and page.total is not None and page.total < most)
        if shrank and steady:
            return None
        most, known = max(most, page.total or 0), len(items)
        items |= {id_of(item) or bytes(item): item for item in page.items}
        following = next_start(start, len(page.items), page.last, most if page.total is not None else None)
        start += len(page.items)
        if following is None or len(items) == known:
            cut, note = _end(page, start, len(items), most, repeats=following is not None)
            cut = cut or ("The list shrank each time while it was read." if shrank else "")
            return _listed(items, endpoint, cut, note, most if page.total is not None else None)
    return _listed(items, endpoint, f"Jira gave more than {LONGEST_LIST} pages.", "", None)


def _end(page: Shown, start: int, shown: int, most: int, *, repeats: bool) -> tuple[str, str]:
    """Why a list that has ended is cut, and what else is odd: a total alone may count what is hidden from us."""
    missing = most > shown and page.last is None
    if repeats or (missing and start > shown):
        return f"Jira shows the same items again after {shown} of them.", ""
    if page.last is False:
        return f"Jira says that more items follow and gives an empty page after {shown}.", ""
    return "", f"Jira counts {most} items and shows {shown}." if missing else ""


def _listed(items: dict[str | bytes, Raw], endpoint: str, cut: str, note: str, total: int | None) -> Listed[Raw]:
    return Listed(
        items.values(),
        cut=f"{endpoint}: {cut}" if cut else "",
        notes=[f"{endpoint}: {note}"] if note else [],
        total=total,
    )
