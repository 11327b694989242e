"""The notifier tells of services that are not ready while the event log, NATS and the database are all away."""

from __future__ import annotations

import signal
from pathlib import Path

from aiohttp import web

from tests.browser.stack import Service
from tests.doubles.http import HttpDouble, Request
from tests.doubles.slack import slack_double
from tests.eventually import wait_until
from tests.servers.addresses import free_port


class Readyz(HttpDouble):
    """A service that says that it is ready, or why not."""

    trouble = ""

    def accept(self, request: Request, number: int) -> web.Response:  # noqa: ARG002 - it says the same to everybody
        checks = {"event_log": {"ok": not self.trouble, "reason": self.trouble or None}}
        return web.json_response({"checks": checks}, status=503 if self.trouble else 200)

    def judge(self, request: Request) -> web.Response | None:  # noqa: ARG002
        return None


def test_it_tells_once_and_once_when_it_is_over_with_nothing_but_the_channels(tmp_path: Path) -> None:
    ingestor, gone = Readyz(), free_port()
    with ingestor.serving(), slack_double() as slack:
        environ = {
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
            "NATS_URL": "nats://127.0.0.1:9",
            "JDI_DATA_DIR": str(tmp_path),
            "SLACK_WEBHOOK_URL": slack.url,
            "NOTIFY_ALLOW_INSECURE": "1",
            "NOTIFY_WATCH": f"ingestor=http://127.0.0.1:{ingestor.port}/readyz gone=http://127.0.0.1:{gone}/readyz",
            "NOTIFY_WATCH_SECONDS": "0.2",
        }
        port = free_port()
        notifier = Service("notifier", port, tmp_path, environ | {"JDI_HEALTH_PORT": str(port)})
        notifier.launch()
        try:
            wait_until(lambda: slack.texts, lambda texts: any("gone: no answer" in text for text in texts))
            wait_until(lambda: slack.texts, lambda texts: any("notifier: notices: " in text for text in texts))
            ingestor.trouble = "the disk is full"
            wait_until(lambda: slack.texts, lambda texts: any("event_log: the disk is full" in text for text in texts))
            ingestor.trouble = ""
            wait_until(lambda: slack.texts, lambda texts: any("Ready again: ingestor" in text for text in texts))
            looks = len(ingestor.taken)
            wait_until(lambda: len(ingestor.taken) > looks + 5)
            assert sum("gone" in text for text in slack.texts) == 1
            assert sum("ingestor" in text for text in slack.texts) == 2
            assert slack.refused == []
        finally:
            assert notifier._process is not None
            notifier._process.send_signal(signal.SIGTERM)
            notifier._process.wait(60)
