from pathlib import Path

import pytest

from libs.runtime import no_room, room


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
