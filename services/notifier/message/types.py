"""What is handed to a channel, and what comes back: the contract of every adapter in `channels/`."""

from typing import Any, Protocol

import msgspec

from libs.events import FailureKind


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    content_type: str
    data: bytes


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A notification in words, for every channel. Each takes of it what it can show."""

    to: tuple[str, ...] = ()
    """Addresses of the channel's own kind; empty: whom the channel is set up for."""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    sender: str = msgspec.field(default="", name="from")
    """Empty: as the channel is set up."""
    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    channel_specific_metadata: dict[str, Any] = {}
    """`noticeId` (all: by which a repetition is known), `thread` (email: id of the notification that this one answers),
    `parameters` (whatsapp: the values of the template), `link` and `severity` (slack)."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message, or one of its recipients, was not taken."""

    kind: FailureKind
    code: str
    """Ours, such as SMTP_REFUSED or NOT_CONFIGURED."""
    message: str
    """Redacted and short: it is shown and stored."""
    advice: str
    provider_code: str = ""
    """The provider's, such as 550 or 132001."""
    retry_after: float | None = None
    """Seconds that the provider asked to wait."""
    recipient: str = ""
    """Empty: all of them."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message. Taken means that the provider has it, not yet that a person does."""

    taken: tuple[str, ...] = ()
    """The recipients for whom the provider took it."""
    failures: tuple[Failure, ...] = ()
    """For whom it did not, and why; both are filled when it took some."""
    provider_message_id: str = ""


class Adapter(Protocol):
    """A channel: turns a message into calls to its provider."""

    recipients: tuple[str, ...]
    """Whom it is set up for, in words that may be shown."""

    async def send(self, message: Message) -> Result: ...


def failed(
    kind: FailureKind,
    code: str,
    message: str,
    advice: str,
    *,
    provider_code: str = "",
    retry_after: float | None = None,
    recipient: str = "",
) -> Result:
    """Nobody got it, or one recipient did not."""
    failure = Failure(
        kind=kind,
        code=code,
        message=message,
        advice=advice,
        provider_code=provider_code,
        retry_after=retry_after,
        recipient=recipient,
    )
    return Result(failures=(failure,))
