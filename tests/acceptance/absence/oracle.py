"""What must be shown and what must be gone: a naive fold of the simulated Jira's own change log.

It shares no code with the product.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

Change = Mapping[str, Any]
CHILDREN = ("comment", "worklog")


class Here(NamedTuple):
    """What the read tables show, by id: rows of issues, comments and worklogs, and absences by kind and id."""

    issue: Mapping[str, Mapping[str, Any]]
    comment: Mapping[str, Mapping[str, Any]]
    worklog: Mapping[str, Mapping[str, Any]]
    gone: Mapping[tuple[str, str], str]
    doubtful: Collection[str]
    """Issues of which nothing tells if they were deleted or are hidden."""


class Record:
    """One issue, comment or worklog of the site, as its entries tell."""

    def __init__(self) -> None:
        self.exists = False
        self.after: Any = None
        """As the account sees it now; None where it does not."""
        self.project = ""
        self.issue_id: str | None = None
        self.reasons: set[str] = set()
        """Why it could be gone: all that has been true of it. What is gone already is not asked about again."""
        self.sight: list[tuple[int, bool]] = []
        """By entry, whether the account saw it then in a registered project."""

    def follow(self, change: Change, registered: Collection[str]) -> None:
        what = change["type"].rpartition("_")[2]
        if what in ("deleted", "lost"):
            self.exists = False
        elif what in ("created", "restored", "shown"):
            self.exists = True
        self.after, self.project, self.issue_id = change["after"], change["project"], change.get("issueId")
        shown = self.shown_in(registered)
        self.sight.append((change["seq"], shown))
        if shown:
            return
        if not self.exists:
            self.reasons.add("DELETED")
        else:
            self.reasons.add("HIDDEN" if self.after is None else "MOVED")

    def out_of_sight_since(self, seq: int) -> bool:
        """Whether there was a moment, from that entry on, at which it was not seen."""
        before = [shown for at, shown in self.sight if at <= seq][-1:]
        return not all((*before, *(shown for at, shown in self.sight if at > seq)))

    def shown_in(self, registered: Collection[str]) -> bool:
        return self.after is not None and self.project in registered


class Truth:
    """The site at the end of its change log, as far as it concerns these projects."""

    def __init__(self, changes: Iterable[Change], registered: Collection[str]) -> None:
        self.registered = registered
        self.records: dict[tuple[str, str], Record] = {}
        for change in changes:
            if change["kind"] in ("issue", *CHILDREN):
                record = self.records.setdefault((change["kind"], change["id"]), Record())
                record.follow(change, registered)

    def shown(self, kind: str) -> dict[str, Record]:
        """What must be shown, by id. Comments and worklogs go where their issue goes."""
        found = {id_: one for (of, id_), one in self.records.items() if of == kind and one.after is not None}
        if kind == "issue":
            return {id_: one for id_, one in found.items() if one.project in self.registered}
        issues = self.shown("issue")
        return {id_: one for id_, one in found.items() if one.issue_id in issues}

    def restricted(self, kind: str) -> set[str]:
        """Issues of which Jira has comments or worklogs that it does not show."""
        return {
            one.issue_id
            for (of, _), one in self.records.items()
            if of == kind and one.exists and one.after is None and one.issue_id is not None
        }

    # ── judging ────────────────────────────────────────────────────────────────────────────────────────────────

    def differences(self, here: Here, held: Collection[tuple[str, str]]) -> list[str]:
        """What is not as it should be after syncs and censuses of all the projects.

        Args:
            here: the read tables.
            held: kinds and ids of what they have shown before.
        """
        return sorted((*self._issues(here), *self._children(here), *self._absences(here, held)))

    def _issues(self, here: Here) -> Iterator[str]:
        wanted = self.shown("issue")
        yield from (f"issue {id_} is missing" for id_ in wanted.keys() - here.issue.keys())
        yield from (f"issue {id_} is shown: {self._why(id_)}" for id_ in here.issue.keys() - wanted.keys())
        for id_ in wanted.keys() & here.issue.keys():
            yield from _unlike(f"issue {id_}", _issue_row(wanted[id_]), here.issue[id_])

    def _children(self, here: Here) -> Iterator[str]:
        for kind in CHILDREN:
            wanted, found, closed = self.shown(kind), getattr(here, kind), self.restricted(kind)
            yield from (f"{kind} {id_} is missing" for id_ in wanted.keys() - found.keys())
            for id_ in found.keys() - wanted.keys():
                # Of a list that does not show all it counts, nobody can say what was deleted.
                if found[id_]["issue_id"] not in closed:
                    yield f"{kind} {id_} is shown"
            for id_ in wanted.keys() & found.keys():
                yield from _unlike(f"{kind} {id_}", _child_row(kind, wanted[id_]), found[id_])

    def _absences(self, here: Here, held: Collection[tuple[str, str]]) -> Iterator[str]:
        for (kind, id_), reason in here.gone.items():
            if id_ in self.shown(kind):
                yield f"{kind} {id_} is gone ({reason}) and shown by Jira"
            elif kind == "issue" and reason not in _alike(self.records[kind, id_].reasons):
                yield f"issue {id_} is gone for {reason}: {self._why(id_)}"
        shown = self.shown("issue")
        for kind, id_ in held:
            if kind == "issue" and id_ not in shown and (kind, id_) not in here.gone:
                yield f"issue {id_} is neither shown nor gone: {self._why(id_)}"

    def wrongly_removed(self, gone: Iterable[tuple[str, str]], since: int) -> list[str]:
        """Of what was recorded as gone, what Jira has shown all the time since an entry of its log."""
        return [
            f"{kind} {id_} was removed, and Jira has shown it all the time"
            for kind, id_ in gone
            if id_ in self.shown(kind) and not self._unseen_since(kind, id_, since)
        ]

    def _unseen_since(self, kind: str, id_: str, since: int) -> bool:
        record = self.records[kind, id_]
        owner = self.records.get(("issue", record.issue_id)) if record.issue_id else None
        return any(one.out_of_sight_since(since) for one in (record, owner) if one)

    def _why(self, issue: str) -> str:
        record = self.records.get(("issue", issue))
        if record is None:
            return "Jira never had it"
        return f"it {'exists' if record.exists else 'was deleted'} in {record.project}, {sorted(record.reasons)}"


def _alike(reasons: set[str]) -> set[str]:
    """Jira has one answer for what was deleted and what is hidden."""
    return reasons | ({"DELETED", "HIDDEN"} if reasons & {"DELETED", "HIDDEN"} else set())


def _issue_row(record: Record) -> dict[str, Any]:
    issue, fields = record.after, record.after["fields"]
    return {
        "project_key": record.project,
        "key": issue["key"],
        "summary": fields["summary"],
        "status": fields["status"]["name"],
        "updated": _time(fields["updated"]),
    }


def _child_row(kind: str, record: Record) -> dict[str, Any]:
    row = {"issue_id": record.issue_id, "updated": _time(record.after["updated"])}
    return row | ({"time_spent_seconds": record.after["timeSpentSeconds"]} if kind == "worklog" else {})


def _unlike(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for column, value in wanted.items():
        if found[column] != value:
            yield f"{name}: {column} is {found[column]!r}, should be {value!r}"


def _time(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
