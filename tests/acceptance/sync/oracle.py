"""What the read tables should hold: a naive fold of the simulated Jira's own change log.

It shares no code with the product: it reads Jira's JSON as the endpoints showed it, the last state of each entity wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, select

from libs import read_tables

Rows = dict[str, dict[Any, dict[str, Any]]]


class Difference(NamedTuple):
    """One thing that does not stand in the read tables as it should."""

    table: str
    key: Any
    column: str
    """Empty: the row itself."""
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.column} {self.what}"


def expected(changes: Iterable[Mapping[str, Any]], sprint_field: str) -> Rows:
    """The rows by table and key, of what an integrator can have seen."""
    last = _last_states(changes)
    rows: Rows = {"issue": {}, "comment": {}, "worklog": {}, "issue_sprint": {}, "sprint": {}, "jira_user": {}}
    seen_users: set[str] = set()
    for key, change in last["issue"].items():
        issue, fields = change["after"], change["after"]["fields"]
        planned = fields[sprint_field] or []
        rows["issue"][key] = {
            "project_key": change["project"],
            "key": issue["key"],
            "summary": fields["summary"],
            "status": fields["status"]["name"],
            "priority": fields["priority"] and fields["priority"]["name"],
            "assignee_id": _account(fields["assignee"], seen_users),
            "reporter_id": _account(fields["reporter"], seen_users),
            "created": _time(fields["created"]),
            "updated": _time(fields["updated"]),
        }
        for sprint in planned:
            rows["issue_sprint"][key, str(sprint["id"])] = {}
    for key, change in last["comment"].items():
        comment = change["after"]
        rows["comment"][key] = {
            "issue_id": change["issueId"],
            "author_id": _account(comment.get("author"), seen_users) or "anonymous",
            "created": _time(comment["created"]),
            "updated": _time(comment["updated"]),
            "words": _words(comment["body"]),
        }
    for key, change in last["worklog"].items():
        worklog = change["after"]
        rows["worklog"][key] = {
            "issue_id": change["issueId"],
            "author_id": _account(worklog.get("author"), seen_users) or "anonymous",
            "time_spent_seconds": worklog["timeSpentSeconds"],
            "started": _time(worklog["started"]),
            "updated": _time(worklog["updated"]),
        }
    for key, change in last["sprint"].items():
        sprint = change["after"]
        rows["sprint"][key] = {
            "name": sprint["name"],
            "state": sprint["state"],
            "start_date": _time_or_none(sprint.get("startDate")),
            "end_date": _time_or_none(sprint.get("endDate")),
            "complete_date": _time_or_none(sprint.get("completeDate")),
        }
    for key, change in last["user"].items():
        if key in seen_users and key != "unknown":
            rows["jira_user"][key] = {
                "display_name": change["after"]["displayName"],
                "active": change["after"]["active"],
            }
    return rows


def _last_states(changes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    last: dict[str, dict[str, Mapping[str, Any]]] = {
        kind: {} for kind in ("issue", "comment", "worklog", "sprint", "user")
    }
    for change in changes:
        if change["after"] is None:
            last[change["kind"]].pop(change["id"], None)
        elif change["kind"] in last:
            last[change["kind"]][change["id"]] = change
    return last


def stored(engine: Engine, site: str, like: Rows) -> Rows:
    """The same columns as they stand in the read tables."""
    found: Rows = {}
    with engine.connect() as connection:
        for name, keys in KEYS.items():
            table: Table = getattr(read_tables, name)
            columns = _columns(like[name].values())
            wanted = [table.c[column] for column in (*keys, *(c if c != "words" else "body" for c in columns))]
            rows = connection.execute(select(*wanted).where(table.c.site == site)).mappings()
            found[name] = {}
            for row in rows:
                key = tuple(row[column] for column in keys)
                values = {column: row["body" if column == "words" else column] for column in columns}
                if "words" in values:
                    values["words"] = values["words"].split()
                found[name][key if len(key) > 1 else key[0]] = values
    for nobody in ("unknown", "anonymous"):
        found["jira_user"].pop(nobody, None)
    return found


def differences(wanted: Rows, found: Rows) -> list[Difference]:
    """What is missing, too much or different; empty when all is as it should be."""
    wrong: list[Difference] = []
    for table in wanted:
        for key in wanted[table].keys() | found[table].keys():
            left, right = wanted[table].get(key), found[table].get(key)
            if left is None and table in REMEMBERED:
                continue
            if left is None or right is None:
                wrong.append(Difference(table, key, "", "not expected" if left is None else "missing"))
                continue
            for column, value in left.items():
                other = right[column]
                if column == "words":
                    # Each word of the document must be readable, in order; how it is laid out is the product's choice.
                    if not _in_order(value, other):
                        wrong.append(Difference(table, key, column, f"{value} are not all in {other}"))
                elif value != other:
                    wrong.append(Difference(table, key, column, f"is {other!r}, should be {value!r}"))
    return sorted(wrong, key=str)


KEYS: Mapping[str, Sequence[str]] = {
    "issue": ["issue_id"],
    "comment": ["comment_id"],
    "worklog": ["worklog_id"],
    "issue_sprint": ["issue_id", "sprint_id"],
    "sprint": ["sprint_id"],
    "jira_user": ["account_id"],
}


REMEMBERED = frozenset({"sprint", "jira_user"})
"""Once met, they are kept, also when no issue names them any more."""


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(next(iter(rows), {}))


def _account(user: Mapping[str, Any] | None, seen: set[str]) -> str | None:
    if user is None:
        return None
    seen.add(user["accountId"])
    return str(user["accountId"])


def _time(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _time_or_none(text: str | None) -> str | None:
    return None if text is None else _time(text)


def _words(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = node["text"].split() if isinstance(node.get("text"), str) else []
        return own + [word for child in node.get("content", []) for word in _words(child)]
    return []


def _in_order(words: Sequence[str], text: Sequence[str]) -> bool:
    joined, at = " ".join(text), 0
    for word in words:
        at = joined.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True
