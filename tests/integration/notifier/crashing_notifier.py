"""The real notifier, but that it kills itself at a named point of one notification, as by kill -9."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from libs.events import EventStore, NotificationFailed, NotificationSent
from libs.runtime import run_service
from services.notifier import __main__ as notifier
from services.notifier import loop
from services.notifier.delivery.attempt import record
from services.notifier.delivery.send import Outlet
from services.notifier.message.types import Message, Result
from services.notifier.settings import Settings

POINTS = (
    "before-send",  # decided and written down, nothing is sent
    "after-ok",  # the provider has it, nobody knows
    "after-record",  # the log knows
)


def run(environ: dict[str, str], log: str, point: str = "", site: str = "") -> None:
    """Run the notifier in this process; die at `point` of the notification about `site`."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environ)

    def crash(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    class CrashingOutlet(Outlet):
        async def send_message(self, channel: str, payload: Message) -> Result:
            armed = payload.subject.startswith(f"{site}:")
            if armed:
                crash("before-send")
            result = await super().send_message(channel, payload)
            if armed:
                crash("after-ok")
            return result

    def crashing_record(store: EventStore, event: NotificationSent | NotificationFailed) -> None:
        record(store, event)
        if event.site == site:
            crash("after-record")

    patched: Any = notifier
    patched.Outlet = CrashingOutlet
    patched = loop
    patched.record = crashing_record
    run_service("notifier", Settings, notifier.main)


def environ_of(folder: Path, smtp_url: str) -> dict[str, str]:
    """The settings of a notifier that mails at once; no NATS: the log is enough."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder / 'jdi.db'}",
        "NATS_URL": "nats://127.0.0.1:1",
        "SMTP_URL": smtp_url,
        "NOTIFY_EMAIL_TO": "ops@example.com",
        "NOTIFY_CRITICAL_WAIT_SECONDS": "0",
    }
