"""The part of JQL that integrators use: text to clauses, clauses to a test of an issue and a sort key.

::

    query   = [or] [ORDER BY name [ASC|DESC] {, name [ASC|DESC]}]
    or      = and {OR and}          and = not {AND not}          not = [NOT] ( "(" or ")" | clause )
    clause  = name (= | != | > | >= | < | <=) value  |  name [NOT] IN ( value {, value} )  |  name IS [NOT] EMPTY
            | word                  (text search, which finds nothing here)

A quoted date has minute precision and is read in the time zone of the account that asks. An unquoted number is epoch
milliseconds. ``-15m`` (w, d, h, m; quoted or not) is relative to now. Everything else that Jira would refuse is a
``JqlError`` with Jira's text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, Protocol
from zoneinfo import ZoneInfo

from libs.jira_simulator.site import catalogue
from libs.jira_simulator.site.entities import Issue, IssueRecord, Sprint, issue_number

MAX_SORT_FIELDS = 7

Test = Callable[[IssueRecord], bool]
SortKey = Callable[[IssueRecord], tuple[int, ...]]


class JqlError(ValueError):
    """Jira answers 400 with this text."""


class Site(Protocol):
    """What the meaning of a query depends on."""

    @property
    def account(self) -> str:
        """Account id of ``currentUser()``."""

    @property
    def zone(self) -> str:
        """Time zone of that account."""

    def now(self) -> int: ...
    def project(self, id_key_or_name: str) -> str | None:
        """The key of a project that the account may browse."""

    def user(self, account_id: str) -> str | None: ...
    def issue(self, id_or_key: str) -> int | None:
        """The id of an issue with that id, key or former key."""

    def sprints(self, id_or_name: str) -> list[Sprint]: ...


class Value(NamedTuple):
    text: str
    quoted: bool = False
    call: bool = False


class Sort(NamedTuple):
    field: str
    descending: bool


class Query(NamedTuple):
    """A parsed query. ``where`` None: no restriction at all."""

    where: Callable[[Site], Test] | None
    order: tuple[Sort, ...]
    moving: bool
    """It names a time relative to now: the same index may give another result a moment later."""


# ── text to clauses ────────────────────────────────────────────────────────────────────────────────────────────────

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<symbol><=|>=|!=|!~|&&|\|\||[=<>~!(),])
      | (?P<word>[^\s=<>~!(),"'&|]+)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_DATES = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_RELATIVE = re.compile(r"([+-]?)((?:\d+[wdhm]\s*)+)")
_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The token as a keyword: upper case, empty for a string."""
        return "" if self.kind == "string" else self.text.upper()


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        JqlError: It is not JQL, or asks for more than Jira allows.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0
        self._moving = False

    def query(self) -> Query:
        where = None if self._peek().word in ("", "ORDER") and self._peek().kind != "string" else self._or()
        order = self._order() if self._take("ORDER") else ()
        if self._peek().kind != "end":
            self._refuse("Expecting either 'OR' or 'AND'")
        return Query(where, order, self._moving)

    # ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _split(self) -> list[_Token]:
        tokens, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                raise JqlError(
                    "Error in the JQL Query: The quoted string has not been completed or a character is reserved. "
                    f"(line 1, character {at + 1})"
                )
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, _Token("end", "", len(self._text))]

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _pop(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _take(self, *words: str) -> bool:
        if self._peek().word not in words:
            return False
        self._next += 1
        return True

    def _expect(self, *words: str) -> None:
        if not self._take(*words):
            self._refuse(f"Expecting {words[0]!r}")

    def _refuse(self, expected: str) -> NoReturn:
        token = self._peek()
        got = f"'{token.text}'" if token.text else "the end of the query"
        raise JqlError(f"Error in the JQL Query: {expected} but got {got}. (line 1, character {token.at + 1})")

    # ── grammar ────────────────────────────────────────────────────────────────────────────────────────────────

    def _or(self) -> Callable[[Site], Test]:
        parts = [self._and()]
        while self._take("OR", "||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else _any(parts)

    def _and(self) -> Callable[[Site], Test]:
        parts = [self._not()]
        while self._take("AND", "&&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _all(parts)

    def _not(self) -> Callable[[Site], Test]:
        if self._take("NOT", "!"):
            return _no(self._not())
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._clause()

    def _clause(self) -> Callable[[Site], Test]:
        name = self._pop()
        if name.kind not in ("word", "string"):
            self._next -= 1
            self._refuse("Expecting a field name")
        token = self._peek()
        if token.kind == "end" or token.word in ("AND", "OR", "ORDER", ")", "&&", "||"):
            return _nothing
        negated = False
        if token.word in (*_COMPARE, "~", "!~"):
            self._pop()
            return _clause(_unquote(name), token.text, [self._value()])
        if self._take("IS"):
            negated = self._take("NOT")
            self._expect("EMPTY", "NULL")
            return _emptiness(_unquote(name), empty=not negated)
        negated = self._take("NOT")
        self._expect("IN")
        return _clause(_unquote(name), "not in" if negated else "in", self._values())

    def _values(self) -> list[Value]:
        self._expect("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")")
        return values

    def _value(self) -> Value:
        token = self._peek()
        if token.kind not in ("word", "string"):
            self._refuse("Expecting either a value, list or function")
        self._pop()
        call = token.kind == "word" and self._take("(")
        self._moving = self._moving or call or bool(_RELATIVE.fullmatch(_unquote(token)))
        if call:
            self._expect(")")
            return Value(token.text.lower(), call=True)
        return Value(_unquote(token), quoted=token.kind == "string")

    def _order(self) -> tuple[Sort, ...]:
        self._expect("BY")
        order = [self._sort()]
        while self._take(","):
            order.append(self._sort())
        if len(order) > MAX_SORT_FIELDS:
            raise JqlError(f"JQL can be ordered by at most {MAX_SORT_FIELDS} fields.")
        return tuple(order)

    def _sort(self) -> Sort:
        name = self._peek()
        if name.kind not in ("word", "string"):
            self._refuse("Expecting a field name")
        self._pop()
        field = _ALIASES.get(_unquote(name).lower(), "")
        if field not in ("updated", "created", "id", "key"):
            raise JqlError(f"Not able to sort using field '{_unquote(name)}'.")
        if self._take("DESC"):
            return Sort(field, descending=True)
        self._take("ASC")
        return Sort(field, descending=False)


def _unquote(token: _Token) -> str:
    return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if token.kind == "string" else token.text


# ── clauses to tests ───────────────────────────────────────────────────────────────────────────────────────────────

_ALIASES = {
    "project": "project",
    "updated": "updated",
    "updateddate": "updated",
    "created": "created",
    "createddate": "created",
    "id": "id",
    "key": "key",
    "issue": "key",
    "issuekey": "key",
    "assignee": "assignee",
    "reporter": "reporter",
    "creator": "creator",
    "worklogauthor": "worklogAuthor",
    "status": "status",
    "priority": "priority",
    "type": "issuetype",
    "issuetype": "issuetype",
    "sprint": "sprint",
}


def _nothing(_: Site) -> Test:
    """Text search: it is legal, and finds nothing here."""
    return lambda _: False


def _any(parts: list[Callable[[Site], Test]]) -> Callable[[Site], Test]:
    def bind(site: Site) -> Test:
        tests = [part(site) for part in parts]
        return lambda record: any(test(record) for test in tests)

    return bind


def _all(parts: list[Callable[[Site], Test]]) -> Callable[[Site], Test]:
    def bind(site: Site) -> Test:
        tests = [part(site) for part in parts]
        return lambda record: all(test(record) for test in tests)

    return bind


def _no(part: Callable[[Site], Test]) -> Callable[[Site], Test]:
    def bind(site: Site) -> Test:
        test = part(site)
        return lambda record: not test(record)

    return bind


def _field(name: str) -> str:
    field = _ALIASES.get(name.lower())
    if field is None:
        raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
    return field


def _clause(name: str, op: str, values: list[Value]) -> Callable[[Site], Test]:
    field = _field(name)
    if field in ("updated", "created"):
        return lambda site: _moment(field, op, values, site)
    if op in ("<", "<=", ">", ">="):
        if field in ("id", "key"):
            return lambda site: _after_issue(field, op, values[0], site)
        raise JqlError(f"The operator '{op}' is not supported by the '{name}' field.")
    if op in ("~", "!~"):
        raise JqlError(f"The operator '{op}' is not supported by the '{name}' field.")
    make = _MEMBERSHIP[field]

    def bind(site: Site) -> Test:
        if [value for value in values if value.text.upper() in ("EMPTY", "NULL") and not value.quoted]:
            return _emptiness(name, empty=op in ("=", "in"))(site)
        test = make([_called(value, site) for value in values], site)
        if op in ("=", "in"):
            return test
        # As in Jira, `!=` and `not in` do not find issues in which the field is empty.
        there = _PRESENT.get(field)
        return lambda record: (there is None or there(record)) and not test(record)

    return bind


def _emptiness(name: str, *, empty: bool) -> Callable[[Site], Test]:
    present = _PRESENT.get(_field(name))
    if present is None:
        raise JqlError(f"The operator 'is' is not supported by the '{name}' field.")
    return lambda _: lambda record: present(record) is not empty


def _called(value: Value, site: Site) -> str:
    if not value.call:
        return value.text
    if value.text == "currentuser":
        return site.account
    raise JqlError(f"Unable to find JQL function '{value.text}()'.")


def _moment(field: str, op: str, values: list[Value], site: Site) -> Test:
    if op not in _COMPARE or len(values) != 1:
        raise JqlError(f"The operator '{op}' is not supported by the '{field}' field.")
    compare, bound = _COMPARE[op], _instant(field, values[0], site)
    if field == "updated":
        return lambda record: compare(record.issue.updated, bound)
    return lambda record: compare(record.issue.created, bound)


def _instant(field: str, value: Value, site: Site) -> int:
    """Epoch milliseconds of a date value."""
    text = value.text.strip()
    if value.call and text == "now":
        return site.now()
    if not value.quoted and text.isdecimal():
        return int(text)
    if relative := _RELATIVE.fullmatch(text):
        span = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[wdhm]", relative[2]))
        return site.now() + (span if relative[1] == "+" else -span)
    for pattern in _DATES:
        try:
            local = datetime.strptime(text, pattern).replace(tzinfo=ZoneInfo(site.zone))
        except ValueError:
            continue
        return int(local.timestamp() * 1000)
    raise JqlError(
        f"Date value '{value.text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _after_issue(field: str, op: str, value: Value, site: Site) -> Test:
    """``id > 10050``, ``key >= DEMO-12``; the bound need not exist for an id."""
    compare = _COMPARE[op]
    if value.text.isdecimal():
        bound = int(value.text)
        return lambda record: compare(record.issue.id, bound)
    if site.issue(value.text) is None:
        raise _missing_issue(field, value.text)
    project, number = value.text.upper().rpartition("-")[0], issue_number(value.text)
    return lambda record: record.issue.project == project and compare(issue_number(record.issue.key), number)


def _missing_issue(field: str, text: str) -> JqlError:
    if text.isdecimal():
        return JqlError(f"A value with ID '{text}' does not exist for the field '{field}'.")
    return JqlError(f"An issue with key '{text}' does not exist for field '{field}'.")


def _missing(text: str, field: str) -> JqlError:
    return JqlError(f"The value '{text}' does not exist for the field '{field}'.")


def _in_projects(texts: list[str], site: Site) -> Test:
    keys = set()
    for text in texts:
        key = site.project(text)
        if key is None:
            raise _missing(text, "project")
        keys.add(key)
    return lambda record: record.issue.project in keys


def _in_issues(texts: list[str], site: Site) -> Test:
    ids = set()
    for text in texts:
        id_ = site.issue(text)
        if id_ is None:
            raise _missing_issue("id" if text.isdecimal() else "key", text)
        ids.add(id_)
    return lambda record: record.issue.id in ids


def _by_user(field: str, has: Callable[[IssueRecord, set[str]], bool]) -> Callable[[list[str], Site], Test]:
    def make(texts: list[str], site: Site) -> Test:
        accounts = set()
        for text in texts:
            account = site.user(text)
            if account is None:
                raise _missing(text, field)
            accounts.add(account)
        return lambda record: has(record, accounts)

    return make


def _by_name(
    field: str, table: dict[str, dict[str, Any]], value_of: Callable[[Issue], str]
) -> Callable[[list[str], Site], Test]:
    def make(texts: list[str], _: Site) -> Test:
        ids = set()
        for text in texts:
            id_ = catalogue.id_by_name(table, text)
            if id_ is None:
                raise _missing(text, field)
            ids.add(id_)
        return lambda record: value_of(record.issue) in ids

    return make


def _in_sprints(texts: list[str], site: Site) -> Test:
    ids: set[int] = set()
    for text in texts:
        found = site.sprints(text)
        if not found:
            raise _missing(text, "sprint")
        ids.update(sprint.id for sprint in found)
    return lambda record: not ids.isdisjoint(record.issue.sprints)


_MEMBERSHIP: dict[str, Callable[[list[str], Site], Test]] = {
    "project": _in_projects,
    "id": _in_issues,
    "key": _in_issues,
    "assignee": _by_user("assignee", lambda record, accounts: record.issue.assignee in accounts),
    "reporter": _by_user("reporter", lambda record, accounts: record.issue.reporter in accounts),
    "creator": _by_user("creator", lambda record, accounts: record.issue.creator in accounts),
    "worklogAuthor": _by_user(
        "worklogAuthor", lambda record, accounts: any(worklog.author in accounts for worklog in record.worklogs)
    ),
    "status": _by_name("status", catalogue.STATUSES, lambda issue: issue.status),
    "priority": _by_name("priority", catalogue.PRIORITIES, lambda issue: issue.priority),
    "issuetype": _by_name("issuetype", catalogue.ISSUE_TYPES, lambda issue: issue.issue_type),
    "sprint": _in_sprints,
}
_PRESENT: dict[str, Test] = {
    "assignee": lambda record: record.issue.assignee is not None,
    "reporter": lambda record: record.issue.reporter is not None,
    "worklogAuthor": lambda record: bool(record.worklogs),
    "sprint": lambda record: bool(record.issue.sprints),
    "project": lambda _: True,
}


# ── order ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sort_key(order: tuple[Sort, ...], project_rank: Callable[[str], int]) -> SortKey:
    """The key that puts issues into the order (newest first when none is given); the id decides between equals."""
    parts = [_sort_part(sort, project_rank) for sort in order or (Sort("id", descending=True),)]
    return lambda record: (*(number for part in parts for number in part(record)), record.issue.id)


def _sort_part(sort: Sort, project_rank: Callable[[str], int]) -> SortKey:
    sign = -1 if sort.descending else 1
    if sort.field == "updated":
        return lambda record: (sign * record.issue.updated,)
    if sort.field == "created":
        return lambda record: (sign * record.issue.created,)
    if sort.field == "id":
        return lambda record: (sign * record.issue.id,)
    return lambda record: (sign * project_rank(record.issue.project), sign * issue_number(record.issue.key))
