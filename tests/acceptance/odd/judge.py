"""What the read tables may lack while a site is odd, and whether what is lacking was named."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from libs.events import RecordQuarantined
from libs.jira_simulator.odd.kinds import Kind, Loss
from libs.jira_simulator.odd.look_ups import WITHOUT_ACCOUNT
from libs.jira_simulator.odd.world import Odd
from libs.temporal.messages import MAX_WARNINGS
from tests.acceptance.sync.oracle import Difference, Rows

CHILDREN = {"comment": "comments", "worklog": "worklogs"}
PEOPLE = ("assignee_id", "reporter_id", "author_id")


class Judge:
    """Knows how each record of the site is odd."""

    def __init__(
        self,
        odd: Odd,
        wanted: Rows,
        keys: dict[str, str],
        boards: Collection[str],
        felt: Collection[str] = (),
        aside: Collection[str] = (),
    ) -> None:
        """What is known of the site.

        Args:
            odd: what makes it odd, and what went astray in this run.
            wanted: the rows that a healthy site would have given.
            keys: of the issues, by their ids.
            boards: ids of the site's boards.
            felt: paths that went astray in the run before in a way that this run feels, too. So after a long wait the
                first request is alone, and what would come beside it is left to the next run.
            aside: ids of the issues that are set aside.
        """
        self._odd, self._wanted, self._keys = odd, wanted, keys
        self._boards, self._aside = boards, aside
        self._astray = [path for path, _ in odd.strayed]
        self._waiting = [*felt, *(path for path, stray in odd.strayed if stray.costs_the_run)]

    # ── as long as the site is odd ─────────────────────────────────────────────────────────────────────────────

    def unexcused(self, differences: Iterable[Difference]) -> list[str]:
        """What is missing or wrong though nothing that it depends on is odd."""
        return [f"{one} ({self._of(one)})" for one in differences if not self._excused(one)]

    def _excused(self, one: Difference) -> bool:
        return any(_may_lose(kind, one) for kind in self._behind(one)) or self._strayed(one)

    def _behind(self, one: Difference) -> Iterator[Kind | None]:
        """How what a row comes from is odd."""
        of, row = self._odd.of, self._wanted[one.table].get(one.key, {})
        if one.table == "issue":
            yield of("issue", one.key)
        elif one.table in CHILDREN:
            yield of(one.table, one.key)
            if row:
                yield _whole(of("issue", row["issue_id"]))
                yield _whole(of(CHILDREN[one.table], row["issue_id"]))
        elif one.table == "issue_sprint":
            issue, sprint = one.key
            yield _whole(of("issue", issue)) or _field(of("issue", issue), "sprints")
            yield _whole(of("sprint", sprint))
            yield _whole(of("site field", "field"))
        elif one.table == "sprint":
            yield of("sprint", one.key)
            yield from (_whole(kind) for kind in self._lists_of_sprints())
        elif one.table == "jira_user":
            yield of("user", one.key)
            yield of("site user/bulk", "user/bulk") and self._gone
            yield self._gone if not one.column and self._mentions_are_odd(one.key) else None
            # A fuzzed record may show anybody whom it names under another name.
            yield self._gone if any(kind.name == "fuzzed" for kind in self._odd.shown.values()) else None
        if one.column in PEOPLE and row.get(one.column):
            yield _whole(of("user", row[one.column]))

    _gone = Kind("gone", lambda value, _: value, Loss.RECORD)

    def _lists_of_sprints(self) -> Iterator[Kind | None]:
        yield self._odd.of("site agile", "agile")
        yield from (self._odd.of(record, board) for board in self._boards for record in ("board", "sprints"))

    def _mentions_are_odd(self, account: str) -> bool:
        """Whether all that names this user is odd in some way."""
        for table in ("issue", "comment", "worklog"):
            for key, row in self._wanted[table].items():
                if account in (row.get(name) for name in PEOPLE):
                    issue = key if table == "issue" else row["issue_id"]
                    child = table in CHILDREN and (
                        self._odd.of(table, key) or self._odd.of(CHILDREN[table], row["issue_id"])
                    )
                    if not self._odd.of("issue", issue) and not child:
                        return False
        return True

    def _strayed(self, one: Difference) -> bool:
        """Whether the request that should have brought a row went astray."""
        row = self._wanted[one.table].get(one.key, {})
        issue = one.key if one.table == "issue" else row.get("issue_id")
        if issue in self._aside and any(path.endswith("/bulkfetch") for path in self._astray):
            return True  # asked for alone, beside one that is sick; it is owed
        if one.table in CHILDREN:
            asked = any(f"/issue/{row.get('issue_id')}/{one.table}" in path for path in self._astray)
            return asked or any(path.endswith(f"/{one.table}") for path in self._waiting)
        paths = [*self._astray, *self._waiting]
        if one.table in ("sprint", "issue_sprint"):
            return any("/rest/agile/" in path or path.endswith("/field") for path in paths)
        return one.table == "jira_user" and any("/user" in path for path in paths)

    def _of(self, one: Difference) -> str:
        kinds = [kind.name for kind in self._behind(one) if kind is not None]
        return f"odd: {', '.join(kinds)}" if kinds else "nothing is odd"

    # ── when it has healed ─────────────────────────────────────────────────────────────────────────────────────

    def unhealed(self, differences: Iterable[Difference]) -> list[str]:
        """What is wrong though it was named, or never odd.

        Left out is what Jira showed otherwise and well-formed enough to be taken for its word: a healed site tells of
        no change there, so that only a full run can see it.
        """
        return [f"{one} ({self._of(one)})" for one in differences if not self._shown_otherwise(one)]

    def _shown_otherwise(self, one: Difference) -> bool:
        kinds = [kind for kind in self._behind(one) if kind is not None and _may_lose(kind, one)]
        return any(kind.loss is Loss.FIELDS or kind in WITHOUT_ACCOUNT for kind in kinds)

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────────────

    def unnamed(self, aside: Iterable[RecordQuarantined], warnings: Sequence[str]) -> list[str]:
        """What was shown as unreadable and is not set aside by its name.

        Of a look-up that a site may do without, the run only warns, as far as there is room among its warnings.
        """
        full = len(warnings) >= MAX_WARNINGS
        names = "\n".join(f"{one.record} {one.name} {one.issue_key or ''}" for one in aside)
        warned = "\n".join([names, *warnings])
        return [
            f"{record} {id_} ({kind.name})"
            for (record, id_), kind in self._odd.shown.items()
            if kind.loss is Loss.RECORD
            and record != "user"
            and not (full and record == "site agile")
            and not any(_names(one, warned if kind.instead else names) for one in self._called(record, id_))
        ]

    def _called(self, record: str, id_: str) -> Iterator[str]:
        """What a record may be called."""
        if record == "sprint" and self._odd.of("site field", "field"):
            yield "fields"  # without them nobody knows where an issue names its sprints
        if record.startswith("site "):
            yield {"agile": "boards", "field": "fields"}.get(id_, id_)
        elif record in ("board", "sprint"):
            # Without an id it can only be named by its place.
            yield record
        else:
            yield id_
            yield self._keys.get(id_, id_)
        kind = self._odd.of(record, id_)
        if record == "issue" and kind and kind.name == "no object":
            yield "nameless"
        if record in CHILDREN:
            issue = self._wanted[record].get(id_, {}).get("issue_id", "")
            yield issue or id_
            yield self._keys.get(issue, id_)


def _whole(kind: Kind | None) -> Kind | None:
    """The kind, where all that depends on its record may be lost with it."""
    return (
        kind
        if kind is not None and (kind.loss is Loss.RECORD or (kind.loss is Loss.FIELDS and not kind.fields))
        else None
    )


def _field(kind: Kind | None, field: str) -> Kind | None:
    return kind._replace(fields=frozenset()) if kind is not None and field in kind.fields else None


def _may_lose(kind: Kind | None, one: Difference) -> bool:
    if kind is None or kind.loss is Loss.NOTHING:
        return False
    return kind.loss is Loss.RECORD or not kind.fields or one.column in kind.fields


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}", text) is not None
