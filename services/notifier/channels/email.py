"""Email, by any SMTP server.

One connection a message: notifications are rare, and a connection that is kept is found dead when it matters.
"""

import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Any, Final

import aiosmtplib

from libs.events import FailureKind
from services.notifier.channels.smtp_address import SmtpAddress, is_mail_address
from services.notifier.message.types import Failure, Message, Result, failed
from services.notifier.text import clean, one_line

if TYPE_CHECKING:
    from services.notifier.settings import Settings

SUBJECT_LIMIT: Final = 200
SECONDS: Final = 25.0
"""For each step of the conversation; the whole of it has a deadline of its own."""
QUIT_SECONDS: Final = 2.0
_QUEUED: Final = re.compile(r"(?:queued as|id=)\s*<?([\w.@-]+)", re.IGNORECASE)
_LATER: Final = "It is tried again. If this stays, ask who runs the mail server."
_SETTINGS: Final = "Check host, port and starttls in SMTP_URL."


class Email:
    """The channel."""

    def __init__(self, server: SmtpAddress, *, sender: str, recipients: tuple[str, ...]) -> None:
        self.recipients = recipients
        self._server, self._sender = server, sender
        self._tls = ssl.create_default_context(cafile=server.ca)

    async def send(self, message: Message) -> Result:
        """Send to everybody at once; the server answers for each."""
        wanted = tuple(dict.fromkeys((*(message.to or self.recipients), *message.cc, *message.bcc)))
        good = [address for address in wanted if is_mail_address(address)]
        bad = [_no_address(address) for address in wanted if address not in good]
        if not good:
            return Result(failures=tuple(bad))
        sender = message.sender or self._sender
        mail = mail_of(message, sender, message.to or self.recipients)
        try:
            async with self._connected() as connection:
                refused, said = await connection.sendmail(parseaddr(sender)[1], good, mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusals = tuple(_refused(one.recipient, one.code, one.message) for one in error.recipients)
            return Result(failures=(*bad, *refusals))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return failure_of(error)
        # Where the server takes a message for some, nothing is raised: whom it refused stands in its answer alone.
        failures = [*bad, *(_refused(address, code, text) for address, (code, text) in refused.items())]
        taken = tuple(address for address in good if address not in refused)
        queued = _QUEUED.search(said)
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


def from_settings(settings: "Settings") -> Email | None:
    """The channel as it is set up; None when it is not."""
    if settings.smtp is None:
        return None
    return Email(settings.smtp, sender=settings.sender, recipients=settings.email_to)


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
        "Check the server's certificate, or name its CA in SMTP_URL by ca=.",
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
        said, provider_code = f"The mail server answers {error.code}: {error.message}", str(error.code)
        if 400 <= error.code < 500:
            return failed(FailureKind.TRANSIENT, "SMTP_LATER", said, _LATER, provider_code=provider_code)
    else:
        said, provider_code = str(cause) or type(cause).__name__, ""
    row = next(row for row in _FAILURES if isinstance(cause, row[0]))
    return failed(row[1], row[2], said, row[3], provider_code=provider_code)
