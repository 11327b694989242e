"""Notifications in words: safe whatever Jira's users wrote, and of use to who reads them."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import AlertEnd, NotificationReason
from services.notifier.channels.email import mail_of
from services.notifier.channels.slack import payload_of
from services.notifier.channels.whatsapp import payload_of as whatsapp_payload_of
from services.notifier.fold import fold
from services.notifier.message.render import render
from services.notifier.message.types import Message
from services.notifier.state import Alert, Notification, State
from services.notifier.text import clean, one_line
from tests.doubles.slack import problems_of
from tests.doubles.whatsapp import problem_of
from tests.unit.made.alerts import THEN, at, raised, resolved

anything = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }} {% raise %}",
        "Subject\r\nBcc: all@example.com",
        "a\u2028b\u2029c\x85d\x0be",
        "\ud800 lone",
        "<!channel> <@U123> <https://evil.example|here>",
        "&lt;b&gt; & </p>",
        "@import url(http://evil.example/x.css)",
    ]
)


def alert(end: bool = False, **fields: str) -> Alert:
    event = raised("a", code="SUSPENDED_PAYMENT")
    state = fold(State(), event)
    if end:
        state = fold(state, resolved(event, at(hours=2, minutes=13), AlertEnd.RECOVERED))
    return msgspec.structs.replace(state.alerts[event.alert_id], **fields)


def notification(
    *alerts: Alert, reason: NotificationReason = NotificationReason.FIRST, **fields: object
) -> Notification:
    made = Notification(notification_id="5f1c", channel="email", reason=reason, site="acme", at=THEN, alerts=alerts)
    return msgspec.structs.replace(made, **fields)


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"{tag} {sorted(name for name, _ in attrs)}")

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(deadline=None)
@given(anything, anything, anything, anything, st.booleans())
def test_no_text_changes_what_a_message_is(project: str, message: str, advice: str, site: str, end: bool) -> None:
    strange = alert(end, project=project or "P", message=message, advice=f"do {advice}", docs=message)
    plain = alert(end, project="P", message="plain", advice="plain", docs="")
    made = render(notification(strange, site=site, thread=message, remarks=(advice,)), "https://jdi.example.com")
    usual = render(notification(plain, site="acme", remarks=("plain",)), "https://jdi.example.com")

    assert Tags(made.html).found == Tags(usual.html).found
    mail = mail_of(made, "jdi@example.com", ("ops@example.com",)).as_bytes()
    head, _, _ = mail.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert b"Bcc" not in names
    assert len(names) == len(set(names))
    assert problems_of(payload_of(made)) == []
    assert problem_of(whatsapp_payload_of(made, "+4915112345678", "jira_sync_alert", "en")) == ""


def test_a_notification_says_where_what_why_and_what_to_do() -> None:
    shown = alert()
    made = render(notification(shown), "https://jdi.example.com/")
    assert made.subject == "acme: Suspended payment (ALPHA)"
    for text in (made.text, Tags(made.html).text):
        assert "Jira answered with SUSPENDED_PAYMENT." in text
        assert "Ask the billing admin" in text
        assert "Since 2026-03-04 12:00 UTC" in text
    assert f'href="https://jdi.example.com/console/#/alert/{shown.alert_id}"' in made.html
    assert "<style" not in made.html
    assert "#c9372c" in made.html, "the colour of what is critical is in the line itself"


def test_the_end_says_how_long_it_took_and_how_many_runs_failed() -> None:
    made = render(notification(alert(end=True), reason=NotificationReason.RESOLVED, thread="first"), "")
    assert made.subject == "Resolved: acme: Suspended payment (ALPHA), after 2 h 13 min"
    assert "It works again." in made.text
    assert "2 h 13 min, 7 runs" in made.text
    assert "href" not in made.html


def test_many_alerts_are_counted() -> None:
    alerts = [alert(project=f"P{number:02}") for number in range(40)]
    made = render(notification(*alerts), "https://jdi.example.com")
    assert 'href="https://jdi.example.com/console/#/alerts"' in made.html
    assert made.subject == "acme: Suspended payment (P00, P01, P02 and 37 more)"
    assert "40 alerts; the first 25 follow." in made.text
    assert made.text.count("What to do:") == 25


def test_ten_megabytes_of_text_are_cut_and_said_to_be() -> None:
    event = raised("a", message="x" * 10_000_000, advice="<" * 10_000_000)
    kept = fold(State(), event).alerts[event.alert_id]
    assert "[cut: 10,000,000 characters in all]" in kept.message
    made = render(notification(kept), "")
    assert len(made.text) < 10_000
    assert len(made.html) < 100_000


@pytest.mark.parametrize(
    "docs", ["javascript:alert(1)", "data:text/html,x", 'https://x"onclick=', "https://[", "ftp://x"]
)
def test_only_web_addresses_are_linked(docs: str) -> None:
    assert "Read more" not in render(notification(alert(docs=docs)), "").html
    made = render(notification(alert(docs="https://x.example/y?a=1&b=2")), "")
    assert 'href="https://x.example/y?a=1&amp;b=2"' in made.html


def test_a_test_notification_says_that_it_is_one() -> None:
    made = render(notification(reason=NotificationReason.TEST, to=("me@example.com",)), "")
    assert (made.subject, made.to) == ("acme: test notice", ("me@example.com",))
    assert "This is a test" in made.text
    assert problem_of(whatsapp_payload_of(made, "4915112345678", "jira_sync_alert", "en")) == ""


@given(st.text(st.characters(), max_size=300), st.integers(60, 200))
def test_texts_stay_within_their_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    line.encode()


def test_the_contract_reads_as_documented() -> None:
    fields = set(msgspec.to_builtins(Message(subject="s", text="t")))
    assert fields == {"to", "cc", "bcc", "from", "subject", "text", "html", "attachments", "channelSpecificMetadata"}


def test_an_alert_of_a_site_names_the_site_and_no_runs() -> None:
    message = render(notification(alert(project="", code="FOREIGN_MESSAGE", site="acme")), "")
    assert message.subject == "acme: Foreign message"
    assert "site acme: Foreign message" in message.text
    assert " run" not in message.text
