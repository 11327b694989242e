"""G5, word for word: kill -9 of a real notifier at every named point of a notification, with a real mail server.

At least one mail always. Exactly one, but where the process died between the server's OK and the record: there the
second one carries the same Message-ID.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from libs.events import EventStore, NotificationSent, migrate, open_store
from tests.doubles.mail_server import Mail, MailServer, mail_server
from tests.eventually import wait_until
from tests.integration.notifier import crashing_notifier
from tests.integration.notifier.crashing_notifier import POINTS, environ_of
from tests.integration.notifier.mailing import append, outcomes
from tests.unit.made.alerts import raised

TRIALS = 30
PATIENCE = 60.0
WHEN_IT_DIED = {"before-send": (0, 0), "after-ok": (1, 0), "after-record": (1, 1)}
"""Mails and records of the notification at that moment: they prove that the window was hit."""
IN_THE_END = {"before-send": 1, "after-ok": 2, "after-record": 1}


@pytest.fixture(scope="module")
def nursery() -> ForkServerContext:
    """A process that has imported everything and forks notifiers: 90 of them would else import for minutes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([crashing_notifier.__name__])
    return context


def records(store: EventStore, site: str) -> list[NotificationSent]:
    return [event for event in outcomes(store) if event.site == site and isinstance(event, NotificationSent)]


def mails(server: MailServer, site: str) -> list[Mail]:
    return [mail for mail in server.mails if mail.subject.startswith(f"{site}:")]


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_notifier_tells_everybody_and_nobody_twice_without_a_sign(
    point: str, nursery: ForkServerContext, tmp_path: Path
) -> None:
    migrate(f"sqlite:///{tmp_path / 'jdi.db'}")
    store, log = open_store(f"sqlite:///{tmp_path / 'jdi.db'}"), tmp_path / "notifier.log"
    sites = [f"site-{number}" for number in range(TRIALS)]
    with mail_server() as server:
        environ = environ_of(tmp_path, server.url)
        for site in sites:
            # Each start finishes what the one before it left, then dies of the next notification.
            append(store, raised(site, site=site))
            child = nursery.Process(target=crashing_notifier.run, args=(environ, str(log), point, site))
            child.start()
            child.join(PATIENCE)
            assert child.exitcode == -signal.SIGKILL, log.read_text()[-3000:]
            assert (len(mails(server, site)), len(records(store, site))) == WHEN_IT_DIED[point]

        # One that lives: when it has sent a notification of its own, it has been through everything before it.
        append(store, raised("last", site="last"))
        last = nursery.Process(target=crashing_notifier.run, args=(environ, str(log)))
        last.start()
        wait_until(lambda: records(store, "last"), hopeless=lambda: not last.is_alive() and log.read_text())
        last.terminate()
        last.join(PATIENCE)
        assert last.exitcode == 0, log.read_text()[-3000:]

        for site in sites:
            [record] = records(store, site)
            got = mails(server, site)
            assert len(got) == IN_THE_END[point]
            assert {mail.message_id for mail in got} == {f"<{record.notification_id}@example.com>"}
        assert len(server.mails) == TRIALS * IN_THE_END[point] + 1
    store.close()
