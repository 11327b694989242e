"""What can happen to a file, by name; where chance has a part in it, by a seed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

PAGE: Final = 4096

Damage = Callable[[Path, random.Random], None]


def _overwrite(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def _somewhere(file: Path, chance: random.Random) -> None:
    """4 KB of noise at any byte."""
    _overwrite(file, chance.randrange(max(1, file.stat().st_size - PAGE)), chance.randbytes(PAGE))


def _pages(file: Path, chance: random.Random) -> None:
    """Ten pages of noise."""
    for _ in range(10):
        _overwrite(file, PAGE * chance.randrange(max(1, file.stat().st_size // PAGE)), chance.randbytes(PAGE))


def _header(file: Path, chance: random.Random) -> None:
    _overwrite(file, 0, chance.randbytes(PAGE))


def _zeros(file: Path, chance: random.Random) -> None:
    _overwrite(file, PAGE * chance.randrange(max(1, file.stat().st_size // PAGE)), bytes(PAGE))


def _half(file: Path, _chance: random.Random) -> None:
    os.truncate(file, file.stat().st_size // 2 + 123)


def _nothing_left(file: Path, _chance: random.Random) -> None:
    os.truncate(file, 0)


def _replaced(file: Path, chance: random.Random) -> None:
    other = file.with_name("other")
    other.write_bytes(chance.randbytes(3 * PAGE + 17))
    other.replace(file)


def _removed(file: Path, _chance: random.Random) -> None:
    with contextlib.suppress(FileNotFoundError):
        file.unlink()


def _folder(file: Path, _chance: random.Random) -> None:
    file.unlink()
    file.mkdir()


def _journal(end: str, damage: Damage) -> Damage:
    def damaged(file: Path, chance: random.Random) -> None:
        beside = file.with_name(f"{file.name}{end}")
        if beside.exists() and beside.stat().st_size:
            damage(beside, chance)

    return damaged


def _with_journals(damage: Damage) -> Damage:
    def damaged(file: Path, chance: random.Random) -> None:
        damage(file, chance)
        for end in ("-wal", "-shm", "-journal"):
            _removed(file.with_name(f"{file.name}{end}"), chance)

    return damaged


DAMAGES: Final[Mapping[str, Damage]] = {
    "4 KB somewhere": _somewhere,
    "header": _header,
    "removed": _removed,
    "half": _half,
    "ten pages": _pages,
    "empty": _nothing_left,
    "garbage": _replaced,
    "a folder": _folder,
    "zeros": _zeros,
    "removed with journals": _with_journals(_removed),
    "journal overwritten": _journal("-wal", _somewhere),
    "journal removed": _journal("-wal", _removed),
    "journal empty": _journal("-wal", _nothing_left),
    "index overwritten": _journal("-shm", _header),
    "index removed": _journal("-shm", _removed),
}
"""What happens to a file of SQLite and to what is beside it."""


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to
