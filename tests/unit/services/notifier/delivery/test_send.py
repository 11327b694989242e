"""The one way out: bounded, redacted, and never an exception."""

from __future__ import annotations

import pytest

from libs.events import FailureKind
from services.notifier.delivery.send import ATTACHMENTS_LIMIT, HTML_LIMIT, TEXT_LIMIT, Outlet
from services.notifier.message.types import Attachment, Message, Result, failed

SECRET = "https://hooks.example.com/T0/B0/hush"


class Recorder:
    """A channel that keeps what it is given, and answers or raises as told."""

    recipients: tuple[str, ...] = ("somebody",)

    def __init__(self, answer: Result | Exception | None = None) -> None:
        self.answer = answer or Result(taken=self.recipients)
        self.sent: list[Message] = []

    async def send(self, message: Message) -> Result:
        self.sent.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_channel_that_is_not_set_up_says_what_to_do() -> None:
    [failure] = (await Outlet({}).send_message("pager\r\n", Message(subject="s", text="t"))).failures
    assert (failure.kind, failure.code) == (FailureKind.CONFIG, "NOT_CONFIGURED")
    assert "'pager'" in failure.message
    assert "docs/notifications.md" in failure.advice


async def test_long_texts_are_cut_with_a_note_and_long_html_is_left_out() -> None:
    channel = Recorder()
    payload = Message(subject="s" * 1000, text="t" * 10_000_000, html="h" * (HTML_LIMIT + 1))
    assert (await Outlet({"x": channel}).send_message("x", payload)).taken == ("somebody",)
    [sent] = channel.sent
    assert (len(sent.subject), len(sent.text), sent.html) == (200, TEXT_LIMIT, "")
    assert sent.text.endswith("[cut: 10,000,000 characters in all]")


async def test_large_attachments_and_crowds_are_refused() -> None:
    channel = Recorder()
    outlet = Outlet({"x": channel})
    large = Attachment(name="x", content_type="text/plain", data=b"x" * (ATTACHMENTS_LIMIT + 1))
    for payload in (
        Message(subject="s", text="t", attachments=(large,)),
        Message(subject="s", text="t", to=("a@example.com",) * 101),
    ):
        [failure] = (await outlet.send_message("x", payload)).failures
        assert failure.kind is FailureKind.PERMANENT
    assert channel.sent == []


@pytest.mark.parametrize(
    "answer",
    [
        failed(FailureKind.CONFIG, "X", f"404 at {SECRET} with Bearer abc.def\r\nX-Evil: 1", "advice"),
        RuntimeError(f"no route to {SECRET} with Bearer abc.def\r\n"),
    ],
)
async def test_a_failure_shows_no_secret_and_is_one_line(answer: Result | Exception) -> None:
    outlet = Outlet({"x": Recorder(answer)}, secrets=(SECRET, ""))
    [failure] = (await outlet.send_message("x", Message(subject="s", text="t"))).failures
    assert "hush" not in failure.message
    assert "abc" not in failure.message
    assert "***" in failure.message
    assert len(failure.message.splitlines()) == 1
