"""Email, by any SMTP server.

One connection a message: notifications are rare, and a connection that is kept is found dead when it matters.
"""

import contextlib
import dataclasses
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime, parseaddr
from typing import Any, Final

import aiosmtplib

from libs.events import FailureKind
from libs.runtime import Secret, setting
from services.notifier.channels.settings import ChannelSettings
from services.notifier.channels.smtp_address import (
    SmtpAddress,
    checked_recipients,
    checked_sender,
    is_mail_address,
    parse_smtp_url,
)
from services.notifier.message.types import Failure, Message, Result, failed
from services.notifier.text import clean, one_line

SUBJECT_LIMIT: Final = 200
SECONDS: Final = 25.0
"""For each step of the conversation; the whole of it has a deadline of its own."""
QUIT_SECONDS: Final = 2.0
_QUEUED: Final = re.compile(r"(?:queued as|id=)\s*<?([\w.@-]+)", re.IGNORECASE)
_LATER: Final = "It is tried again. If this stays, ask who runs the mail server."
_SETTINGS: Final = "Check host, port and starttls in SMTP_URL."


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmailSettings(ChannelSettings):
    """Settings of email."""

    smtp_url: Secret | None = setting(  # noqa: RUF009 - makes a field
        "SMTP_URL", None, why="the mail server; without it there is no email"
    )
    email_to: tuple[str, ...] = setting("NOTIFY_EMAIL_TO", (), unit="addresses, with commas", why="who gets the mails")
    email_from: str = setting("NOTIFY_EMAIL_FROM", "", why="the sender, unless SMTP_URL names one by from=")

    @property
    def secrets(self) -> tuple[str, ...]:
        server = parse_smtp_url(self.smtp_url, allow_insecure=self.allow_insecure) if self.smtp_url else None
        return (*super().secrets, *([server.password] if server and server.password else ()))


