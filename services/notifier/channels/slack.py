"""Slack, by an incoming webhook: one address, one channel of Slack."""

import dataclasses
from typing import Any, Final

from libs.events import FailureKind
from libs.runtime import Secret, setting
from libs.runtime.network.way_out import WayOut
from services.notifier.channels.settings import ChannelSettings
from services.notifier.delivery.egress import DIRECT, Answer, checked_address, post
from services.notifier.message.types import Message, Result, failed
from services.notifier.text import clean, one_line

HEADER_LIMIT: Final = 150
SECTION_LIMIT: Final = 3000
SECTIONS: Final = 20
"""Sections of a message; Slack takes fifty blocks in all."""
FALLBACK_LIMIT: Final = 4000

_NEW_WEBHOOK: Final = "Make a new incoming webhook in Slack and put its address into SLACK_WEBHOOK_URL."
_ERRORS: Final = {
    400: (FailureKind.PERMANENT, "SLACK_INVALID", "Report this: Slack does not take what the notifier sends."),
    403: (FailureKind.CONFIG, "SLACK_FORBIDDEN", "Ask an administrator of the Slack workspace to allow the webhook."),
    404: (FailureKind.CONFIG, "SLACK_NO_WEBHOOK", _NEW_WEBHOOK),
    410: (FailureKind.CONFIG, "SLACK_ARCHIVED", f"The channel is archived. {_NEW_WEBHOOK}"),
}
_LATER: Final = "It is tried again. If this stays, see status.slack.com."


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlackSettings(ChannelSettings):
    """Settings of Slack."""

    slack_webhook_url: Secret | None = setting(  # noqa: RUF009 - makes a field
        "SLACK_WEBHOOK_URL", None, why="an incoming webhook of Slack"
    )


class Slack:
    """The channel."""

    recipients: tuple[str, ...] = ("Slack webhook",)

    def __init__(self, webhook_url: str, *, allow_insecure: bool = False, way: WayOut = DIRECT) -> None:
        self._url, self._allow_insecure, self._way = webhook_url, allow_insecure, way

    async def send(self, message: Message) -> Result:
        """Post it. Slack says `ok` and no id; the notification's id stands in the message."""
        answer = await post(self._url, payload_of(message), allow_insecure=self._allow_insecure, way=self._way)
        return answer if isinstance(answer, Result) else result_of(answer)


def from_settings(settings: SlackSettings) -> Slack | None:
    """The channel as it is set up; None when it is not.

    Raises:
        ValueError: its address cannot be one of Slack.
    """
    url, allow_insecure = settings.slack_webhook_url, settings.allow_insecure
    if url is None:
        return None
    address = checked_address("SLACK_WEBHOOK_URL", url, allow_insecure=allow_insecure)
    return Slack(address, allow_insecure=allow_insecure, way=settings)


def payload_of(message: Message) -> dict[str, Any]:
    """The webhook's JSON: blocks, and a text for notifications and old clients."""
    metadata = message.channel_specific_metadata
    sections = _sections(escaped(message.text))
    if message.attachments:
        names = ", ".join(attachment.name for attachment in message.attachments)
        sections.append(_section(escaped(one_line(f"Attachments, by email only: {names}", 500))))
    foot = [one_line(f"Notice {metadata.get('noticeId', '-')}", 200)]
    if link := str(metadata.get("link", "")):
        foot.append(f"<{escaped(link)}|Open the console>")
    return {
        "text": clean(escaped(f"{message.subject}\n{message.text}"), FALLBACK_LIMIT),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": one_line(message.subject, HEADER_LIMIT) or "-"}},
            *sections,
            {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in foot]},
        ],
    }


def escaped(text: str) -> str:
    """The three characters that mean something to Slack: what is left can name nobody and link nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sections(text: str) -> list[dict[str, Any]]:
    room = SECTION_LIMIT - 20
    parts: list[str] = []
    for paragraph in text.split("\n\n"):
        pieces = [paragraph[start : start + room] for start in range(0, len(paragraph), room)]
        for piece in pieces:
            if parts and len(parts[-1]) + len(piece) + 2 <= room:
                parts[-1] += f"\n\n{piece}"
            else:
                parts.append(piece)
    if len(parts) > SECTIONS:
        parts = [*parts[: SECTIONS - 1], "… [cut: the rest is in the console]"]
    return [_section(part) for part in parts if part.strip()]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def result_of(answer: Answer) -> Result:
    """What Slack's answer means: a word in the body, and a status."""
    word = one_line(answer.body, 100)
    if answer.status == 200:
        return Result(taken=Slack.recipients)
    text = f"Slack answers {answer.status}: {word or 'nothing'}"
    if answer.status == 429:
        return failed(
            FailureKind.RATE_LIMITED,
            "SLACK_RATE_LIMIT",
            text,
            _LATER,
            provider_code=word,
            retry_after=answer.retry_after,
        )
    if answer.status >= 500 or answer.status == 408:
        return failed(
            FailureKind.TRANSIENT, "SLACK_DOWN", text, _LATER, provider_code=word, retry_after=answer.retry_after
        )
    kind, code, advice = _ERRORS.get(answer.status, (FailureKind.CONFIG, "SLACK_REFUSED", _NEW_WEBHOOK))
    return failed(kind, code, text, advice, provider_code=word or str(answer.status))
