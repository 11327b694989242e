"""What each language's blocks must be, before anything is run."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import yaml
from graphql import GraphQLSchema, build_schema, parse, validate

from services.graphql.api.schema import schema
from tests.docs import shell
from tests.docs.pages import ROOT, Block
from tests.unit.observe.catalogue import metrics
from tests.unit.observe.promql import series

SCHEMA: GraphQLSchema = build_schema(schema.as_str())
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


def _graphql(text: str) -> None:
    if is_schema(text):
        build_schema(text)
        return
    errors = validate(SCHEMA, parse(text))
    assert not errors, errors[0].message


def _sh(text: str) -> None:
    shell.check(text)
    for words in shell.commands(text):
        for word in words if words[0] == "curl" else ():
            if '"query"' in word:
                _graphql(json.loads(word, strict=False)["query"])


def is_schema(text: str) -> bool:
    """Whether it says what can be asked, instead of asking."""
    return re.match(r'(""".*?"""\s*)?(type|scalar|enum|input|union|directive)\b', text, re.DOTALL) is not None


def _console(text: str) -> None:
    assert text.startswith("$ "), "a console block begins with `$ ` and a command; what it shows follows"
    for command, _ in shell_session(text):
        _sh(command)


def shell_session(text: str) -> list[tuple[str, str]]:
    """Commands with what they show."""
    parts = [part.partition("\n") for part in _PROMPT.split(text)[1:]]
    return [(command, shown) for command, _, shown in parts]


def _promql(text: str) -> None:
    known = {name for metric in metrics() for name in metric.series}
    rules = "".join(path.read_text() for path in (ROOT / "deploy/observe/prometheus/rules").glob("*.yml"))
    unknown = series(text) - known - set(re.findall(r"record: (\S+)", rules))
    assert not unknown, f"there is no metric {', '.join(unknown)}"


def _nothing(_: str) -> None:
    """Whatever it is, nobody runs it."""


CHECKS: dict[str, Callable[[str], object]] = {
    "sh": _sh,
    "console": _console,
    "python": ast.parse,
    "graphql": _graphql,
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "promql": _promql,
    "sql": _nothing,  # run on a real database, see `test_blocks`
    "text": _nothing,
}
"""By language; a block of any other, or of none, is an error."""

MARKS = {
    "not run": ("sh", "console"),
    "background": ("sh",),
    "shows": ("text",),
    "file": ("python", "toml", "yaml", "json"),
}
"""What may stand in the comment above a block, and above blocks of which languages."""


ELSEWHERE = frozenset({"apt-get", "docker", "kubectl", "make", "pg_dump", "pg_restore", "pip"})
"""Commands that need an engine, a cluster or a server of the reader's, or that would start these tests again."""


def check(block: Block) -> None:
    """Raise AssertionError or what the language's own parser raises."""
    assert block.language in CHECKS, f"say what language it is: one of {', '.join(CHECKS)}"
    CHECKS[block.language](block.text)
    if block.mark:
        assert block.language in MARKS.get(block.mark, ()), f"a {block.language} block cannot be `{block.mark}`"
    if block.mark in ("not run", "file"):
        assert block.value, f"say the reason or the name: <!-- {block.mark}: … -->"
    if block.language in ("sh", "console") and block.mark != "not run":
        script = (
            block.text if block.language == "sh" else "\n".join(command for command, _ in shell_session(block.text))
        )
        foreign = ELSEWHERE & {Path(words[0]).name for words in shell.commands(script)}
        assert not foreign, f"{', '.join(foreign)} cannot run here: put <!-- not run: why --> above the block"
