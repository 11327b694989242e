"""WhatsApp, by Meta's Cloud API and an approved template: whoever begins a conversation may send nothing else.

Accepted is not delivered: what becomes of a message later is reported to a webhook of the WhatsApp account alone.
"""

import asyncio
import dataclasses
import re
from typing import Any, Final
from urllib.parse import quote

import msgspec

from libs.events import FailureKind
from libs.runtime import Secret, setting
from libs.runtime.network.way_out import WayOut
from services.notifier.channels.settings import ChannelSettings
from services.notifier.delivery.egress import DIRECT, Answer, checked_address, post
from services.notifier.message.types import Message, Result, failed
from services.notifier.text import one_line

GRAPH_API: Final = "https://graph.facebook.com/v23.0"
PARAMETER_LIMIT: Final = 300
NUMBER: Final = re.compile(r"\+?[1-9]\d{6,14}")

_TOKEN: Final = "Make a new token of a system user in Meta's business settings and put it into WHATSAPP_TOKEN."  # noqa: S105
_PERMISSION: Final = "Give the token the permission whatsapp_business_messaging for this phone number."
_TEMPLATE: Final = "Check that WHATSAPP_TEMPLATE is approved in WHATSAPP_LANGUAGE, with three variables in its body."
_PAYMENT: Final = "Settle the payment of the WhatsApp Business account."
_LATER: Final = "It is tried again. If this stays, see metastatus.com."
_RECIPIENT: Final = "Check the number in WHATSAPP_TO: it must use WhatsApp and have accepted its terms."

