"""Whether the read tables can be written: asked beside batches of our own, and against the locks of others."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from services.projector.tables import writable
from services.projector.tables.writable import Writing


def test_tables_that_can_be_written_have_no_trouble(tables: Engine) -> None:
    checked = Writing(tables)
    for _ in range(3):
        assert checked.trouble() is None


def test_a_lock_of_somebody_else_is_told_in_time_and_its_end_too(tables: Engine) -> None:
    checked = Writing(tables)
    with tables.begin() as other:
        other.execute(text("UPDATE projection SET generation = generation"))
        assert "the read tables cannot be written: " in str(checked.trouble())
    assert checked.trouble() is None


def test_a_lock_of_our_own_batch_is_none(tables: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Writing(tables)
    monkeypatch.setattr(checked, "_prove", lambda: pytest.fail("asked"))
    with checked.batch():
        assert checked.trouble() is None
    checked.done()
    assert checked.trouble() is None
    monkeypatch.setattr(writable, "FRESH_SECONDS", 0.0)
    with pytest.raises(pytest.fail.Exception, match="asked"):
        checked.trouble()


def test_a_batch_that_begins_while_we_ask_is_no_trouble(tables: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Writing(tables)

    def locked() -> None:
        checked.done()
        raise OSError("locked")

    monkeypatch.setattr(checked, "_prove", locked)
    assert checked.trouble() is None
