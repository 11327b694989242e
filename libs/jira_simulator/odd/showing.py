"""Right answers, changed: each record in them is shown as odd as it is."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from libs.jira_simulator.odd.choice import Choice
from libs.jira_simulator.odd.kinds import Absent, Kind, ListFault, Loss
from libs.jira_simulator.site.catalogue import SPRINT_FIELD

CHILD_LIST: Final = re.compile(r"/issue/(?P<id>[^/]+)/(?P<name>comment|worklog)$")
SPRINT_LIST: Final = re.compile(r"/board/(?P<id>\d+)/sprint$")


class Asked(NamedTuple):
    """A request, as far as it matters here."""

    method: str
    path: str
    query: dict[str, str]
    token_to_itself: str | None = None
    """Of the first page of a search: a page token that leads to it."""


class Showing:
    """Shows the values of right answers, and remembers which of their records were odd."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.shown: dict[tuple[str, str], Kind] = {}
        """By what a record is and its id. Left out is what stands inside of something that cannot be read."""
        self._first_pages: dict[tuple[str, str], list[Any]] = {}
        """Of the lists that ignore where they are asked to start."""

    def change_of(self, asked: Asked) -> Callable[[Any], Any] | None:
        """How the right answer to a request is changed; None: it is shown as it is."""
        for pattern, change in self._answers.items():
            if found := pattern.search(asked.path):
                return lambda value: change(value, found, asked)
        return None

    @property
    def _answers(self) -> dict[re.Pattern[str], Callable[[Any, re.Match[str], Asked], Any]]:
        return {
            re.compile(r"/search/jql$"): lambda page, *_: (
                page | {"issues": [self._issue(one) for one in page["issues"]]}
            ),
            re.compile(r"/issue/bulkfetch$"): lambda page, *_: self._bulk(page),
            CHILD_LIST: lambda page, found, asked: self._child_list(page, found["name"], found["id"], asked),
            SPRINT_LIST: lambda page, found, _: self._sprint_list(page, found["id"]),
            re.compile(r"/field$"): lambda fields, *_: [self._record("field", one["id"], one) for one in fields],
            re.compile(r"/user/bulk$"): lambda page, *_: self._values("user", page),
            re.compile(r"/project/search$"): lambda page, *_: self._values("project", page),
            re.compile(r"/board$"): lambda page, *_: self._values("board", page),
            re.compile(r"/users/search$"): lambda users, *_: [self._listed("user", user) for user in users],
        }

    def _values(self, record: str, page: Any) -> Any:
        return page | {"values": [self._listed(record, one) for one in page["values"]]}

    def _record(self, record: str, id_: str, value: Any) -> Any:
        """A record as it is shown: odd, if it is one that is."""
        kind = self._choice.of(record, id_)
        if kind is None:
            return value
        self.shown[record, id_] = kind
        return kind.change(
            value, random.Random() if kind.flickers else random.Random(f"{self._choice.seed} {record} {id_} how")
        )

    def _listed(self, record: str, value: Any) -> Any:
        return self._record(record, str(value["accountId" if record == "user" else "id"]), value)

    def _bulk(self, page: Any) -> Any:
        absent = {one["id"]: kind for one in page["issues"] if (kind := self._absent(one["id"]))}
        if len(page["issues"]) == 1:
            for id_ in [id_ for id_, kind in absent.items() if kind.instead is Absent.UNMENTIONED]:
                del absent[id_]
                self.shown.pop(("issue", id_), None)
        self.shown |= {("issue", id_): kind for id_, kind in absent.items()}
        late = [
            {"id": id_, "errorMessage": "The request for the issue timed out."}
            for id_, kind in absent.items()
            if kind.instead is Absent.TIMED_OUT
        ]
        issues = [self._issue(one) for one in page["issues"] if one["id"] not in absent]
        return page | {"issues": issues, "issueErrors": [*(page.get("issueErrors") or ()), *late]}

    def _absent(self, issue: str) -> Kind | None:
        kind = self._choice.of("issue", issue)
        return kind if kind and isinstance(kind.instead, Absent) else None

    def _issue(self, issue: Any) -> Any:
        if not isinstance(issue.get("fields"), dict):
            return issue
        before = dict(self.shown)
        self._sprints_and_people(issue["fields"])
        kind = self._choice.of("issue", issue["id"])
        if kind is not None and kind.loss is not Loss.NOTHING:
            self.shown = dict(before)  # who cannot read the issue sees nothing of them
        for name in ("comment", "worklog"):
            if name in issue["fields"]:
                issue["fields"][name] = self._inline(issue["fields"][name], name, issue["id"])
        if self._absent(issue["id"]):
            self.shown.pop(("issue", issue["id"]), None)
            return issue
        if kind is not None and kind.loss is Loss.RECORD:
            self.shown = before
        return self._record("issue", issue["id"], issue)

    def _sprints_and_people(self, fields: Any) -> None:
        if isinstance(fields.get(SPRINT_FIELD), list):
            fields[SPRINT_FIELD] = [self._record("sprint", str(one["id"]), one) for one in fields[SPRINT_FIELD]]
        self._people(fields, ("assignee", "reporter", "creator"))

    def _inline(self, page: Any, name: str, issue: str) -> Any:
        page[f"{name}s"] = [self._child(one, name) for one in page[f"{name}s"]]
        if not page["total"]:
            return page
        own = self._choice.of(f"{name}s", issue)
        if own is not None and own.loss is Loss.RECORD:
            # So that the list is asked for, where it is odd.
            return page | {f"{name}s": page[f"{name}s"][: page["total"] - 1]}
        return self._record(f"inline {name}s", issue, page)

    def _child(self, child: Any, name: str) -> Any:
        id_ = child["id"]
        self._people(child, ("author", "updateAuthor"))
        return self._record(name, id_, child)

    def _people(self, value: Any, names: Iterable[str]) -> None:
        for name in names:
            if isinstance(value.get(name), dict):
                value[name] = self._listed("user", value[name])

    def _child_list(self, page: Any, name: str, issue: str, asked: Asked) -> Any:
        page[f"{name}s"] = [self._child(one, name) for one in page[f"{name}s"]]
        kind = self._choice.of(f"{name}s", issue)
        if kind is None or kind.instead is not ListFault.IGNORES_START:
            return self._record(f"{name}s", issue, page)
        if asked.query.get("startAt", "0") != "0":
            self.shown[f"{name}s", issue] = kind
            return page | {"startAt": 0, f"{name}s": self._first_pages.get((issue, name), [])}
        self._first_pages[issue, name] = page[f"{name}s"]
        return page

    def _sprint_list(self, page: Any, board: str) -> Any:
        page["values"] = [self._listed("sprint", one) for one in page["values"]]
        return self._record("sprints", board, page)
