"""Email against a real SMTP server: protected, in threads, to each recipient once, with reasons when it fails."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from libs.events import FailureKind
from services.notifier.channels.email import Email
from services.notifier.channels.smtp_address import parse_smtp_url
from services.notifier.delivery.send import Outlet
from services.notifier.message.types import Attachment, Message, Result
from tests.doubles.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.servers.addresses import free_port

TO = ("ops@example.com", "dev@example.com")


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running: MailServer) -> MailServer:
    running.refusals.clear()
    running.data_answers.clear()
    running._mails.clear()
    return running


def send(url: str, message: Message | None = None, to: tuple[str, ...] = TO) -> Result:
    channel = Email(parse_smtp_url(url, allow_insecure=True), sender="Jira notices <jdi@example.com>", recipients=to)
    return asyncio.run(channel.send(message or Message(subject="Hello", text="World")))


def only_failure(result: Result) -> tuple[FailureKind, str, str]:
    assert result.taken == ()
    [failure] = result.failures
    assert failure.advice
    assert PASSWORD not in failure.message
    return failure.kind, failure.code, failure.provider_code


def test_a_mail_arrives_with_both_bodies_and_its_thread(server: MailServer) -> None:
    message = Message(
        subject="Grüße",
        text="Text: ä",
        html="<p>HTML: ä</p>",
        cc=("boss@example.com",),
        bcc=("audit@example.com",),
        attachments=(Attachment(name="log.txt", content_type="text/plain", data=b"lines"),),
        channel_specific_metadata={"noticeId": "n-2", "thread": "n-1", "date": "2026-03-04T12:00:00+00:00"},
    )
    result = send(server.url, message)
    [mail] = server.mails
    assert result == Result(taken=(*TO, "boss@example.com", "audit@example.com"), provider_message_id="Q1")
    assert (mail.sender, mail.recipients) == ("jdi@example.com", result.taken)
    assert (mail.subject, mail.message_id) == ("Grüße", "<n-2@example.com>")
    headers = mail.message
    assert headers["In-Reply-To"] == headers["References"] == "<n-1@example.com>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"] == "Wed, 04 Mar 2026 12:00:00 +0000"
    assert headers["From"] == "Jira notices <jdi@example.com>"
    assert "audit" not in str(headers)
    assert (mail.body("plain").strip(), mail.body("html").strip()) == ("Text: ä", "<p>HTML: ä</p>")
    assert [part.get_filename() for part in headers.iter_attachments()] == ["log.txt"]


def test_tls_from_the_first_byte() -> None:
    with mail_server(tls=True) as server:
        assert send(server.url).taken == TO
        assert len(server.mails) == 1


def test_line_breaks_in_a_subject_are_no_headers(server: MailServer) -> None:
    send(server.url, Message(subject="Hi\r\nBcc: evil@example.com\r\n\r\nBody", text=".\r\nQUIT\r\n"))
    [mail] = server.mails
    assert mail.message["Bcc"] is None
    assert mail.subject == "Hi Bcc: evil@example.com Body"
    assert mail.recipients == TO
    assert mail.body("plain").split() == [".", "QUIT"]


def test_who_is_refused_for_good_and_who_for_now_is_told_apart_from_who_got_it(server: MailServer) -> None:
    server.refusals = {"gone@example.com": "550 5.1.1 no such user", "later@example.com": "451 4.7.1 greylisted"}
    result = send(server.url, to=("ops@example.com", "gone@example.com", "later@example.com"))
    assert result.taken == ("ops@example.com",)
    assert {one.recipient: (one.kind, one.provider_code) for one in result.failures} == {
        "gone@example.com": (FailureKind.REJECTED_RECIPIENT, "550"),
        "later@example.com": (FailureKind.TRANSIENT, "451"),
    }
    assert "no such user" in result.failures[0].message


def test_when_all_are_refused_each_says_why(server: MailServer) -> None:
    server.refusals = dict(zip(TO, ("550 no", "451 later"), strict=True))
    result = send(server.url)
    assert result.taken == ()
    assert [one.kind for one in result.failures] == [FailureKind.REJECTED_RECIPIENT, FailureKind.TRANSIENT]
    assert server.mails == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("451 4.3.0 try later", (FailureKind.TRANSIENT, "SMTP_LATER", "451")),
        ("421 4.3.2 going down", (FailureKind.TRANSIENT, "SMTP_LATER", "421")),
        ("452 4.2.2 mailbox full", (FailureKind.TRANSIENT, "SMTP_LATER", "452")),
        ("552 5.3.4 too big", (FailureKind.PERMANENT, "SMTP_REFUSED", "552")),
        ("554 5.7.1 spam", (FailureKind.PERMANENT, "SMTP_REFUSED", "554")),
    ],
)
def test_a_refused_mail_has_its_reason(answer: str, expected: tuple[FailureKind, str, str], server: MailServer) -> None:
    server.data_answers = [answer]
    assert only_failure(send(server.url)) == expected


def test_a_wrong_password_is_a_matter_of_settings(server: MailServer) -> None:
    assert only_failure(send(server.url_as(USER, "wrong"))) == (FailureKind.CONFIG, "SMTP_AUTH", "535")


def test_a_certificate_that_nobody_trusts_is_refused(server: MailServer) -> None:
    url = server.url.partition("&ca=")[0]
    assert only_failure(send(url))[:2] == (FailureKind.CONFIG, "SMTP_TLS")
    assert server.mails == []


async def scripted(answers: dict[bytes, bytes | None], url: str, heard: list[bytes]) -> Result:
    """Send to a server that answers commands so; None: never. Everything else is fine with it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            heard.append(line)
            command = line.split()[0].upper() if line.strip() else b""
            answer = answers.get(command, b"250 fine")
            if command == b"DATA" and answer is not None:
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            if answer == b"":
                break
            if answer is not None:
                writer.write(answer + b"\r\n")
        writer.close()

    port = free_port()
    async with await asyncio.start_server(talk, "127.0.0.1", port):
        channel = Email(parse_smtp_url(url.format(port=port)), sender="jdi@example.com", recipients=TO)
        return await Outlet({"email": channel}, seconds=0.5).send_message("email", Message(subject="s", text="t"))


