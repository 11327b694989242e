"""The values the notifier needs, from the environment. A channel is set up when its first variable is there."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from libs.runtime import Secret, addresses, setting
from services.notifier.channels.smtp_address import (
    SmtpAddress,
    checked_recipients,
    checked_sender,
    is_mail_address,
    parse_smtp_url,
)
from services.notifier.channels.table import CHANNELS
from services.notifier.channels.whatsapp import NUMBER
from services.notifier.delivery.egress import checked_address
from services.notifier.policy.file import VARIABLE, parse_policy
from services.notifier.policy.rules import DEFAULT, Policy

GRAPH_API: Final = "https://graph.facebook.com/v23.0"


def _policy(text: str) -> Policy:
    return parse_policy(text, frozenset(CHANNELS))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the notifier.

    Raises:
        ValueError: with a line for everything that is wrong with a channel.
    """

    smtp_url: Secret | None = setting("SMTP_URL", None, why="the mail server; without it there is no email")
    email_to: tuple[str, ...] = setting("NOTIFY_EMAIL_TO", (), unit="addresses, with commas", why="who gets the mails")
    email_from: str = setting("NOTIFY_EMAIL_FROM", "", why="the sender, unless SMTP_URL names one by from=")
    slack_webhook_url: Secret | None = setting("SLACK_WEBHOOK_URL", None, why="an incoming webhook of Slack")
    whatsapp_token: Secret | None = setting("WHATSAPP_TOKEN", None, why="a token of Meta's Cloud API")
    whatsapp_phone_number_id: str = setting("WHATSAPP_PHONE_NUMBER_ID", "", why="the number that sends, by Meta's id")
    whatsapp_to: tuple[str, ...] = setting("WHATSAPP_TO", (), unit="numbers, with commas", why="who gets the messages")
    whatsapp_template: str = setting("WHATSAPP_TEMPLATE", "jira_sync_alert", why="name of the approved template")
    whatsapp_language: str = setting("WHATSAPP_LANGUAGE", "en", why="language in which the template is approved")
    whatsapp_base_url: str = setting("WHATSAPP_BASE_URL", GRAPH_API, why="where Meta's Cloud API is")
    policy_table: Policy = setting(VARIABLE, DEFAULT, parse=_policy, why="who is told what, as TOML")
    group_wait: float | None = setting("NOTIFY_GROUP_WAIT_SECONDS", None, unit="s", why="over the policy's")
    critical_wait: float | None = setting("NOTIFY_CRITICAL_WAIT_SECONDS", None, unit="s", why="over the policy's")
    group_interval: float | None = setting("NOTIFY_GROUP_INTERVAL_SECONDS", None, unit="s", why="over the policy's")
    repeat: float | None = setting("NOTIFY_REPEAT_SECONDS", None, unit="s", why="over the policy's")
    send_timeout: float = setting("NOTIFY_SEND_TIMEOUT_SECONDS", 30.0, unit="s", why="a provider may take so long")
    heartbeat_url: Secret | None = setting(
        "NOTIFY_HEARTBEAT_URL", None, why="a dead man's switch that is called while notices would get out"
    )
    heartbeat_seconds: float = setting("NOTIFY_HEARTBEAT_SECONDS", 300.0, unit="s", why="between two of these calls")
    allow_insecure: bool = setting(
        "NOTIFY_ALLOW_INSECURE", False, why="allow http, private addresses and passwords in the clear; for tests only"
    )
    public_url: str = setting("JDI_PUBLIC_URL", "", why="where people reach the console; notices link there")
    nats_url: str = addresses.nats_url()
    database_url: str = addresses.database_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()

    smtp: SmtpAddress | None = dataclasses.field(init=False, default=None)
    sender: str = dataclasses.field(init=False, default="")
    policy: Policy = dataclasses.field(init=False, default=DEFAULT)

    def __post_init__(self) -> None:
        problems: list[str] = []
        for derive in (self._mail, self._slack, self._whatsapp, self._times, self._heartbeat, self._links):
            try:
                for name, value in derive():
                    object.__setattr__(self, name, value)
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise ValueError("\n".join(problems))

    def _mail(self) -> Iterator[tuple[str, Any]]:
        if self.smtp_url is None:
            if self.email_to:
                raise ValueError("SMTP_URL is not set, but NOTIFY_EMAIL_TO is; set both for email, or none")
            return
        if not self.email_to:
            raise ValueError("NOTIFY_EMAIL_TO is not set, but SMTP_URL is; set both for email, or none")
        server = parse_smtp_url(self.smtp_url, allow_insecure=self.allow_insecure)
        by_name = server.username if server.username and is_mail_address(server.username) else None
        sender = self.email_from or server.sender or by_name
        if sender is None:
            raise ValueError("NOTIFY_EMAIL_FROM is not set, and SMTP_URL names no sender by from=; set one of them")
        yield "email_to", checked_recipients("NOTIFY_EMAIL_TO", self.email_to)
        yield "sender", checked_sender("NOTIFY_EMAIL_FROM", sender)
        yield "smtp", server

    def _slack(self) -> Iterator[tuple[str, Any]]:
        if self.slack_webhook_url is not None:
            checked_address("SLACK_WEBHOOK_URL", self.slack_webhook_url, allow_insecure=self.allow_insecure)
        yield from ()

    def _whatsapp(self) -> Iterator[tuple[str, Any]]:
        if self.whatsapp_token is None:
            return
        if not self.whatsapp_phone_number_id or not self.whatsapp_to:
            raise ValueError("WHATSAPP_TOKEN is set, so WHATSAPP_PHONE_NUMBER_ID and WHATSAPP_TO are needed, too")
        for number in self.whatsapp_to:
            if not NUMBER.fullmatch(number):
                raise ValueError(f"WHATSAPP_TO: {number!r} is no number with its country, such as +4915112345678")
        checked_address("WHATSAPP_BASE_URL", self.whatsapp_base_url, allow_insecure=self.allow_insecure)
        yield "whatsapp_to", tuple(dict.fromkeys(self.whatsapp_to))

    def _times(self) -> Iterator[tuple[str, Any]]:
        given = {
            "group_wait_seconds": self.group_wait,
            "critical_wait_seconds": self.critical_wait,
            "group_interval_seconds": self.group_interval,
            "repeat_seconds": self.repeat,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        for name, value in changes.items():
            if not 0 <= value < 1e9:
                raise ValueError(f"NOTIFY_{name.upper()}: {value:g} is no number of seconds")
        yield "policy", msgspec.structs.replace(self.policy_table, **changes)
        if not 0 < self.send_timeout <= 600:
            raise ValueError(f"NOTIFY_SEND_TIMEOUT_SECONDS: {self.send_timeout:g} is not between 0 and 600")

    def _heartbeat(self) -> Iterator[tuple[str, Any]]:
        if self.heartbeat_url is None:
            return
        checked_address("NOTIFY_HEARTBEAT_URL", self.heartbeat_url, allow_insecure=self.allow_insecure)
        if not 10 <= self.heartbeat_seconds <= 86_400:
            raise ValueError(f"NOTIFY_HEARTBEAT_SECONDS: {self.heartbeat_seconds:g} is not between 10 and 86400")
        yield from ()

    def _links(self) -> Iterator[tuple[str, Any]]:
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise ValueError(f"JDI_PUBLIC_URL: {self.public_url!r} is no address; write https://jdi.example.com")
        yield from ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show, whoever quotes it."""
        password = self.smtp.password if self.smtp else None
        found = (self.smtp_url, password, self.slack_webhook_url, self.whatsapp_token, self.heartbeat_url)
        return tuple(secret for secret in found if secret)