class Email:
    """The channel."""

    def __init__(
        self, server: SmtpAddress, *, sender: str, recipients: tuple[str, ...], trust: ssl.SSLContext | None = None
    ) -> None:
        """`trust` says whom to believe where the server's address names no authority of its own."""
        self.recipients, self.sender = recipients, sender
        self._server = server
        own = None if trust and not server.ca else ssl.create_default_context(cafile=server.ca)
        self._tls = own or trust

    async def send(self, message: Message) -> Result:
        """Send to everybody at once; the server answers for each."""
        everybody = tuple(dict.fromkeys((*(message.to or self.recipients), *message.cc, *message.bcc)))
        good = [address for address in everybody if is_mail_address(address)]
        bad = [_no_address(address) for address in everybody if address not in good]
        if not good:
            return Result(failures=tuple(bad))
        sender = message.sender or self.sender
        mail = mail_of(message, sender, message.to or self.recipients)
        try:
            async with self._connected() as connection:
                refused, answer = await connection.sendmail(parseaddr(sender)[1], good, mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusals = tuple(_refused(one.recipient, one.code, one.message) for one in error.recipients)
            return Result(failures=(*bad, *refusals))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return failure_of(error)
        # Where the server takes a message for some, nothing is raised: whom it refused stands in its answer alone.
        failures = [*bad, *(_refused(address, code, text) for address, (code, text) in refused.items())]
        taken = tuple(address for address in good if address not in refused)
        queued = _QUEUED.search(answer)
        return Result(taken=taken, failures=tuple(failures), provider_message_id=queued[1] if queued else "")

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is hung up at once when it fails or takes too long: no goodbye is waited for then."""
        server = self._server
        connection = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            tls_context=self._tls,
            timeout=SECONDS,
        )
        try:
            await connection.connect()
            yield connection
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # the mail is taken, whatever comes of this
                await connection.quit(timeout=QUIT_SECONDS)
        finally:
            connection.close()


def from_settings(settings: EmailSettings) -> Email | None:
    """The channel as it is set up; None when it is not.

    Raises:
        ValueError: it is set up wrongly, in one line.
    """
    if settings.smtp_url is None:
        if settings.email_to:
            raise ValueError("SMTP_URL is not set, but NOTIFY_EMAIL_TO is; set both for email, or none")
        return None
    if not settings.email_to:
        raise ValueError("NOTIFY_EMAIL_TO is not set, but SMTP_URL is; set both for email, or none")
    server = parse_smtp_url(settings.smtp_url, allow_insecure=settings.allow_insecure)
    by_name = server.username if server.username and is_mail_address(server.username) else None
    sender = settings.email_from or server.sender or by_name
    if sender is None:
        raise ValueError("NOTIFY_EMAIL_FROM is not set, and SMTP_URL names no sender by from=; set one of them")
    recipients = checked_recipients("NOTIFY_EMAIL_TO", settings.email_to)
    sender = checked_sender("NOTIFY_EMAIL_FROM", sender)
    return Email(server, sender=sender, recipients=recipients, trust=settings.trust)


def mail_of(message: Message, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail, with an id that is the same however often it is sent, in the thread of its episode."""
    metadata = message.channel_specific_metadata
    mail = EmailMessage(policy=LINES)
    mail["From"] = sender
    mail["To"] = ", ".join(address for address in to if is_mail_address(address))
    if copies := ", ".join(address for address in message.cc if is_mail_address(address)):
        mail["Cc"] = copies
    mail["Subject"] = one_line(message.subject, SUBJECT_LIMIT)
    if date := metadata.get("date"):
        mail["Date"] = format_datetime(datetime.fromisoformat(date))
    for name, value in _thread_headers(metadata, parseaddr(sender)[1].rpartition("@")[2]).items():
        mail[name] = value
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(clean(message.text, len(message.text)), cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    for attachment in message.attachments:
        main, _, sub = attachment.content_type.partition("/")
        mail.add_attachment(attachment.data, maintype=main, subtype=sub, filename=one_line(attachment.name, 100))
    return mail


def _thread_headers(metadata: Mapping[str, Any], domain: str) -> dict[str, str]:
    headers = {}
    if notification_id := _token(metadata.get("noticeId")):
        headers["Message-ID"] = f"<{notification_id}@{domain}>"
    if thread := _token(metadata.get("thread")):
        headers["In-Reply-To"] = headers["References"] = f"<{thread}@{domain}>"
    return headers


def _token(value: object) -> str:
    """What may stand in a message id."""
    return re.sub(r"[^A-Za-z0-9_-]", "", str(value or ""))


def _no_address(address: str) -> Failure:
    return Failure(
        kind=FailureKind.REJECTED_RECIPIENT,
        code="SMTP_NO_ADDRESS",
        message="This is no mail address.",
        advice="Write one such as ops@example.com.",
        recipient=one_line(address, 100),
    )


def _refused(recipient: str, code: int, text: str) -> Failure:
    later = 400 <= code < 500
    return Failure(
        kind=FailureKind.TRANSIENT if later else FailureKind.REJECTED_RECIPIENT,
        code="SMTP_RECIPIENT_LATER" if later else "SMTP_RECIPIENT_REFUSED",
        message=f"The mail server answers {code}: {text}",
        advice=_LATER if later else "Check the address, and whether the mail server may send to it.",
        provider_code=str(code),
        recipient=recipient,
    )


_FAILURES: Final[tuple[tuple[type[Exception], FailureKind, str, str], ...]] = (
    (ssl.SSLEOFError, FailureKind.TRANSIENT, "SMTP_UNREACHABLE", _LATER),
    (
        ssl.SSLError,
        FailureKind.CONFIG,
        "SMTP_TLS",
        "Check the server's certificate, or name its CA in SMTP_URL by ca=, or in JIRA_CA_FILE.",
    ),
    (aiosmtplib.SMTPAuthenticationError, FailureKind.CONFIG, "SMTP_AUTH", "Check user and password in SMTP_URL."),
    (aiosmtplib.SMTPSenderRefused, FailureKind.CONFIG, "SMTP_SENDER_REFUSED", "Check NOTIFY_EMAIL_FROM."),
    (
        aiosmtplib.SMTPDataError,
        FailureKind.PERMANENT,
        "SMTP_REFUSED",
        "The mail server says why it takes no such mail.",
    ),
    (aiosmtplib.SMTPResponseException, FailureKind.CONFIG, "SMTP_REFUSED", _SETTINGS),
    (TimeoutError, FailureKind.TRANSIENT, "SMTP_TIMEOUT", _LATER),
    (OSError, FailureKind.TRANSIENT, "SMTP_UNREACHABLE", f"{_LATER} {_SETTINGS}"),
    (ValueError, FailureKind.PERMANENT, "SMTP_UNFIT", "Report this: the notifier made a mail that cannot be sent."),
    (Exception, FailureKind.CONFIG, "SMTP_SETTINGS", _SETTINGS),
)
"""The first that fits: the library's errors stand on those of the system."""


def failure_of(error: Exception) -> Result:
    """What a failed conversation means."""
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text, provider_code = f"The mail server answers {error.code}: {error.message}", str(error.code)
        if 400 <= error.code < 500:
            return failed(FailureKind.TRANSIENT, "SMTP_LATER", text, _LATER, provider_code=provider_code)
    else:
        text, provider_code = str(cause) or type(cause).__name__, ""
    row = next(row for row in _FAILURES if isinstance(cause, row[0]))
    return failed(row[1], row[2], text, row[3], provider_code=provider_code)
