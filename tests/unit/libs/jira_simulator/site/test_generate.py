"""Data sets from a seed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from libs.jira_simulator.site.dataset import CLOCK_START, Dataset
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT

YEAR_MS = 365 * 86_400_000
FINGERPRINT = (
    "import hashlib;from libs.jira_simulator.site.dataset import Dataset;"
    "d=Dataset.generate(issues=60,seed=5,hot_issues=1);"
    "print(hashlib.sha256(b''.join(bytes(e.after) for e in d.log.after(0))).hexdigest())"
)


def everything(dataset: Dataset) -> list[bytes]:
    return [bytes(entry.after) for entry in dataset.log.after(0)]


def test_equal_seeds_give_equal_bytes_and_other_seeds_others() -> None:
    first, again, other = (Dataset.generate(issues=50, seed=seed, hot_issues=1) for seed in (1, 1, 2))
    assert everything(first) == everything(again)
    assert everything(first) != everything(other)


def test_the_bytes_do_not_depend_on_the_process() -> None:
    prints = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


def test_exact_gives_every_issue_exactly_so_many() -> None:
    dataset = Dataset.generate(issues=1000, comments_per_issue=3, worklogs_per_issue=2, hot_issues=0, exact=True)
    assert len(dataset.issues) == 1000
    assert {(len(record.comments), len(record.worklogs)) for record in dataset.issues.values()} == {(3, 2)}


def test_hot_issues_have_more_than_any_answer_shows_inline() -> None:
    dataset = Dataset.generate(issues=30, hot_issues=4)
    hot = [record for record in dataset.issues.values() if len(record.comments) == 250 and len(record.worklogs) == 60]
    assert len(hot) == 4


def test_everything_happened_in_the_year_before_the_clock_starts() -> None:
    dataset = Dataset.generate(issues=200, hot_issues=1)
    start = int(CLOCK_START.timestamp() * 1000)
    for record in dataset.issues.values():
        children = [*(one.updated for one in record.comments), *(one.updated for one in record.worklogs)]
        assert start - YEAR_MS <= record.issue.created <= record.issue.updated < start
        assert max(children, default=0) <= record.issue.updated


def test_the_awkward_cases_are_there() -> None:
    dataset = Dataset.generate(issues=2000, seed=3)
    records = dataset.issues.values()
    users = dataset.directory.users
    comments = [comment for record in records for comment in record.comments]
    assert not users[UNKNOWN_ACCOUNT].active
    assert [user for user in users.values() if user.display_name == "Former user" and not user.active]
    assert len({user.time_zone for user in users.values()}) > 3
    assert any(comment.author is None for comment in comments)
    assert any(record.issue.description is None for record in records)
    assert any(record.issue.old_keys for record in records)
    foreign = {sprint.id for sprint in dataset.directory.sprints.values()} - {
        sprint.id for sprint in dataset.directory.sprints.values() if sprint.board_id in dataset.directory.boards
    }
    assert len(foreign) == 1
    assert any(foreign & set(record.issue.sprints) for record in records)
    assert {sprint.state for sprint in dataset.directory.sprints.values()} == {"future", "active", "closed"}
    assert len({record.issue.updated for record in records}) < len(records), "bulk edits share one time"


def test_rich_text_has_every_kind_of_node() -> None:
    dataset = Dataset.generate(issues=1500, seed=4)
    seen: set[str] = set()
    for record in dataset.issues.values():
        for comment in record.comments:
            _collect(json.loads(bytes(comment.body)), seen)
    assert {
        "paragraph",
        "heading",
        "bulletList",
        "orderedList",
        "table",
        "mention",
        "emoji",
        "codeBlock",
        "link",
    } <= seen
    assert {"media", "panel", "blockquote", "inlineCard", "taskItem", "date", "status", "expand", "hardBreak"} <= seen


def _collect(node: dict[str, object], seen: set[str]) -> None:
    seen.add(str(node["type"]))
    for part in ("content", "marks"):
        children = node.get(part)
        if isinstance(children, list):
            for child in children:
                _collect(child, seen)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"issues": -1}, "issues must not be negative"),
        ({"projects": ()}, "at least one project key"),
        ({"projects": ("demo",)}, "not a project key: 'demo'"),
    ],
)
def test_impossible_shapes_are_refused_in_words(bad: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Dataset.generate(**bad)  # type: ignore[arg-type]
