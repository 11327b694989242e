"""A rebuild makes the tables of the live projector: the fast way, with other processes, and whoever dies."""

from __future__ import annotations

import contextlib
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
from typing import Any

import pytest
from sqlalchemy import Engine, inspect
from structlog.testing import capture_logs

from libs.events import EventStore, Stopping, open_store
from libs.read_tables import FOLDED, LIVE, metadata, readiness
from libs.runtime import Stop
from services.projector.apply import Projection
from services.projector.rebuild import ahead, generation, loading, rebuild
from services.projector.rebuild.ahead import Fold
from services.projector.rebuild.last_facts import Portion
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
def sound(store: EventStore, tables: Engine) -> Dump:
    """Tables of a log all of whose events can be applied."""
    append(store, [event for event in history(120) if not is_odd(event)])
    catch_up(store, tables)
    found = dump(tables)
    assert [name for name in found if not found[name]] == ["dead_letter"]
    return found


def is_odd(event: Any) -> bool:
    return bytes(getattr(event, "payload", b"")) == bytes(ODD)


ODD = unreadable(build.worklog("w-odd")).payload


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small parts, and processes however short the log is; where the one that writes went on alone."""
    alone: list[int] = []

    def catch_up_alone(self: Projection, stop: Stopping, catch_up: Any = Projection.catch_up) -> None:
        alone.append(self.position())
        catch_up(self, stop)

    monkeypatch.setattr(generation, "WORTH_IT", 0)
    monkeypatch.setattr(ahead, "PART", 60)
    monkeypatch.setattr(Projection, "catch_up", catch_up_alone)
    return alone


def test_the_last_facts_make_the_tables_of_the_whole_history(
    store: EventStore, tables: Engine, sound: Dump, parts: list[int]
) -> None:
    with capture_logs() as logs:
        rebuild(store, tables, Stop())
    assert [line["event"] for line in logs] == ["rebuild started", "rebuild finished"]
    assert parts == [store.head()]
    assert dump(tables) == sound
    assert shape_of(tables) == shape_wanted()
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("sound", "parts")
def test_what_is_appended_while_the_rebuild_loads_is_in_the_new_tables(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer versions of what is loaded already, and what nobody has seen yet, come after each portion."""
    later = [event for event in history(60, seed=8) if not is_odd(event)]
    begun = store.head()

    def then_append(self: loading._Loading, portion: Portion, add: Any = loading._Loading.add) -> None:
        add(self, portion)
        append(store, [later.pop(0) for _ in range(min(20, len(later)))])

    monkeypatch.setattr(loading._Loading, "add", then_append)
    assert rebuild(store, tables, Stop()) == store.head() > begun
    found = dump(tables)
    monkeypatch.setattr(generation, "WORTH_IT", store.head() + 1)
    rebuild(store, tables, Stop())
    assert dump(tables) == found


def shape_of(tables: Engine) -> dict[str, set[str]]:
    """The indexes by table, without the number of their generation."""
    look = inspect(tables)
    return {name: {str(one["name"]).split("__g")[0] for one in look.get_indexes(name)} for name in FOLDED}


def shape_wanted() -> dict[str, set[str]]:
    return {name: {str(index.name) for index in LIVE[name].indexes} for name in FOLDED}


def test_where_something_is_parked_the_whole_history_is_folded(
    store: EventStore, tables: Engine, before: Dump, parts: list[int]
) -> None:
    with capture_logs() as logs:
        rebuild(store, tables, Stop())
    assert "rebuild goes through the whole history" in {line["event"] for line in logs}
    assert parts == [store.head()]
    assert dump(tables) == before


@pytest.mark.parametrize("odd_ones", [True, False], ids=["every event", "last facts"])
@pytest.mark.parametrize("seed", [int(seed) for seed in os.environ.get("JDI_REBUILD_SEEDS", "1,2").split(",")])
def test_parts_of_any_size_make_the_same_tables(
    store: EventStore, tables: Engine, monkeypatch: pytest.MonkeyPatch, seed: int, odd_ones: bool
) -> None:
    """What heals or replaces an event, hides or shows a comment may lie in the same part, or in a later one."""
    append(store, [event for event in history(80, seed) if odd_ones or not is_odd(event)])
    catch_up(store, tables)
    expected, chance = dump(tables), random.Random(seed)

    @contextmanager
    def at_random(url: str, after: int, upto: int, how: Fold[Any]) -> Iterator[Iterator[Any]]:
        def folded() -> Iterator[Any]:
            start, source = after, open_store(url)
            while start < upto:
                end = min(start + chance.choice([1, 5, 30, 200]), upto)
                yield pickle.loads(pickle.dumps(how(source, start, end)))  # noqa: S301
                start = end
            source.close()

        yield folded()

    monkeypatch.setattr(generation, "WORTH_IT", 0)
    monkeypatch.setattr(generation, "folding", at_random)
    monkeypatch.setattr(loading, "folding", at_random)
    with capture_logs() as logs:
        rebuild(store, tables, Stop())
    assert ("rebuild goes through the whole history" in {line["event"] for line in logs}) is odd_ones
    assert dump(tables) == expected


def readers(pid: int) -> list[int]:
    """The processes that read ahead for the one that writes: children of its child."""
    return [reader for child in children(pid) for reader in children(child)]


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@pytest.mark.usefixtures("parts")
def test_a_rebuild_whose_processes_die_goes_on_by_itself(store: EventStore, tables: Engine, before: Dump) -> None:
    class Killing:
        """Kills them whenever a part has come."""

        def is_set(self) -> bool:
            for pid in readers(os.getpid()):
                os.kill(pid, signal.SIGKILL)
            for process in multiprocessing.active_children():
                process.join()
            return False

    with capture_logs() as logs:
        rebuild(store, tables, Killing())
    told = [line["event"] for line in logs if line["event"].startswith("rebuild goes")]
    assert told == ["rebuild goes through the whole history", "rebuild goes on by itself"]
    assert dump(tables) == before


HALF = """
import multiprocessing, signal
from pathlib import Path
from services.projector.__main__ import main
from services.projector.apply import Projection
from services.projector.rebuild import ahead, generation, loading

generation.WORTH_IT, ahead.PART, done = 0, 60, []

def pausing(kind, name):
    way = getattr(kind, name)
    def then_pause(*arguments):
        way(*arguments)
        done.append(name)
        if done.count(name) == 3:
            leads = [process.pid for process in multiprocessing.active_children()]
            found = [Path(f"/proc/{pid}/task/{pid}/children").read_text() for pid in leads]
            print(*leads, *found, flush=True)
            signal.pause()
    setattr(kind, name, then_pause)

WAYS
main(["rebuild"])
"""


@pytest.mark.parametrize(
    "paused", ['pausing(loading._Loading, "add")', 'pausing(Projection, "apply_folded")'], ids=["fast", "whole"]
)
def test_a_rebuild_killed_in_the_middle_leaves_the_tables_and_is_cleaned_up_by_the_next(
    store: EventStore, tables: Engine, sound: Dump, store_url: str, paused: str
) -> None:
    before = sound
    if "apply_folded" in paused:
        append(store, [unreadable(build.worklog("w-odd"))])
        catch_up(store, tables)
        before = dump(tables)
    environ = {**os.environ, "DATABASE_URL": store_url, "JDI_LOG_FORMAT": "json"}
    command = [sys.executable, "-c", HALF.replace("WAYS", paused)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        helpers = [int(pid) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert helpers  # who began them, and those that have not read their share yet
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
