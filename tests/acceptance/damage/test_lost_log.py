"""A log that is gone is not begun anew while anything shows that there was one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from libs.events import StoreError, StoreVersionError, open_store
from services.cli.copies.backup import back_up
from services.cli.damage.lost_log import LostLogError, check_log_is_there
from services.cli.migrations import migrate as migrate_all
from services.cli.tokens import create
from tests.acceptance.damage.services import made, url_of
from tests.integration.projector.log import append, history

LEFT: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "the read tables": (("jdi-read.db", "jdi-read.db-wal"), "the read tables show its event"),
    "API tokens": (("jdi-access.db", "jdi-access.db-wal"), "there are API tokens"),
    "a journal": (("jdi.db-wal",), "jdi.db-wal holds a part of it"),
    "Temporal": (("temporal.db",), "temporal.db beside it is of a stack"),
    "NATS": (("nats",), "nats beside it is of a stack"),
}
"""What is left, by name: the files, and what is said of it."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "data"
    made(folder, 20)
    (folder / "temporal.db").write_bytes(b"histories")
    (folder / "jdi.db-wal").write_bytes(b"what was committed last")
    (folder / "nats" / "jetstream").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("left", LEFT)
def test_nothing_begins_anew(sound: Path, tmp_path: Path, left: str, *, empty: bool) -> None:
    names, said = LEFT[left]
    folder = tmp_path / "data"
    folder.mkdir()
    for name in names:
        if (sound / name).is_dir():
            shutil.copytree(sound / name, folder / name)
        elif (sound / name).exists():
            shutil.copy(sound / name, folder / name)
    if empty:
        (folder / "jdi.db").touch()
    before = content(folder)
    asked: tuple[Callable[[], object], ...] = (
        lambda: migrate_all(url_of(folder)),
        lambda: create(url_of(folder), "ann", "reader", (), None),
        lambda: back_up(url_of(folder), tmp_path / "backup"),
    )
    for ask in asked:
        with pytest.raises(LostLogError, match=f"jdi.db is {'empty' if empty else 'gone'}, and {said}.*jdi restore"):
            ask()
    with pytest.raises(StoreVersionError, match="jdi migrate"):
        open_store(url_of(folder))
    assert content(folder) == before


def content(folder: Path) -> dict[str, bytes]:
    """Of every file of it but what SQLite keeps for those who look."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.endswith("-shm") and file.stat().st_size
    }


@pytest.mark.parametrize("before", [(), ("jdi.db",), ("jdi-read.db",)])
def test_the_first_start_makes_a_log_also_after_one_that_died(tmp_path: Path, before: tuple[str, ...]) -> None:
    for name in before:
        (tmp_path / name).touch()
    migrate_all(url_of(tmp_path))
    check_log_is_there(url_of(tmp_path))
    open_store(url_of(tmp_path)).close()


@pytest.mark.parametrize("kind", ["removed", "replaced"])
def test_nothing_is_taken_into_a_log_that_has_lost_its_name(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "data"
    made(folder, 5)
    log, away = folder / "jdi.db", folder / "away"
    store = open_store(url_of(folder))
    os.link(log, away)
    if kind == "removed":
        log.unlink()
    else:
        Path(shutil.copy(log, folder / "other")).replace(log)
    with pytest.raises(Exception, match="was removed or replaced while in use: stop all services"):
        store.prove_append("@proof/test")
    with pytest.raises(StoreError, match="was removed or replaced"):
        store.check_file()
    with pytest.raises(StoreError, match="was removed or replaced while in use: stop all services"):
        append(store, history(6))
    assert log.exists() == (kind == "replaced")
    assert store.head() > 0
    away.replace(log)
    store.prove_append("@proof/test")
    store.close()
