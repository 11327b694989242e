"""Slack and WhatsApp against doubles that hold requests against the documents and answer as the providers do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from libs.events import FailureKind
from services.notifier.channels.slack import Slack
from services.notifier.channels.whatsapp import CODES, WhatsApp
from services.notifier.delivery.send import Outlet
from services.notifier.message.types import Message, Result
from tests.doubles.slack import SlackDouble, slack_double
from tests.doubles.whatsapp import PHONE_NUMBER_ID, TOKEN, WhatsAppDouble, whatsapp_double

K = FailureKind
MESSAGE = Message(
    subject="acme: Suspended payment",
    text="Jira says <no> & more\n\n" + "line\n" * 2000,
    channel_specific_metadata={"noticeId": "n-1", "link": "https://jdi.example.com/", "parameters": ("a", "b\nc", "")},
)
TO = ("+4915112345678", "+4915112345679")


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackDouble]:
    with slack_double() as double:
        yield double


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[WhatsAppDouble]:
    with whatsapp_double() as double:
        yield double


def send_slack(slack: SlackDouble, message: Message = MESSAGE) -> Result:
    return asyncio.run(Slack(slack.url, allow_insecure=True).send(message))


def send_whatsapp(
    whatsapp: WhatsAppDouble, to: tuple[str, ...] = TO[:1], token: str = TOKEN, name: str = "jira_sync_alert"
) -> Result:
    channel = WhatsApp(
        token=token,
        phone_number_id=PHONE_NUMBER_ID,
        recipients=to,
        template=name,
        language="en",
        base_url=whatsapp.url,
        allow_insecure=True,
    )
    return asyncio.run(channel.send(MESSAGE))


def test_slack_takes_a_message_with_blocks_and_a_text(slack: SlackDouble) -> None:
    before = len(slack.taken)
    assert send_slack(slack) == Result(taken=("Slack webhook",))
    assert slack.refused == []
    body = slack.taken[before].body
    assert body["text"].startswith("acme: Suspended payment\nJira says &lt;no&gt; &amp; more")
    assert body["blocks"][-1]["elements"][-1]["text"] == "<https://jdi.example.com/|Open the console>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (400, "invalid_payload", {}, (K.PERMANENT, "SLACK_INVALID", "invalid_payload", None)),
        (403, "action_prohibited", {}, (K.CONFIG, "SLACK_FORBIDDEN", "action_prohibited", None)),
        (404, "no_service", {}, (K.CONFIG, "SLACK_NO_WEBHOOK", "no_service", None)),
        (404, "channel_not_found", {}, (K.CONFIG, "SLACK_NO_WEBHOOK", "channel_not_found", None)),
        (410, "channel_is_archived", {}, (K.CONFIG, "SLACK_ARCHIVED", "channel_is_archived", None)),
        (429, "rate_limited", {"Retry-After": "30"}, (K.RATE_LIMITED, "SLACK_RATE_LIMIT", "rate_limited", 30.0)),
        (429, "", {"Retry-After": "soon"}, (K.RATE_LIMITED, "SLACK_RATE_LIMIT", "", None)),
        (500, "rollup_error", {}, (K.TRANSIENT, "SLACK_DOWN", "rollup_error", None)),
        (503, "<html>", {}, (K.TRANSIENT, "SLACK_DOWN", "<html>", None)),
        (302, "", {"Location": "http://127.0.0.1:1/"}, (K.CONFIG, "SLACK_REFUSED", "302", None)),
    ],
)
def test_what_slack_answers_has_a_meaning(
    slack: SlackDouble, status: int, body: str, headers: dict[str, str], expected: tuple[object, ...]
) -> None:
    slack.plan(status, body, headers=headers)
    [failure] = send_slack(slack).failures
    assert (failure.kind, failure.code, failure.provider_code, failure.retry_after) == expected
    assert failure.advice


def test_whatsapp_takes_a_template_for_each_number(whatsapp: WhatsAppDouble) -> None:
    before = len(whatsapp.taken)
    result = send_whatsapp(whatsapp, TO)
    assert (result.taken, result.failures, whatsapp.refused) == (TO, (), [])
    assert sorted(result.provider_message_id.split()) == [f"wamid.{before + 1}", f"wamid.{before + 2}"]
    assert whatsapp.messages[before] == ["a", "b c", "-"]
    assert whatsapp.taken[before].body["biz_opaque_callback_data"] == "n-1"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 190, K.CONFIG),
        (403, 10, K.CONFIG),
        (403, 200, K.CONFIG),
        (403, 299, K.CONFIG),
        (400, 131026, K.REJECTED_RECIPIENT),
        (400, 131030, K.REJECTED_RECIPIENT),
        (402, 131042, K.CONFIG),
        (400, 132000, K.CONFIG),
        (404, 132001, K.CONFIG),
        (400, 132012, K.CONFIG),
        (400, 132015, K.CONFIG),
        (400, 132016, K.CONFIG),
        (400, 131047, K.CONFIG),
        (429, 4, K.RATE_LIMITED),
        (429, 80007, K.RATE_LIMITED),
        (429, 130429, K.RATE_LIMITED),
        (400, 131056, K.RATE_LIMITED),
        (500, 131000, K.TRANSIENT),
        (503, 131016, K.TRANSIENT),
        (500, 131057, K.TRANSIENT),
        (500, 999_999, K.TRANSIENT),
        (400, 999_999, K.PERMANENT),
    ],
)
def test_metas_codes_have_a_meaning(whatsapp: WhatsAppDouble, status: int, code: int, kind: FailureKind) -> None:
    whatsapp.plan_error(status, code, "the details")
    [failure] = send_whatsapp(whatsapp).failures
    assert (failure.kind, failure.provider_code, failure.recipient) == (kind, str(code), TO[0])
    assert "the details" in failure.message
    assert failure.advice


def test_every_code_of_the_table_has_an_advice() -> None:
    assert all(code.startswith("WHATSAPP_") and advice for _, code, advice in CODES.values())


def test_the_double_refuses_what_meta_refuses(whatsapp: WhatsAppDouble) -> None:
    [failure] = send_whatsapp(whatsapp, token="wrong").failures
    assert (failure.code, failure.provider_code) == ("WHATSAPP_TOKEN", "190")
    [failure] = send_whatsapp(whatsapp, name="other").failures
    assert (failure.code, failure.provider_code) == ("WHATSAPP_TEMPLATE", "132001")


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"messages": []}', '{"error": "x"}'])
def test_an_answer_without_an_id_is_no_success(whatsapp: WhatsAppDouble, body: str) -> None:
    whatsapp.plan(200, body)
    [failure] = send_whatsapp(whatsapp).failures
    assert failure.kind is K.TRANSIENT


def test_one_number_may_fail_and_another_not(whatsapp: WhatsAppDouble) -> None:
    whatsapp.plan_error(400, 131026)
    result = send_whatsapp(whatsapp, TO)
    assert len(result.taken) == len(result.failures) == 1
    assert {*result.taken, result.failures[0].recipient} == set(TO)


def test_a_number_that_is_none_is_refused_without_a_call(whatsapp: WhatsAppDouble) -> None:
    before = len(whatsapp.taken)
    [failure] = send_whatsapp(whatsapp, ("../evil",)).failures
    assert failure.kind is K.REJECTED_RECIPIENT
    assert len(whatsapp.taken) == before


async def test_a_provider_that_hangs_is_cut_off(slack: SlackDouble) -> None:
    slack.plan(200, "ok", delay=5.0)
    outlet = Outlet({"slack": Slack(slack.url, allow_insecure=True)}, seconds=0.1)
    [failure] = (await outlet.send_message("slack", MESSAGE)).failures
    assert (failure.kind, failure.code) == (K.TRANSIENT, "NO_ANSWER")
