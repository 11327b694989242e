"""Settings and policy file: what is missing, wrong or dangerous is one clear line at the start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from libs.runtime import SettingsError, read_settings
from services.notifier.channels.email import Email
from services.notifier.channels.smtp_address import parse_smtp_url
from services.notifier.channels.table import CHANNELS, adapters_of
from services.notifier.policy.file import parse_policy
from services.notifier.policy.rules import DEFAULT, Policy
from services.notifier.settings import Settings

DOCS = Path(__file__).parents[4] / "docs" / "notifications.md"
NETWORKS = DOCS.with_name("networks.md")
EMAIL = {
    "SMTP_URL": "smtp://me%40example.com:p%40ss@mail.example.com",
    "NOTIFY_EMAIL_TO": "ops@example.com, dev@example.com",
}
WHATSAPP = {"WHATSAPP_TOKEN": "EAAB", "WHATSAPP_PHONE_NUMBER_ID": "1", "WHATSAPP_TO": "+4915112345678"}
SLACK = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x"}


def test_without_anything_there_are_no_channels_and_the_built_in_policy() -> None:
    settings = read_settings(Settings, {})
    assert adapters_of(settings) == {}
    assert settings.policy == DEFAULT


def test_every_channel_can_be_set_up() -> None:
    settings = read_settings(Settings, EMAIL | WHATSAPP | SLACK)
    adapters = adapters_of(settings)
    assert adapters.keys() == CHANNELS.keys()
    assert adapters["email"].recipients == ("ops@example.com", "dev@example.com")
    email = adapters["email"]
    assert isinstance(email, Email)
    assert email.sender == "me@example.com"
    shown = repr(settings)
    assert not any(secret in shown for secret in ("p@ss", "p%40ss", "EAAB", "hooks.slack.com"))
    assert {"p@ss", "EAAB", SLACK["SLACK_WEBHOOK_URL"]} < set(settings.secrets)


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"SMTP_URL": "smtp://mail"}, "NOTIFY_EMAIL_TO is not set, but SMTP_URL is"),
        ({"NOTIFY_EMAIL_TO": "a@example.com"}, "SMTP_URL is not set, but NOTIFY_EMAIL_TO is"),
        (EMAIL | {"SMTP_URL": "smtp://mail.example.com"}, "NOTIFY_EMAIL_FROM is not set"),
        (EMAIL | {"SMTP_URL": "https://mail.example.com"}, "SMTP_URL: its value is no address of a mail server"),
        (EMAIL | {"SMTP_URL": "smtp://u:hush@mail:port"}, "SMTP_URL: its value cannot be read (its port is no number)"),
        (EMAIL | {"SMTP_URL": "smtp://mail?tls=1"}, "SMTP_URL: there is no option tls; there are from, starttls, ca"),
        (EMAIL | {"SMTP_URL": "smtp://mail?starttls=maybe"}, "SMTP_URL: starttls=maybe is none of"),
        (EMAIL | {"SMTP_URL": "smtp://u:hush@mail?starttls=auto"}, "SMTP_URL: the password could travel in the clear"),
        (EMAIL | {"SMTP_URL": "smtp://u:hush@mail?ca=/nowhere"}, "SMTP_URL: ca=/nowhere is not a file"),
        (EMAIL | {"SMTP_URL": "smtp://mail?from=nobody"}, "SMTP_URL: from: 'nobody' is no mail address"),
        (EMAIL | {"NOTIFY_EMAIL_TO": "ops"}, "NOTIFY_EMAIL_TO: 'ops' is no mail address"),
        (EMAIL | {"NOTIFY_EMAIL_FROM": "a@b.example\nBcc: c@d.example"}, "NOTIFY_EMAIL_FROM: "),
        (
            {"NOTIFY_HEARTBEAT_URL": "https://10.0.0.1/uuid"},
            "NOTIFY_HEARTBEAT_URL: 10.0.0.1 is not a public address",
        ),
        (
            {"NOTIFY_HEARTBEAT_URL": "https://switch.example.com/uuid", "NOTIFY_HEARTBEAT_SECONDS": "1"},
            "NOTIFY_HEARTBEAT_SECONDS: 1 is not between 10 and 86400",
        ),
        (
            {"SLACK_WEBHOOK_URL": "http://hooks.slack.com/x"},
            "SLACK_WEBHOOK_URL: its value does not begin with https://",
        ),
        ({"WHATSAPP_TOKEN": "EAAB"}, "WHATSAPP_TOKEN is set, so WHATSAPP_PHONE_NUMBER_ID and WHATSAPP_TO are needed"),
        (WHATSAPP | {"WHATSAPP_TO": "0151"}, "WHATSAPP_TO: '0151' is no number with its country"),
        (
            WHATSAPP | {"WHATSAPP_BASE_URL": "https://127.0.0.1/"},
            "WHATSAPP_BASE_URL: 127.0.0.1 is not a public address",
        ),
        ({"NOTIFY_REPEAT_SECONDS": "1"}, "repeat_seconds: must be at least 60"),
        ({"NOTIFY_GROUP_WAIT_SECONDS": "-1"}, "NOTIFY_GROUP_WAIT_SECONDS: -1 is no number of seconds"),
        ({"NOTIFY_SEND_TIMEOUT_SECONDS": "0"}, "NOTIFY_SEND_TIMEOUT_SECONDS: 0 is not between 0 and 600"),
        ({"JDI_PUBLIC_URL": "jdi.example.com"}, "JDI_PUBLIC_URL: 'jdi.example.com' is no address"),
    ],
)
def test_what_is_wrong_is_one_line_without_a_secret(environ: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, environ)
    [shown] = caught.value.lines
    assert line in shown
    assert "hush" not in shown


def test_every_channel_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, {"SMTP_URL": "smtp://mail", "WHATSAPP_TOKEN": "EAAB", "SLACK_WEBHOOK_URL": "x"})
    assert len(caught.value.lines) == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", (587, False, None, None)),
        ("smtp://u:p@mail.example.com", (587, False, True, "p")),
        ("smtps://u:p%2F%3A@mail.example.com", (465, True, False, "p/:")),
        ("smtp://mail.example.com:25?starttls=off", (25, False, False, None)),
    ],
)
def test_mail_addresses_say_how_they_are_protected(url: str, expected: tuple[object, ...]) -> None:
    server = parse_smtp_url(url)
    assert (server.port, server.tls, server.starttls, server.password) == expected


def test_the_environment_wins_over_the_policy_file() -> None:
    environ = {"NOTIFY_POLICY": "group_wait_seconds = 60\nrepeat_seconds = 60", "NOTIFY_GROUP_WAIT_SECONDS": "1"}
    policy = read_settings(Settings, environ).policy
    assert (policy.group_wait_seconds, policy.repeat_seconds) == (1, 60)
    assert policy.routes == DEFAULT.routes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("routes = [", "Invalid"),
        ("group_wait = 3", "unknown field `group_wait`"),
        ('[[routes]]\ncategories = ["biling"]\nchannels = ["email"]', "Invalid enum value 'biling' - at `$.routes[0]"),
        ('[[routes]]\nchannels = ["pager"]', "there is no channel pager; there are email, slack, whatsapp"),
        ('[fallback]\nslack = "slack"', "slack cannot stand in for itself"),
        ('[[quiet_hours]]\nstart = "22"\nend = "07:00"\ntimezone = "UTC"', "start: '22' is not a time of day"),
        ('[[quiet_hours]]\nstart = "22:00"\nend = "07:00"\ntimezone = "Berlin"', "timezone: 'Berlin' is not known"),
        ('[[quiet_hours]]\nstart = "7:00"\nend = "07:00"\ntimezone = "UTC"', "are empty"),
        (
            '[[quiet_hours]]\nstart = "22:00"\nend = "07:00"\ntimezone = "UTC"\ndays = ["Monday"]',
            "days: Monday; use some of",
        ),
        ("repeat_seconds = nan", "repeat_seconds"),
        ("cap_per_hour = 0", "cap_per_hour: must be from 1 to 100"),
        ("flap_count = 1", "flap_count: must be from 2 to 20"),
    ],
)
def test_a_policy_that_is_wrong_says_where(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^NOTIFY_POLICY_FILE: ") as caught:
        parse_policy(text, frozenset(CHANNELS))
    assert why in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_notifier_ends_with_code_2_and_the_line(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('default = ["pigeon"]')
    environ = {"PATH": os.environ["PATH"], "NOTIFY_POLICY_FILE": str(file)}
    ended = subprocess.run(
        [sys.executable, "-m", "services.notifier"], env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "notifier: NOTIFY_POLICY_FILE: there is no channel pigeon; there are email, slack, whatsapp\n"
    )


def test_the_example_of_the_documents_is_a_policy() -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    policy = parse_policy(example[1], frozenset(CHANNELS))
    assert policy != DEFAULT
    named = set(re.findall(r"^([a-z_]+) = ", example[1], re.MULTILINE)) | set(re.findall(r"\[([a-z_]+)\]", example[1]))
    assert set(Policy.__struct_encode_fields__) <= named, "the example shows every name"


def test_the_documents_name_every_setting_and_every_channel() -> None:
    import dataclasses

    text = DOCS.read_text(encoding="utf-8")
    ours = [field.metadata["env"] for field in dataclasses.fields(Settings) if "env" in field.metadata]
    text += NETWORKS.read_text(encoding="utf-8")
    missing = [name for name in ours if f"`{name}`" not in text and not name.startswith("JDI_HEALTH")]
    assert [name for name in missing if name not in ("NOTIFY_POLICY", "NATS_URL", "DATABASE_URL")] == []
    assert all(channel in text for channel in CHANNELS)
