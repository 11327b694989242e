"""Search: a query and a page token to one page of what the index sees.

Paging is by keyset: a token holds the sort key of the last issue shown, and the next page starts behind it. So an issue
that changes during a scan ``ORDER BY updated ASC`` moves behind the scan and is seen again; under a descending order it
can be missed, as on a real site. A token belongs to its query.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from libs.jira_simulator.search import jql
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import IssueRecord, Sprint
from libs.jira_simulator.site.sight import named

MAX_IDS, MAX_ISSUES = 5000, 100
"""Largest page when ids and keys alone are asked for, and otherwise."""
DEFAULT_PAGE = 50
KEPT_RESULTS = 8


class SearchError(ValueError):
    """Jira answers 400 with this text."""


class Page(NamedTuple):
    records: Sequence[IssueRecord]
    token: str | None
    """None on the last page."""


class _Token(msgspec.Struct, array_like=True):
    query: str
    behind: tuple[int, ...]
    made: int


class _Result(NamedTuple):
    keys: list[tuple[int, ...]]
    records: list[IssueRecord]


class DatasetSite:
    """What queries mean on this data set; with ``visible`` False for somebody anonymous, who sees no project."""

    def __init__(self, dataset: Dataset, *, visible: bool = True) -> None:
        self._dataset, self._visible = dataset, visible

    @property
    def account(self) -> str:
        return self._dataset.directory.account

    @property
    def zone(self) -> str:
        return self._dataset.directory.zone

    def now(self) -> int:
        return self._dataset.clock.now()

    def project(self, id_key_or_name: str) -> str | None:
        if not self._visible:
            return None
        wanted, directory = id_key_or_name.casefold(), self._dataset.directory
        found = next((p for p in directory.projects.values() if wanted in (p.key.casefold(), p.name.casefold())), None)
        found = found or directory.project(id_key_or_name.upper())
        return found.key if found and named(found) else None

    def user(self, account_id: str) -> str | None:
        return account_id if self._visible and account_id in self._dataset.directory.users else None

    def issue(self, id_or_key: str) -> int | None:
        record = self._dataset.seen(id_or_key) if self._visible else None
        return record.issue.id if record else None

    def sprints(self, id_or_name: str) -> list[Sprint]:
        sprints = self._dataset.directory.sprints.values() if self._visible else ()
        return [sprint for sprint in sprints if id_or_name in (str(sprint.id), sprint.name)]


class Search:
    """Answers queries on a data set. Results are kept while the index stands still, so a page costs no new scan."""

    def __init__(self, dataset: Dataset, *, token_seconds: float | None = None) -> None:
        self._dataset = dataset
        self._token_ms = None if token_seconds is None else token_seconds * 1000
        self._kept: dict[tuple[str, int, int], _Result] = {}

    def page(
        self, text: str, token: str | None, size: int, *, reconcile: Sequence[int] = (), anonymous: bool = False
    ) -> Page:
        """The page behind the token.

        Args:
            text: JQL with a restriction.
            token: Of the page before, None for the first.
            size: Most issues on the page.
            reconcile: Ids of issues that are searched as they are now, whatever the index sees.
            anonymous: Nobody has logged in: no project exists and no issue is found.

        Raises:
            SearchError: The token is not one, has expired, or belongs to another query.
            jql.JqlError: The query is refused.
        """
        behind = None if token is None else self._read(token, text)
        result = self._result(text, reconcile, anonymous=anonymous)
        start = 0 if behind is None else bisect_right(result.keys, behind)
        stop = start + size
        more = stop < len(result.keys)
        return Page(result.records[start:stop], self._write(text, result.keys[stop - 1]) if more else None)

    def first_token(self, text: str) -> str:
        """A token that leads to the first page, which needs none."""
        return self._write(text, ())

    def count(self, text: str, *, anonymous: bool = False) -> int:
        """How many issues the index finds."""
        return len(self._result(text, (), anonymous=anonymous).keys)

    # ── results ────────────────────────────────────────────────────────────────────────────────────────────────

    def _result(self, text: str, reconcile: Sequence[int], *, anonymous: bool) -> _Result:
        query = jql.parse(text)
        if query.where is None:
            raise jql.JqlError(
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            )
        test = query.where(DatasetSite(self._dataset, visible=not anonymous))
        if anonymous:
            return _Result([], [])
        key = jql.sort_key(query.order, sorted(self._dataset.directory.projects).index)
        if reconcile:
            return self._sorted(self._reconciled(reconcile), test, key)
        records = self._dataset.index.records()
        # What `-15m` finds changes while the index stands still, so such a result is good for one page only.
        kept = text, self._dataset.index.version, self._dataset.log.head
        found = self._kept.get(kept)
        if found is None or query.moving:
            found = self._kept[kept] = self._sorted(records, test, key)
            while len(self._kept) > KEPT_RESULTS:
                del self._kept[next(iter(self._kept))]
        return found

    def _sorted(self, records: Iterable[IssueRecord], test: jql.Test, key: jql.SortKey) -> _Result:
        found = (record for record in records if test(record) and self._dataset.finds(record))
        pairs = sorted(((key(record), record) for record in found), key=lambda pair: pair[0])
        return _Result([pair[0] for pair in pairs], [pair[1] for pair in pairs])

    def _reconciled(self, ids: Sequence[int]) -> Iterable[IssueRecord]:
        seen = {record.issue.id: record for record in self._dataset.index.records()}
        for id_ in ids:
            if id_ in self._dataset.issues:
                seen[id_] = self._dataset.issues[id_]
            else:
                seen.pop(id_, None)
        return seen.values()

    # ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, text: str, behind: tuple[int, ...]) -> str:
        token = _Token(_fingerprint(text), behind, self._dataset.clock.now())
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(token)).decode().rstrip("=")

    def _read(self, token: str, text: str) -> tuple[int, ...]:
        try:
            packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            read = msgspec.msgpack.decode(packed, type=_Token)
        except ValueError:
            raise SearchError("The provided next page token is invalid.") from None
        if read.query != _fingerprint(text):
            raise SearchError("The provided next page token does not belong to this query.")
        if self._token_ms is not None and self._dataset.clock.now() - read.made > self._token_ms:
            raise SearchError("The provided next page token has expired. Start the search again.")
        return read.behind


def _fingerprint(text: str) -> str:
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).hexdigest()