CODES: Final[dict[int, tuple[FailureKind, str, str]]] = {
    0: (FailureKind.CONFIG, "WHATSAPP_TOKEN", _TOKEN),
    190: (FailureKind.CONFIG, "WHATSAPP_TOKEN", _TOKEN),
    3: (FailureKind.CONFIG, "WHATSAPP_PERMISSION", _PERMISSION),
    10: (FailureKind.CONFIG, "WHATSAPP_PERMISSION", _PERMISSION),
    33: (FailureKind.CONFIG, "WHATSAPP_PHONE_NUMBER", "Check WHATSAPP_PHONE_NUMBER_ID."),
    131005: (FailureKind.CONFIG, "WHATSAPP_PERMISSION", _PERMISSION),
    131031: (FailureKind.CONFIG, "WHATSAPP_LOCKED", "Meta has locked the WhatsApp account: see its business settings."),
    368: (
        FailureKind.CONFIG,
        "WHATSAPP_LOCKED",
        "Meta has restricted the WhatsApp account: see its business settings.",
    ),
    131042: (FailureKind.CONFIG, "WHATSAPP_PAYMENT", _PAYMENT),
    132000: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132001: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132005: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132007: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132012: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132015: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    132016: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    131047: (FailureKind.CONFIG, "WHATSAPP_TEMPLATE", _TEMPLATE),
    131026: (FailureKind.REJECTED_RECIPIENT, "WHATSAPP_UNDELIVERABLE", _RECIPIENT),
    131030: (
        FailureKind.REJECTED_RECIPIENT,
        "WHATSAPP_NOT_ALLOWED",
        "A test number sends to listed recipients only: add this one in Meta's developer console.",
    ),
    131021: (FailureKind.REJECTED_RECIPIENT, "WHATSAPP_OWN_NUMBER", "WHATSAPP_TO is the sender's own number."),
    4: (FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER),
    80007: (FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER),
    130429: (FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER),
    131048: (FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER),
    131056: (FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER),
    1: (FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER),
    2: (FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER),
    131000: (FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER),
    131016: (FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER),
    131057: (FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER),
}
"""Meta's codes; its titles change, its codes do not."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WhatsAppSettings(ChannelSettings):
    """Settings of WhatsApp."""

    whatsapp_token: Secret | None = setting(  # noqa: RUF009 - makes a field
        "WHATSAPP_TOKEN", None, why="a token of Meta's Cloud API"
    )
    whatsapp_phone_number_id: str = setting("WHATSAPP_PHONE_NUMBER_ID", "", why="the number that sends, by Meta's id")
    whatsapp_to: tuple[str, ...] = setting("WHATSAPP_TO", (), unit="numbers, with commas", why="who gets the messages")
    whatsapp_template: str = setting("WHATSAPP_TEMPLATE", "jira_sync_alert", why="name of the approved template")
    whatsapp_language: str = setting("WHATSAPP_LANGUAGE", "en", why="language in which the template is approved")
    whatsapp_base_url: str = setting("WHATSAPP_BASE_URL", GRAPH_API, why="where Meta's Cloud API is")


class ErrorData(msgspec.Struct, frozen=True):
    details: str = ""


class Error(msgspec.Struct, frozen=True):
    code: int = -1
    message: str = ""
    error_data: ErrorData = ErrorData()


class Accepted(msgspec.Struct, frozen=True):
    id: str


class Body(msgspec.Struct, frozen=True):
    """What matters of an answer."""

    error: Error | None = None
    messages: tuple[Accepted, ...] = ()


class WhatsApp:
    """The channel."""

    def __init__(
        self,
        *,
        token: str,
        phone_number_id: str,
        recipients: tuple[str, ...],
        template: str,
        language: str,
        base_url: str,
        allow_insecure: bool = False,
        way: WayOut = DIRECT,
    ) -> None:
        self.recipients = recipients
        self._url = f"{base_url.rstrip('/')}/{quote(phone_number_id, safe='')}/messages"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._template, self._language, self._allow_insecure = template, language, allow_insecure
        self._way = way

    async def send(self, message: Message) -> Result:
        """One call a recipient: some may get it and others not."""
        numbers = message.to or self.recipients
        results = await asyncio.gather(*(self._send_to(number, message) for number in numbers))
        return Result(
            taken=tuple(number for one in results for number in one.taken),
            failures=tuple(failure for one in results for failure in one.failures),
            provider_message_id=" ".join(one.provider_message_id for one in results if one.provider_message_id),
        )

    async def _send_to(self, number: str, message: Message) -> Result:
        if not NUMBER.fullmatch(number):
            kind = FailureKind.REJECTED_RECIPIENT
            return failed(kind, "WHATSAPP_NO_NUMBER", "no number", _RECIPIENT, recipient=number)
        payload = payload_of(message, number, self._template, self._language)
        answer = await post(
            self._url, payload, headers=self._headers, allow_insecure=self._allow_insecure, way=self._way
        )
        if isinstance(answer, Result):
            return Result(failures=tuple(msgspec.structs.replace(one, recipient=number) for one in answer.failures))
        return result_of(answer, number)


def from_settings(settings: WhatsAppSettings) -> WhatsApp | None:
    """The channel as it is set up; None when it is not.

    Raises:
        ValueError: it is set up wrongly, in one line.
    """
    if settings.whatsapp_token is None:
        return None
    if not settings.whatsapp_phone_number_id or not settings.whatsapp_to:
        raise ValueError("WHATSAPP_TOKEN is set, so WHATSAPP_PHONE_NUMBER_ID and WHATSAPP_TO are needed, too")
    for number in settings.whatsapp_to:
        if not NUMBER.fullmatch(number):
            raise ValueError(f"WHATSAPP_TO: {number!r} is no number with its country, such as +4915112345678")
    base_url = checked_address("WHATSAPP_BASE_URL", settings.whatsapp_base_url, allow_insecure=settings.allow_insecure)
    return WhatsApp(
        token=settings.whatsapp_token,
        phone_number_id=settings.whatsapp_phone_number_id,
        recipients=tuple(dict.fromkeys(settings.whatsapp_to)),
        template=settings.whatsapp_template,
        language=settings.whatsapp_language,
        base_url=base_url,
        allow_insecure=settings.allow_insecure,
        way=settings,
    )


def payload_of(message: Message, number: str, template: str, language: str) -> dict[str, Any]:
    """The call's JSON. `biz_opaque_callback_data` comes back with every later report on this message."""
    metadata = message.channel_specific_metadata
    given = metadata.get("parameters") or (message.subject, message.text, "-")
    parameters = [{"type": "text", "text": one_line(str(text), PARAMETER_LIMIT) or "-"} for text in given]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": number.removeprefix("+"),
        "type": "template",
        "template": {
            "name": template,
            "language": {"code": language},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": one_line(str(metadata.get("noticeId", "")), 100),
    }


def result_of(answer: Answer, number: str) -> Result:
    """What Meta's answer means: its code, whatever the status."""
    try:
        body = msgspec.json.decode(answer.body, type=Body)
    except msgspec.DecodeError:
        body = Body()
    if answer.status == 200 and body.messages:
        return Result(taken=(number,), provider_message_id=body.messages[0].id)
    error = body.error or Error()
    kind, code, advice = CODES.get(error.code) or _by_status(error.code, answer.status)
    details = error.error_data.details or error.message or "no reason"
    text = f"WhatsApp answers {answer.status}: {details}"
    provider_code = str(error.code) if error.code >= 0 else str(answer.status)
    return failed(
        kind, code, text, advice, provider_code=provider_code, retry_after=answer.retry_after, recipient=number
    )


def _by_status(code: int, status: int) -> tuple[FailureKind, str, str]:
    if 200 <= code < 300:
        return FailureKind.CONFIG, "WHATSAPP_PERMISSION", _PERMISSION
    if status == 429:
        return FailureKind.RATE_LIMITED, "WHATSAPP_RATE_LIMIT", _LATER
    if status >= 500 or status in (200, 408):
        return FailureKind.TRANSIENT, "WHATSAPP_DOWN", _LATER
    if status in (401, 403):
        return FailureKind.CONFIG, "WHATSAPP_TOKEN", _TOKEN
    return FailureKind.PERMANENT, "WHATSAPP_REFUSED", "Look the code up in Meta's list of Cloud API error codes."
