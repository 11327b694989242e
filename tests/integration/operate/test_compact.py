"""A log of an older version gets small, and stays the same log."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from libs.events import Append, Recorded, leadership, open_store
from libs.events.log.encoding.compressor import Zstandard, is_compressed
from libs.runtime.database import sqlite_file
from services.cli.copies.at_work import LEADERS, AtWorkError
from services.cli.copies.compact import compact
from tests.unit.made.changes import issue


@pytest.fixture
def url(store_url: str) -> str:
    """A log of 600 events."""
    with closing(open_store(store_url)) as store:
        for start in range(0, 600, 100):
            changes = [issue(number, summary=f"{number} " * 200) for number in range(start, start + 100)]
            key = f"page/{start}"
            store.append(Append(changes=changes, checkpoints={key: b"done"}, idempotency_key=key))
    return store_url


def whole(url: str) -> list[Recorded]:
    with closing(open_store(url)) as store:
        return store.read(0, 1000)


def states(url: str) -> dict[int, bytes]:
    file = sqlite_file(url)
    if file is not None:
        with closing(sqlite3.connect(file)) as database:
            return dict(database.execute("SELECT rowid, state FROM stored_events"))
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT notification_id, state FROM jdi_events").fetchall()
        return {position: bytes(state) for position, state in rows}


def as_an_older_version_wrote(url: str, *, but: int) -> None:
    """Nothing compressed, but for what came after a position; and one event is gone by hand."""
    plain = [(Zstandard().decompress(state), at) for at, state in states(url).items() if at <= but]
    file = sqlite_file(url)
    if file is not None:
        with closing(sqlite3.connect(file)) as database:
            database.executemany("UPDATE stored_events SET state = ? WHERE rowid = ?", plain)
            database.execute("DELETE FROM stored_events WHERE rowid = 100")
            database.commit()
        return
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany("UPDATE jdi_events SET state = %s WHERE notification_id = %s", plain)
        cursor.execute("DELETE FROM jdi_events WHERE notification_id = 100")


async def test_every_event_keeps_its_place_and_its_content(url: str) -> None:
    as_an_older_version_wrote(url, but=590)
    before = whole(url)
    assert len(before) == 599
    done = await compact(url)
    assert done.after < done.before / 2
    assert all(is_compressed(state) for state in states(url).values())
    assert whole(url) == before
    with closing(open_store(url)) as compacted:
        assert compacted.checkpoints("page/") == {f"page/{start}": b"done" for start in range(0, 600, 100)}
        assert compacted.outcome("page/500") is not None
        compacted.append(Append(changes=[issue(number) for number in range(600, 700)]))
        assert [each.position for each in compacted.read(600, 1000)] == [*range(601, 701)]
        assert not compacted.unsound_streams()
    again = await compact(url)
    assert again.after <= again.before


@pytest.mark.parametrize(("lock", "who"), LEADERS.items())
async def test_nothing_is_touched_while_services_run(url: str, lock: str, who: str) -> None:
    as_an_older_version_wrote(url, but=1000)
    before = states(url)
    async with leadership(url, lock) as lease:
        assert lease is not None
        with pytest.raises(AtWorkError, match=f"{who} is at work on this log; stop all services first"):
            await compact(url)
    assert states(url) == before


async def test_a_file_that_is_open_elsewhere_stays(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if sqlite_file(url) is None:
        return
    monkeypatch.setattr("services.cli.copies.compact.BUSY_SECONDS", 0.1)
    before = states(url)
    with closing(open_store(url)) as open_elsewhere:
        assert open_elsewhere.head()
        with pytest.raises(AtWorkError, match=r"jdi\.db is open in another process; stop all services first"):
            await compact(url)
    assert states(url) == before


async def test_where_it_dies_the_log_is_as_it_was(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_an_older_version_wrote(url, but=1000)
    before, calls = whole(url), list[object]()

    def die(state: object) -> object:
        calls.append(state)
        if len(calls) > 550:
            raise KeyboardInterrupt
        return state

    with monkeypatch.context() as patched:
        patched.setattr("services.cli.copies.compact._pack", die)
        with pytest.raises(KeyboardInterrupt):
            await compact(url)
    assert whole(url) == before
    await compact(url)
    assert whole(url) == before
    if (file := sqlite_file(url)) is not None:
        assert not list(file.parent.glob("*.compacting"))


def test_a_damaged_event_is_no_end(url: str) -> None:
    file, broken = sqlite_file(url), states(url)[50][:-20]
    if file is not None:
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE stored_events SET state = ? WHERE rowid = 50", (broken,))
            database.commit()
    else:
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE jdi_events SET state = %s WHERE notification_id = 50", (broken,))
    found = whole(url)
    assert len(found) == 600
    assert "the compressed event is damaged" in getattr(found[49].event, "why", "")
    with closing(open_store(url)) as store:
        assert store.stream(found[49].event.stream_id)
