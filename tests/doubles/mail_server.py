"""A real SMTP server for tests: aiosmtpd with STARTTLS or TLS and AUTH, that keeps what it takes and fails on demand.

Its certificate comes from a CA that lives as long as this process; `MailServer.url` names it.
"""

from __future__ import annotations

import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.addresses import free_port

_FOLDER = TemporaryDirectory(prefix="jdi-ca-")
_CA = trustme.CA()
CA_FILE = Path(_FOLDER.name) / "ca.pem"
_CA.cert_pem.write_to_path(CA_FILE)
USER, PASSWORD = "sender@example.com", "p@ss:word/1"


class Mail(NamedTuple):
    """What the server took."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def body(self, kind: str) -> str:
        """The text of one kind, plain or html; empty when there is none."""
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content())


class MailServer:
    """The handler, and what the test sees of it."""

    def __init__(self, port: int, *, tls: bool, user: str = USER, password: str = PASSWORD) -> None:
        self.port, self._tls, self._user, self._password = port, tls, user, password
        self._mails: list[Mail] = []
        self._lock = threading.Condition()
        self.refusals: dict[str, str] = {}
        """By recipient: the answer to RCPT in place of 250."""
        self.data_answers: list[str] = []
        """The next answers to DATA, each used once, in place of taking the mail."""
        self.greeted = 0

    @property
    def mails(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    @property
    def url(self) -> str:
        return self.url_as(self._user, self._password)

    def url_as(self, user: str, password: str) -> str:
        scheme = "smtps" if self._tls else "smtp"
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{login}@localhost:{self.port}?from=jdi%40example.com&ca={quote(str(CA_FILE))}"

    def wait_for(self, number: int, seconds: float = 60.0) -> list[Mail]:
        """The mails, as soon as there are so many."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._mails) >= number, seconds):
                raise TimeoutError(f"{len(self._mails)} of {number} mails came within {seconds:g} s")
            return list(self._mails)

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greeted += 1
        return responses

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if (answer := self.refusals.get(address)) is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answers:
            return self.data_answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        with self._lock:
            self._mails.append(Mail(str(envelope.mail_from), tuple(envelope.rcpt_tos), message))
            self._lock.notify_all()
            return f"250 2.0.0 OK: queued as Q{len(self._mails)}"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert mechanism in ("PLAIN", "LOGIN")
        assert isinstance(data, LoginPassword)
        fits = (data.login, data.password) == (self._user.encode(), self._password.encode())
        return AuthResult(success=fits, handled=False)


@contextmanager
def mail_server(*, tls: bool = False, user: str = USER, password: str = PASSWORD) -> Iterator[MailServer]:
    """A running server that takes mail over TLS after AUTH alone; by STARTTLS, or from the first byte with `tls`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _CA.issue_cert("localhost").configure_cert(context)
    server = MailServer(free_port(), tls=tls, user=user, password=password)
    # aiosmtpd does not see that a connection is protected from its first byte.
    implicit, starttls = {"ssl_context": context, "auth_require_tls": False}, {"tls_context": context}
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        auth_required=True,
        authenticator=server.authenticate,
        require_starttls=not tls,
        **(implicit if tls else starttls),
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
