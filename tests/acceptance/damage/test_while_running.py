"""Read tables and tokens that are damaged under running services, and while they are stopped.

`DAMAGE_TRIALS` sets the number of trials with each file; one in four of them is with the services stopped.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Final

import pytest

from libs.events import open_store
from tests.acceptance.damage.damages import DAMAGES
from tests.acceptance.damage.services import Services, made, on, url_of, wait_until_whole
from tests.eventually import wait_until
from tests.integration.projector.log import append
from tests.unit.made import build

TRIALS: Final = int(os.environ.get("DAMAGE_TRIALS", "2"))
KNOWN: Final = {"UNAVAILABLE", "UNAUTHENTICATED", "REFUSED"}
"""Codes that a caller may see meanwhile. Nobody is known until tokens are back."""


@pytest.mark.parametrize("name", ["jdi-read.db", "jdi-access.db"])
def test_nothing_needs_a_hand(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    alive, revoked = made(folder)
    with on(folder) as services:
        wait_until(services.ready)
        expected, _ = services.ask(alive)
        assert len(expected["issues"]["nodes"]) > 10
        damages = list(DAMAGES.items())
        for trial in range(TRIALS):
            kind, damage = damages[trial % len(damages)]
            chance = random.Random(trial)
            stopped = trial % 4 == 1
            if stopped:
                (services.kill if trial % 8 == 1 else services.stop)()
            try:
                damage(folder / name, chance)
            except FileNotFoundError:
                continue
            if stopped:
                services.start()
            note(services, folder, trial)
            print(f"trial {trial}: {kind}, {'stopped' if stopped else 'running'}", time.monotonic(), flush=True)  # noqa: T201
            _watch(services, alive, expected, f"trial {trial}: {name}, {kind}")
            assert services.ask(revoked)[1] == {"UNAUTHENTICATED"}
    assert "Traceback" not in services.said()
    assert len(list(folder.glob(f"{name}.damaged-*Z"))) <= 3


def note(services: Services, folder: Path, trial: int) -> None:
    """Something happens that changes no answer: the projector uses its tables."""
    assert services.alive()
    store = open_store(url_of(folder))
    append(store, [build.user("u1", f"User of trial {trial}")])
    store.close()


def _watch(services: Services, token: str, expected: object, trial: str) -> None:
    """Until all is as it was, every answer is the right one or says that there is none now."""

    def whole() -> bool:
        data, codes = services.ask(token)
        assert codes <= KNOWN, f"{trial}: {codes}\n{services.said()[-3000:]}"
        assert codes or data == expected, f"{trial}: a wrong answer"
        return not codes and services.ready()

    try:
        wait_until(whole)
    except AssertionError as error:
        raise AssertionError(f"{trial}: {services.said()[-3000:]}") from error
    wait_until_whole(services, token, expected)


@pytest.mark.parametrize("kind", ["header", "garbage", "a folder"])
def test_a_damaged_log_takes_no_answer_away(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "data"
    alive, revoked = made(folder)
    with on(folder) as services:
        wait_until(services.ready)
        expected, _ = services.ask(alive)
        DAMAGES[kind](folder / "jdi.db", random.Random(kind))
        assert services.ask(alive) == (expected, set())
        services.stop()
        services.start()
        wait_until(lambda: services.ask(alive) == (expected, set()))
        assert services.ask(revoked)[1] == {"UNAUTHENTICATED"}
        wait_until(lambda: "the event log cannot be opened" in services.said())
        assert services.alive()
    assert not list(folder.glob("jdi.db.damaged-*"))
    assert "Traceback" not in services.said()
