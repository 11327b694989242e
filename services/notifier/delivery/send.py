"""`send_message(channel, payload)`: the one way out. Whatever happens comes back as a result; nothing is raised."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import structlog

from libs.events import FailureKind
from libs.runtime import redact_text
from services.notifier.message.types import Adapter, Failure, Message, Result, failed
from services.notifier.text import clean, one_line

SUBJECT_LIMIT: Final = 200
TEXT_LIMIT: Final = 100_000
HTML_LIMIT: Final = 500_000
ATTACHMENTS_LIMIT: Final = 5_000_000
"""Bytes of all attachments together; mail servers refuse messages of ten millions and more."""
RECIPIENTS_LIMIT: Final = 100
MESSAGE_LIMIT: Final = 300
SECONDS: Final = 30.0
"""After so long a provider counts as silent."""

log = structlog.get_logger(__name__)


class Outlet:
    """The channels that are set up."""

    def __init__(
        self, adapters: Mapping[str, Adapter], *, secrets: Iterable[str] = (), seconds: float = SECONDS
    ) -> None:
        self._adapters = dict(adapters)
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)
        self._seconds = seconds

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(self._adapters)

    def recipients(self, channel: str) -> tuple[str, ...]:
        """Whom a channel is set up for; nobody when it is not set up."""
        adapter = self._adapters.get(channel)
        return adapter.recipients if adapter else ()

    async def send_message(self, channel: str, payload: Message) -> Result:
        """Send, within a deadline. A text that is too long is cut, attachments that are too large are refused."""
        adapter = self._adapters.get(channel)
        if adapter is None:
            return failed(
                FailureKind.CONFIG,
                "NOT_CONFIGURED",
                f"The channel {one_line(channel, 40)!r} is not set up.",
                "Set the channel's variables for the notifier and start it again; docs/notifications.md lists them.",
            )
        if (refused := _refused(payload)) is not None:
            return refused
        try:
            async with asyncio.timeout(self._seconds):
                result = await adapter.send(_bounded(payload))
        except TimeoutError:
            result = failed(
                FailureKind.TRANSIENT,
                "NO_ANSWER",
                f"The provider did not answer within {self._seconds:g} s; it may have taken the notice all the same.",
                "It is tried again. If this stays, check the network between the notifier and the provider.",
            )
        except Exception as error:
            log.exception("a channel failed in a way that it does not know", channel=channel)
            result = failed(
                FailureKind.PERMANENT,
                "UNEXPECTED",
                f"{type(error).__name__}: {error}",
                "Report this with the notifier's log: the channel does not know such a failure.",
            )
        return msgspec.structs.replace(result, failures=tuple(self._safe(one) for one in result.failures))

    def _safe(self, failure: Failure) -> Failure:
        """Without secrets, which providers and libraries like to quote."""
        text = failure.message
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return msgspec.structs.replace(failure, message=one_line(redact_text(text), MESSAGE_LIMIT))


def _refused(payload: Message) -> Result | None:
    size = sum(len(attachment.data) for attachment in payload.attachments)
    if size > ATTACHMENTS_LIMIT:
        return failed(
            FailureKind.PERMANENT,
            "TOO_LARGE",
            f"The attachments have {size:,} bytes; at most {ATTACHMENTS_LIMIT:,} are sent.",
            "Send a link instead.",
        )
    if len(payload.to) + len(payload.cc) + len(payload.bcc) > RECIPIENTS_LIMIT:
        return failed(
            FailureKind.PERMANENT,
            "TOO_MANY_RECIPIENTS",
            f"More than {RECIPIENTS_LIMIT} recipients.",
            "Send to a mailing list instead.",
        )
    return None


def _bounded(payload: Message) -> Message:
    """What a provider can take: HTML cannot be cut, so one that is too long is left to the text."""
    return msgspec.structs.replace(
        payload,
        subject=one_line(payload.subject, SUBJECT_LIMIT),
        text=clean(payload.text, TEXT_LIMIT),
        html=payload.html if len(payload.html) <= HTML_LIMIT else "",
    )
