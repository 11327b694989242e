"""The part of JQL that clients of the API use, with Jira's own complaints.

    query   := [or] [ORDER BY field [ASC|DESC], …]
    or      := and (OR and)*          and := term (AND term)*          term := NOT term | ( or ) | clause
    clause  := field (= != >= > <= <) value | field [NOT] IN ( value, … ) | field IS [NOT] EMPTY

An unquoted number compared with a date is epoch milliseconds; a quoted date has minute precision and is read in the
time zone of the searching account.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from libs.simulated_jira.dataset import Dataset, Issue

Predicate = Callable[[Issue], bool]

_TOKEN: Final = re.compile(r'\s*(?:("(?:\\.|[^"\\])*")|(\'(?:\\.|[^\'\\])*\')|(>=|<=|!=|[=<>(),])|([^\s=<>!(),"\']+))')
ORDER_FIELDS: Final = {"updated", "created", "id", "key", "issuekey"}
MAX_ORDER_FIELDS: Final = 7
DATES: Final = ("created", "updated")


class JqlError(ValueError):
    """The query is wrong; the text is what Jira answers with status 400."""


@dataclass(frozen=True)
class Order:
    field: str
    descending: bool


@dataclass(frozen=True)
class Query:
    matches: Predicate
    order: tuple[Order, ...]


@dataclass(frozen=True)
class _Word:
    text: str
    quoted: bool


def parse(jql: str, data: Dataset, time_zone: str) -> Query:
    """Understand a query.

    Raises:
        JqlError: bad syntax, an unknown field or project, or no restriction at all.
    """
    parser = _Parser(_words(jql), data, ZoneInfo(time_zone))
    return parser.query()


def _words(jql: str) -> list[_Word]:
    words: list[_Word] = []
    at = 0
    while jql[at:].strip():
        found = _TOKEN.match(jql, at)
        if found is None:
            raise JqlError(f"Error in the JQL Query: The quoted string '{jql[at:].strip()}' has not been completed.")
        double, single, sign, bare = found.groups()
        quoted = double or single
        words.append(_Word(re.sub(r"\\(.)", r"\1", quoted[1:-1]), True) if quoted else _Word(sign or bare, False))
        at = found.end()
    return words


class _Parser:
    def __init__(self, words: list[_Word], data: Dataset, zone: ZoneInfo) -> None:
        self._words, self._data, self._zone, self._at = words, data, zone, 0

    def query(self) -> Query:
        if not self._words or self._is("order"):
            raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        matches = self._or()
        order = self._order() if self._take("order") else ()
        if self._at < len(self._words):
            raise JqlError(f"Error in the JQL Query: Expecting operator but got '{self._words[self._at].text}'.")
        return Query(matches, order)

    def _is(self, word: str, ahead: int = 0) -> bool:
        at = self._at + ahead
        return at < len(self._words) and not self._words[at].quoted and self._words[at].text.lower() == word

    def _take(self, word: str) -> bool:
        if self._is(word):
            self._at += 1
            return True
        return False

    def _next(self, what: str) -> _Word:
        if self._at >= len(self._words):
            raise JqlError(f"Error in the JQL Query: Expecting {what} but the query ended.")
        self._at += 1
        return self._words[self._at - 1]

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda issue: any(part(issue) for part in parts)

    def _and(self) -> Predicate:
        parts = [self._term()]
        while self._take("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda issue: all(part(issue) for part in parts)

    def _term(self) -> Predicate:
        if self._take("not"):
            inner = self._term()
            return lambda issue: not inner(issue)
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise JqlError("Error in the JQL Query: Expecting ')' but the query ended.")
            return inner
        return self._clause()

    def _clause(self) -> Predicate:
        field = self._next("a field").text.lower()
        if field in DATES:
            return self._date_clause(field)
        if field not in _VALUES:
            raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")
        if self._take("is"):
            negated = self._take("not")
            if not (self._take("empty") or self._take("null")):
                raise JqlError("Error in the JQL Query: Expecting 'EMPTY' after 'IS'.")
            read = _VALUES[field]
            return lambda issue: (read(issue) <= {None}) != negated
        negated = self._take("not")
        if self._take("in"):
            values = self._list()
        else:
            sign = self._next("an operator").text
            if sign not in ("=", "!="):
                raise JqlError(
                    f"Error in the JQL Query: The operator '{sign}' is not supported by the '{field}' field."
                )
            negated = sign == "!="
            values = [self._next("a value").text]
        wanted = {self._checked(field, value) for value in values}
        read = _VALUES[field]
        return lambda issue: bool(read(issue) & wanted) != negated

    def _list(self) -> list[str]:
        if not self._take("("):
            raise JqlError("Error in the JQL Query: Expecting '(' after 'IN'.")
        values = [self._next("a value").text]
        while self._take(","):
            values.append(self._next("a value").text)
        if not self._take(")"):
            raise JqlError("Error in the JQL Query: Expecting ')' but the query ended.")
        return values

    def _checked(self, field: str, value: str) -> str | None:
        if field == "project":
            for project in self._data.projects.values():
                if value.lower() in (project.key.lower(), str(project.id), project.name.lower()):
                    return project.key
            raise JqlError(f"The value '{value}' does not exist for the field 'project'.")
        if field in ("id", "key", "issuekey", "issue"):
            number = int(value) if value.isdigit() else self._data.keys.get(value.upper(), 0)
            if number not in self._data.issues:
                raise JqlError(f"An issue with key '{value}' does not exist for field '{field}'.")
            return str(number)
        return value

    def _date_clause(self, field: str) -> Predicate:
        sign = self._next("an operator").text
        word = self._next("a date")
        bound = self._moment(word)
        compare: dict[str, Callable[[int], bool]] = {
            ">=": lambda at: at >= bound,
            ">": lambda at: at > bound,
            "<=": lambda at: at <= bound,
            "<": lambda at: at < bound,
            "=": lambda at: at == bound,
        }
        if sign not in compare:
            raise JqlError(f"Error in the JQL Query: The operator '{sign}' is not supported by the '{field}' field.")
        holds = compare[sign]
        return lambda issue: holds(getattr(issue, field))

    def _moment(self, word: _Word) -> int:
        if not word.quoted and word.text.isdigit():
            return int(word.text)
        if relative := re.fullmatch(r"-(\d+)([mhdw])", word.text):
            unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[relative[2]]
            return self._data.tick() - int(timedelta(**{unit: int(relative[1])}).total_seconds() * 1000)
        for shape in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                moment = datetime.strptime(word.text, shape).replace(tzinfo=self._zone)
            except ValueError:
                continue
            return int(moment.timestamp() * 1000)
        raise JqlError(f"Date value '{word.text}' for field 'updated' is invalid.")

    def _order(self) -> tuple[Order, ...]:
        if not self._take("by"):
            raise JqlError("Error in the JQL Query: Expecting 'by' after 'order'.")
        order: list[Order] = []
        while True:
            field = self._next("a field").text.lower()
            if field not in ORDER_FIELDS:
                raise JqlError(f"Not able to sort using field '{field}'.")
            descending = self._take("desc")
            if not descending:
                self._take("asc")
            order.append(Order(field, descending))
            if not self._take(","):
                break
        if len(order) > MAX_ORDER_FIELDS:
            raise JqlError("JQL can be ordered by at most 7 fields.")
        return tuple(order)


_VALUES: Final[dict[str, Callable[[Issue], set[Any]]]] = {
    "project": lambda issue: {issue.project},
    "id": lambda issue: {str(issue.id)},
    "key": lambda issue: {str(issue.id)},
    "issuekey": lambda issue: {str(issue.id)},
    "issue": lambda issue: {str(issue.id)},
    "assignee": lambda issue: {issue.assignee},
    "reporter": lambda issue: {issue.reporter},
    "status": lambda issue: {issue.status},
    "worklogauthor": lambda issue: {worklog.author for worklog in issue.worklogs},
}


def sort_key(issue: Issue, order: tuple[Order, ...]) -> list[tuple[Any, ...]]:
    """What the query's order compares; the id decides among equals."""
    keys: list[tuple[Any, ...]] = []
    for part in order or (Order("id", True),):
        value: tuple[Any, ...]
        if part.field in ("key", "issuekey"):
            prefix, _, number = issue.key.rpartition("-")
            value = (tuple(-ord(char) for char in prefix), -int(number)) if part.descending else (prefix, int(number))
        else:
            number_ = int(getattr(issue, part.field))
            value = (-number_,) if part.descending else (number_,)
        keys.append(value)
    return [*keys, (issue.id,)]