async def test_no_password_goes_to_a_server_without_tls() -> None:
    heard: list[bytes] = []
    result = await scripted({b"EHLO": b"250 AUTH PLAIN"}, "smtp://me:secret@127.0.0.1:{port}", heard)
    assert only_failure(result)[:2] == (FailureKind.CONFIG, "SMTP_SETTINGS")
    assert heard
    assert not any(b"AUTH" in line for line in heard)


@pytest.mark.parametrize("command", [b"EHLO", b"MAIL", b"RCPT", b"DATA"])
async def test_a_server_that_falls_silent_is_hung_up_on(command: bytes) -> None:
    """At once: no answer to a goodbye is waited for, which would take longer than this test may."""
    async with asyncio.timeout(15):
        result = await scripted({command: None}, "smtp://127.0.0.1:{port}", [])
    assert only_failure(result)[:2] == (FailureKind.TRANSIENT, "NO_ANSWER")


@pytest.mark.parametrize("goodbye", [b"", b"421 too late", b"nonsense"])
async def test_a_mail_that_was_taken_is_sent_however_the_server_says_goodbye(goodbye: bytes) -> None:
    heard: list[bytes] = []
    assert (await scripted({b"QUIT": goodbye}, "smtp://127.0.0.1:{port}", heard)).taken == TO
    assert b"QUIT\r\n" in heard


def test_a_server_that_is_not_there_may_come_back() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        result = send(f"smtp://localhost:{taken.getsockname()[1]}?from=jdi@example.com")
    assert only_failure(result)[:2] == (FailureKind.TRANSIENT, "SMTP_UNREACHABLE")


def test_an_address_that_is_none_is_refused_without_a_call(server: MailServer) -> None:
    greeted = server.greeted
    result = send(server.url, Message(to=("a@b.example\r\nRCPT TO:<evil@example.com>",), subject="s", text="t"))
    assert [one.code for one in result.failures] == ["SMTP_NO_ADDRESS"]
    assert server.greeted == greeted
