"""The proof of a command: only by the key, only of all that it says, and not for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import msgspec
import pytest

from libs.temporal import proof
from libs.temporal.messages import (
    AnyCommand,
    AnyQuestion,
    ApplyBackoff,
    Command,
    OpenGate,
    PauseSync,
    RegisterProject,
    RequestSync,
    ResumeSync,
    SilenceAlerts,
)
from libs.temporal.proof import doubt, sealed

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
COMMON: dict[str, Any] = {"site": "acme", "project": "DEMO", "command_id": "c-1", "actor": "ann"}
EXAMPLES: tuple[Command | OpenGate, ...] = (
    PauseSync(**COMMON, reason="Größe \N{SNOWMAN}"),
    RegisterProject(**COMMON, cron="* * * * *", timezone="UTC", account_ids=("a", "b"), check=True),
    ApplyBackoff(
        **COMMON,
        level=1,
        code="X",
        failures=2,
        seconds=3,
        anchor=datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2))),
        run_id="r",
        expected_version=7,
    ),
    SilenceAlerts(**COMMON, until=datetime(2026, 1, 1, tzinfo=UTC)),
    SilenceAlerts(**COMMON, until=None),
    OpenGate(site="acme", endpoint=None, actor="ann", command_id="c-1"),
)


def arrived(message: Command | OpenGate) -> Command | OpenGate:
    """As it is read at the other end."""
    kind: Any = AnyQuestion if isinstance(message, OpenGate) else AnyCommand
    read: Command | OpenGate = msgspec.json.decode(msgspec.json.encode(message), type=kind)
    return read


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_what_is_ours_is_believed_and_nothing_else(message: Command | OpenGate) -> None:
    given = arrived(sealed(message, KEY))
    assert doubt(given, KEY) is None
    assert doubt(given, OTHER_KEY) == proof.WRONG_PROOF
    assert doubt(message, KEY) == proof.NO_PROOF
    for made_up in ("x", ".", f"{given.proof}0", f"1{given.proof}", given.proof.upper(), "0.é", "\x00"):
        assert doubt(msgspec.structs.replace(given, proof=made_up), KEY) == proof.WRONG_PROOF


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_each_field_is_bound(message: Command | OpenGate) -> None:
    given: Any = sealed(message, KEY)
    for field in msgspec.structs.fields(given):
        value = getattr(given, field.name)
        changed = {str: f"{value}x", bool: not value, int: 99, tuple: ("eve",)}.get(type(value), "changed")
        assert doubt(msgspec.structs.replace(given, **{field.name: changed}), KEY) == proof.WRONG_PROOF, field.name


def test_the_kind_is_bound() -> None:
    given = sealed(PauseSync(**COMMON), KEY)
    assert doubt(ResumeSync(**COMMON, proof=given.proof), KEY) == proof.WRONG_PROOF
    everything = (*get_args(AnyCommand), OpenGate)
    assert len({kind.__struct_config__.tag for kind in everything}) == len(everything)


def test_a_field_at_its_default_says_nothing_so_that_versions_understand_one_another() -> None:
    class Newer(RequestSync, frozen=True, kw_only=True, tag="request"):
        added: str = ""

    newer, older = sealed(Newer(**COMMON), KEY), sealed(RequestSync(**COMMON), KEY)
    assert doubt(RequestSync(**COMMON, proof=newer.proof), KEY) is None
    assert doubt(Newer(**COMMON, proof=older.proof), KEY) is None
    meant = sealed(Newer(**COMMON, added="something"), KEY)
    assert doubt(RequestSync(**COMMON, proof=meant.proof), KEY) == proof.WRONG_PROOF


def test_it_is_void_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    given = sealed(PauseSync(**COMMON), KEY)
    later = time.time() + proof.GOOD_FOR.total_seconds()
    monkeypatch.setattr(time, "time", lambda: later - 5)
    assert doubt(given, KEY) is None
    monkeypatch.setattr(time, "time", lambda: later + 5)
    assert doubt(given, KEY) == proof.TOO_OLD
