"""What can be said of commands without running them: that they parse, and that what they name exists.

This is all that is done with blocks marked `not run`; the others are run as well.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml

from libs.jira_simulator.__main__ import parser as simulator
from services.cli.commands import cli
from tests.docs.pages import ROOT
from tests.servers.addresses import binary

TARGETS = frozenset(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
_PATH = re.compile(r"(?:benchmarks|deploy|docs|libs|requirements|services|tests)/[\w./-]*[\w-]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#\s.*$", re.MULTILINE)
_APART = ";&|()\n"


def check(script: str) -> None:
    """Raise AssertionError, in words for the author of the page, where something is wrong."""
    parsed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    for words in commands(script):
        check_words(words)


def check_words(words: list[str]) -> None:
    """One command, word by word."""
    name = Path(words[0]).name
    for word in words if name != "kubectl" else ():  # to which `deploy/graphql` is no path
        assert not _PATH.fullmatch(word) or (ROOT / word).exists(), f"{word} does not exist"
    if name in CHECKS:
        CHECKS[name](words[1:])


def commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a script, without assignments before them."""
    lexer = shlex.shlex(_COMMENT.sub("", script.replace("\\\n", " ")), posix=True, punctuation_chars=_APART)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    for token in [*lexer, "\n"]:
        if set(token) <= set(_APART):
            if words:
                yield words
            words = []
        elif words or not _ASSIGNMENT.fullmatch(token):
            words.append(token)


def _jdi(words: list[str]) -> None:
    command: click.Command = cli
    context = click.Context(cli, info_name="jdi")
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no `jdi {words[0]}`"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    if command.name == "simulate":  # its options are those of the simulator
        unknown = [word for word in words if word.startswith("-") and word not in simulator()._option_string_actions]
        assert not unknown, f"jdi simulate: there is no option {', '.join(unknown)}"
        return
    try:
        command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        raise AssertionError(f"jdi {command.name}: {error.format_message()}") from error


def _make(words: list[str]) -> None:
    for word in words:
        assert word in TARGETS or _ASSIGNMENT.fullmatch(word), f"there is no target {word} in the Makefile"


def _docker(words: list[str]) -> None:
    if words[:1] != ["compose"] or "run" not in words:
        return
    after = [word for word in words[words.index("run") + 1 :] if word != "--rm"]
    assert after[0] in _compose()["services"], f"compose.yaml has no service {after[0]}"
    if after[0] == "jdi":
        _jdi(after[1:])


def _kubectl(words: list[str]) -> None:
    if "--kustomize" in words:
        _rendered(words[words.index("--kustomize") + 1])
    if "--" in words:
        check_words(words[words.index("--") + 1 :])


def _python(words: list[str]) -> None:
    if words[:1] == ["-m"]:
        assert importlib.util.find_spec(words[1]) is not None, f"there is no module {words[1]}"


CHECKS = {"jdi": _jdi, "make": _make, "docker": _docker, "kubectl": _kubectl, "python": _python}


@cache
def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _rendered(folder: str) -> None:
    command = [str(binary("kubectl")), "kustomize", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check_inline(code: str) -> None:
    """A command or a path in running text, where `[--option]`, `…`, `A|B` and CAPITALS stand for what one may write."""
    if code.startswith("make ") and not code.startswith("make image ARGS"):
        _make(code.split()[1:])
    elif code.startswith("jdi ") and not code.startswith("jdi COMMAND"):
        words = re.sub(r"[\[\]…]", " ", code).replace("\\", "").split()
        _jdi([word.partition("|")[0] for word in words[1:]])
    elif code.startswith(("docker compose", "python -m")) and "<" not in code:
        check_words(re.sub(r"[\[\]…]", " ", code).split())
    elif _PATH.fullmatch(code):
        assert (ROOT / code).exists(), f"{code} does not exist"
