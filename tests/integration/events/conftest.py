"""Short pauses: what these tests wait for is not the passing of time."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, relay, subscribe = (
        sys.modules[f"libs.events.{name}"] for name in ("reading.leader", "nats.relay", "nats.subscribe")
    )
    for module, name in (
        (leader, "STANDBY_SECONDS"),
        (leader, "LOCK_CHECK_SECONDS"),
        (relay, "IDLE_SECONDS"),
        (relay, "OUT_OF_STEP_SECONDS"),
        (relay, "FOREIGN_STREAM_SECONDS"),
        (relay, "MARK_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0.2)
    monkeypatch.setattr(relay, "AUDIT_SECONDS", 0.5)
    monkeypatch.setattr(subscribe, "RETRY_SECONDS", 0.2)
