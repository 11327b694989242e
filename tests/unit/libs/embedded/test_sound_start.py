"""A server starts on what it can open; what it cannot is set aside first, with one line."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from libs.embedded.sound_start import damage_of_database, damage_of_folder, loss_of_database, loss_of_folder, sound_argv
from tests.acceptance.damage.damages import DAMAGES, Damage

SAYS = (sys.executable, "-c", "print('started')")


def started(kind: str, data: Path) -> list[str]:
    return subprocess.run(sound_argv(kind, data, SAYS), capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "temporal.db"
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE t (words TEXT)")
        made.executemany("INSERT INTO t VALUES (?)", [("words " * 50,) for _ in range(2000)])
        made.commit()
    return file


@pytest.mark.parametrize("kind", ["header", "half", "garbage", "a folder", "ten pages", "empty"])
def test_a_damaged_database_goes_aside(database: Path, kind: str) -> None:
    damage: Damage = DAMAGES[kind]
    damage(database, random.Random(1))
    line, last = started("database", database)
    said = json.loads(line)
    assert (said["level"], said["file"], last) == ("warning", str(database), "started")
    assert database.with_name(said["kept"]).exists()
    assert not database.exists()


def test_a_sound_or_missing_database_stays(database: Path) -> None:
    assert started("database", database) == ["started"]
    assert damage_of_database(database) is None
    database.unlink()
    assert started("database", database) == ["started"]


def test_what_is_lost_while_it_is_in_use(database: Path, tmp_path: Path) -> None:
    assert loss_of_database(database) is None
    for kind, said in (("half", "is damaged"), ("empty", "is empty"), ("removed", "is gone"), ("removed", "is gone")):
        DAMAGES[kind](database, random.Random(1))
        assert str(loss_of_database(database)).startswith(f"temporal.db {said}")
    assert loss_of_folder(tmp_path / "nats") == "nats is gone"
    (tmp_path / "nats").mkdir()
    assert loss_of_folder(tmp_path / "nats") is None


def test_what_stands_in_the_place_of_a_folder_goes_aside(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    folder.mkdir()
    assert damage_of_folder(folder) is None
    (folder / "jetstream").write_text("no folder")
    assert len(started("folder", folder)) == 2
    folder.write_text("no folder")
    assert len(started("folder", folder)) == 2
    assert len(list(tmp_path.glob("nats.damaged-*"))) == 2
