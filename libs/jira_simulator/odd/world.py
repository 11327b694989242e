"""All oddities of one site, put on its answers on their way out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from libs.jira_simulator.odd.children import COMMENTS, INLINE_LISTS, LISTS, WORKLOGS
from libs.jira_simulator.odd.issues import ISSUES
from libs.jira_simulator.odd.kinds import Absent, Kind, ListFault, Loss, chosen
from libs.jira_simulator.odd.look_ups import (
    BOARDS,
    FIELDS,
    PROJECTS,
    SITE,
    SPRINT_LISTS,
    SPRINTS,
    USERS,
    WITHOUT_ACCOUNT,
)
from libs.jira_simulator.odd.strays import Answer, Stray, refusal, stray_of, strayed
from libs.jira_simulator.site.catalogue import SPRINT_FIELD

KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "issue": ISSUES,
    "comment": COMMENTS,
    "worklog": WORKLOGS,
    "user": USERS + WITHOUT_ACCOUNT,
    "sprint": SPRINTS,
    "board": BOARDS,
    "field": FIELDS,
    "project": PROJECTS,
    "inline comments": INLINE_LISTS,
    "inline worklogs": INLINE_LISTS,
    "comments": LISTS,
    "worklogs": LISTS,
    "sprints": SPRINT_LISTS,
    **{f"site {name}": kinds for name, kinds in SITE.items()},
}
"""What may be odd, and how. Lists of children are known by their issue's id, those of sprints by their board's."""

_CHILD_LIST: Final = re.compile(r"/issue/(?P<id>[^/]+)/(?P<name>comment|worklog)$")
_SPRINT_LIST: Final = re.compile(r"/board/(?P<id>\d+)/sprint$")


class Asked(NamedTuple):
    """A request, as far as it matters here."""

    method: str
    path: str
    query: dict[str, str]


class Odd:
    """Makes answers odd, until it is healed.

    Args:
        seed: which records are odd, and how; the numbers of the requests that go astray.
        rate: what part of the records is odd; of the site's look-ups, half as many; of the requests, a tenth as many
            go astray.
        kinds: names of things of `KINDS`, or one of them with a kind's name, as in ``issue: no id``; empty: all.
            ``stray`` stands for what goes astray.
    """

    def __init__(self, seed: int, rate: float = 0.15, kinds: Iterable[str] = ()) -> None:
        self.seed, self.rate = seed, rate
        self._only = frozenset(kinds)
        if unknown := self._only - _NAMES:
            raise ValueError(f"there is no kind {min(unknown)!r} of oddity; there are: {', '.join(sorted(_NAMES))}")
        self.healed = False
        self.shown: dict[tuple[str, str], Kind] = {}
        """What was shown odd since `forget`, by what it is and its id."""
        self.strayed: list[tuple[str, Stray]] = []
        """What went astray since `forget`: the request's path, and how."""
        self._first_pages: dict[tuple[str, str], list[Any]] = {}
        """Of the lists that ignore where they are asked to start."""
        self._requests = 0
        self._wrong_last: set[str] = set()

    def heal(self) -> None:
        """From now on every answer is right."""
        self.healed = True

    def sicken(self) -> None:
        """Odd again, in the same way."""
        self.healed = False

    def forget(self) -> None:
        """Begin anew with `shown` and `strayed`."""
        self.shown, self.strayed = {}, []

    def of(self, record: str, id_: str) -> Kind | None:
        """How a record is odd, whether it was shown or not."""
        rate = self.rate / 2 if record.startswith("site ") else self.rate
        kinds = [
            kind
            for kind in KINDS[record]
            if not self._only or record in self._only or f"{record}: {kind.name}" in self._only
        ]
        if record == "field" and id_ == SPRINT_FIELD:
            kinds = [kind for kind in kinds if kind.name.startswith("name")]
        return chosen(kinds, rate, self.seed, record, id_) if kinds else None

    def answer(self, asked: Asked, right: Answer) -> Answer:
        """What the client gets instead of the right answer."""
        if self.healed:
            return right
        answer = self._refused(asked) or self._changed(asked, right)
        self._requests += 1
        stray = stray_of(self.seed, self._requests, self.rate / 10 if self._strays else 0)
        endpoint = re.sub(r"/\d+", "/{id}", f"{asked.method} {asked.path}")
        if stray is None or endpoint in self._wrong_last:
            self._wrong_last.discard(endpoint)
            return answer
        if stray.body != "right" or stray.status is not None:
            self._wrong_last.add(endpoint)
        self.strayed.append((asked.path, stray))
        return strayed(stray, answer)

    @property
    def _strays(self) -> bool:
        return not self._only or "stray" in self._only

    # ── lists and look-ups that are refused as a whole ─────────────────────────────────────────────────────────

    def _refused(self, asked: Asked) -> Answer | None:
        for record, id_ in _addressed(asked.path):
            kind = self.of(record, id_)
            fault = kind.instead if kind else None
            if kind and isinstance(fault, ListFault) and fault.status:
                self.shown[record, id_] = kind
                return refusal(fault.status)
        return None

    # ── right answers, changed ─────────────────────────────────────────────────────────────────────────────────

    def _changed(self, asked: Asked, right: Answer) -> Answer:
        change = self._change_of(asked)
        if right.status != 200 or change is None:
            return right
        value = change(json.loads(right.body))
        # Escapes keep what is no text: half a pair, a NUL.
        return right._replace(body=json.dumps(value).encode())

    def _change_of(self, asked: Asked) -> Callable[[Any], Any] | None:
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
            _CHILD_LIST: lambda page, found, asked: self._child_list(page, found["name"], found["id"], asked),
            _SPRINT_LIST: lambda page, found, _: self._sprint_list(page, found["id"]),
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
        kind = self.of(record, id_)
        if kind is None:
            return value
        self.shown[record, id_] = kind
        return kind.change(
            value, random.Random() if kind.flickers else random.Random(f"{self.seed} {record} {id_} how")
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
        kind = self.of("issue", issue)
        return kind if kind and isinstance(kind.instead, Absent) else None

    def _issue(self, issue: Any) -> Any:
        if not isinstance(issue.get("fields"), dict):
            return issue
        before = dict(self.shown)
        self._sprints_and_people(issue["fields"])
        kind = self.of("issue", issue["id"])
        if kind is not None and kind.loss is not Loss.NOTHING:
            self.shown = dict(before)  # who cannot read the issue sees nothing of them
        for name in ("comment", "worklog"):
            if name in issue["fields"]:
                issue["fields"][name] = self._inline(issue["fields"][name], name, issue["id"])
        if self._absent(issue["id"]):
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
        own = self.of(f"{name}s", issue)
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
        kind = self.of(f"{name}s", issue)
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


def _addressed(path: str) -> Iterable[tuple[str, str]]:
    """What a request asks for, that may be refused as a whole."""
    if found := _CHILD_LIST.search(path):
        yield f"{found['name']}s", found["id"]
    if found := _SPRINT_LIST.search(path):
        yield "sprints", found["id"]
    for name in SITE:
        if path.endswith(f"/{name}") or (name == "agile" and "/rest/agile/" in path):
            yield f"site {name}", name


_NAMES: Final = (
    frozenset(KINDS) | {f"{record}: {kind.name}" for record, kinds in KINDS.items() for kind in kinds} | {"stray"}
)
