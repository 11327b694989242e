"""Processes that fold the log ahead of the one that writes make no other tables than that one does, whoever dies."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect
from structlog.testing import capture_logs

from libs.events import EventStore, open_store
from libs.read_tables import metadata, readiness
from libs.runtime import Stop
from services.projector.apply import Projection
from services.projector.batch import Folded
from services.projector.rebuild import ahead, generation, rebuild
from services.projector.rebuild.ahead import fold
from tests.eventually import wait_until
from tests.integration.projector.log import Dump, append, catch_up, dump, history, unreadable
from tests.unit.made import build


@pytest.fixture
def before(store: EventStore, tables: Engine) -> Dump:
    """Tables that a live projector has built, of a log in which something stays parked."""
    append(store, [*history(120), unreadable(build.worklog("w-odd")), build.paused()])
    catch_up(store, tables)
    found = dump(tables)
    assert found["dead_letter"]
    return found


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, and processes however short the log is."""
    monkeypatch.setattr(generation, "WORTH_IT", 0)
    monkeypatch.setattr(ahead, "PART", 60)


@pytest.mark.usefixtures("parts")
def test_processes_that_fold_ahead_make_the_same_tables(
    store: EventStore, tables: Engine, before: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[int] = []
    monkeypatch.setattr(Projection, "catch_up", lambda _self, _stop: alone.append(_self.position()))
    rebuild(store, tables, Stop())
    assert alone == [store.head()], "all of it was there before the process that writes went on alone"
    assert dump(tables) == before
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("seed", [int(seed) for seed in os.environ.get("JDI_REBUILD_SEEDS", "1,2").split(",")])
def test_parts_of_any_size_make_the_same_tables(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Half of an unreadable stream may lie in one part, and what heals it in a later one."""
    append(store, history(80, seed))
    catch_up(store, tables)
    expected, chance = dump(tables), random.Random(seed)

    @contextmanager
    def at_random(url: str, after: int, upto: int) -> Iterator[Iterator[Folded]]:
        def folded() -> Iterator[Folded]:
            start, source = after, open_store(url)
            while start < upto:
                end = min(start + chance.choice([1, 5, 30, 200]), upto)
                yield pickle.loads(pickle.dumps(fold(source.read(start, 500, stop=end))))  # noqa: S301
                start = end
            source.close()

        yield folded()

    monkeypatch.setattr(generation, "WORTH_IT", 0)
    monkeypatch.setattr(generation, "folding", at_random)
    rebuild(store, tables, Stop())
    assert dump(tables) == expected


@pytest.mark.usefixtures("parts")
def test_a_rebuild_whose_processes_die_goes_on_by_itself(store: EventStore, tables: Engine, before: Dump) -> None:
    class Killing:
        """Kills them when the first part has come."""

        def is_set(self) -> bool:
            for process in multiprocessing.active_children():
                process.kill()
                process.join()
            return False

    with capture_logs() as logs:
        rebuild(store, tables, Killing())
    assert "rebuild goes on by itself" in {line["event"] for line in logs}
    assert dump(tables) == before


HALF = """
import multiprocessing, signal
from services.projector.__main__ import main
from services.projector.apply import Projection
from services.projector.rebuild import ahead, generation

generation.WORTH_IT, ahead.PART, done = 0, 60, []

def pausing(self, part, after, apply=Projection.apply_folded):
    apply(self, part, after)
    done.append(part)
    if len(done) == 3:
        print(*(process.pid for process in multiprocessing.active_children()), flush=True)
        signal.pause()

Projection.apply_folded = pausing
main(["rebuild"])
"""


def test_a_rebuild_killed_in_the_middle_leaves_the_tables_and_is_cleaned_up_by_the_next(
    store: EventStore, tables: Engine, before: Dump, store_url: str
) -> None:
    environ = {**os.environ, "DATABASE_URL": store_url, "JDI_LOG_FORMAT": "json"}
    command = [sys.executable, "-c", HALF]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        helpers = [int(pid) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert helpers
    assert dump(tables) == before
    assert readiness(tables) is None
    assert any("__g1" in name for name in inspect(tables).get_table_names())
    wait_until(lambda: not any(is_running(pid) for pid in helpers))
    rebuild(store, tables, Stop())
    assert dump(tables) == before
    assert {name for name in inspect(tables).get_table_names() if "__g" in name} == set()
    assert set(metadata.tables) <= set(inspect(tables).get_table_names())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
