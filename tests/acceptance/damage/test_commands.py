"""Every command with every damaged file: one clear line, a right exit code, and never a traceback.

`DAMAGE_COMMANDS=all` drives the whole table; without it, a part of it.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.damage.damages import DAMAGES
from tests.acceptance.damage.services import made
from tests.integration.embedded.test_jdi import JIRA, jdi

COMMANDS: Final = {
    "status": ("status",),
    "token list": ("token", "list"),
    "token create": ("token", "create", "cleo", "--role", "admin"),
    "events": ("events",),
    "backup": ("backup", "{folder}/backup"),
    "migrate": ("migrate",),
    "rebuild": ("rebuild",),
    "doctor": ("doctor",),
    "sync": ("sync", "DEMO"),
    "up": ("up",),
}
LOG, READ, ACCESS = "jdi.db", "jdi-read.db", "jdi-access.db"
KINDS: Final = ("4 KB somewhere", "header", "half", "empty", "removed", "a folder")
ALL: Final = [(command, file, damage) for command in COMMANDS for file in (LOG, READ, ACCESS) for damage in KINDS]
SOME: Final = [
    ("status", READ, "header"),
    ("rebuild", READ, "garbage"),
    ("events", LOG, "header"),
    ("token list", ACCESS, "removed"),
]
CASES: Final = ALL if os.environ.get("DAMAGE_COMMANDS") == "all" else SOME
ANSWERED: Final = {
    (command, file)
    for file, commands in {
        READ: ("token list", "token create", "events", "backup", "migrate", "rebuild"),
        ACCESS: ("status", "token list", "token create", "events", "backup", "migrate", "rebuild"),
    }.items()
    for command in commands
}
"""What a command can do although the file is damaged: it ends with 0."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A data folder, and a token that opens and one that does not."""
    folder = tmp_path_factory.mktemp("sound") / "data"
    return folder, *made(folder, 40)


@pytest.mark.parametrize(("command", "file", "damage"), CASES)
def test_a_command_says_one_line(
    sound: tuple[Path, str, str], tmp_path: Path, command: str, file: str, damage: str
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(sound[0], folder)
    DAMAGES[damage](folder / file, random.Random(f"{file} {damage}"))
    before = (folder / LOG).read_bytes() if file == LOG and (folder / LOG).is_file() else None
    done = _run(folder, *(part.format(folder=tmp_path) for part in COMMANDS[command]))
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode in (0, 1, 2 if command == "up" else 1), said
    if (command, file) in ANSWERED:
        assert done.returncode == 0, said
    if done.returncode and command != "doctor":
        assert len(done.stderr.strip().splitlines()) <= 3, said
    if before is not None:
        assert (folder / LOG).read_bytes() == before, "nothing happens to a damaged log"
    if file == ACCESS:
        listed = jdi(folder, "token", "list")
        assert listed.returncode == 0, listed.stderr
        assert sound[1].split("_")[1] in listed.stdout
        assert f"{sound[2].split('_')[1]}" in listed.stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if arguments == ("up",):
        with socket.create_server(("127.0.0.1", 0)) as taken:  # it looks at the files, and ends of the port
            return jdi(folder, *arguments, JDI_PORT=str(taken.getsockname()[1]), **JIRA)
    return jdi(folder, *arguments, **JIRA)
