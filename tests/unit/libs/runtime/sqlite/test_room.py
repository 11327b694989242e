import inspect
from pathlib import Path

import pytest

from libs.runtime import Check, no_room, stores
from libs.runtime.sqlite import room


def test_there_is_room_here_and_none_where_less_is_free_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert no_room(tmp_path) is None
    monkeypatch.setattr(room, "LEAST_BYTES", 1 << 62)
    assert str(no_room(tmp_path)).startswith(f"the disk of {tmp_path} is full: ")


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    assert (
        no_room(tmp_path / "gone") == f"the disk of {tmp_path / 'gone'} cannot be looked at: No such file or directory"
    )


async def test_a_database_stores_where_there_is_room_and_a_write_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, server = f"sqlite:///{tmp_path}/jdi.db", "postgresql://db/jdi"
    assert [await _asked(stores(url, lambda: None)) for url in (file, server)] == [None, None]
    assert [await _asked(stores(url, lambda: "locked")) for url in (file, server)] == ["locked", "locked"]
    monkeypatch.setattr(room, "LEAST_BYTES", 1 << 62)
    assert [await _asked(stores(url, lambda: None)) is None for url in (file, server)] == [False, True]


async def _asked(check: Check) -> str | None:
    outcome = check()
    assert inspect.isawaitable(outcome)
    return await outcome
