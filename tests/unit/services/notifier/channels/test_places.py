"""A channel has more places than its file, in services that may not import one another: none is forgotten.

`docs/extend.md` lists them in this order. A test that fails here says in which file the channel is missing, or left.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from libs.embedded import environment
from libs.runtime import Secret, read_settings
from libs.runtime.network.way_out import WayOut
from services.cli.checks.notifications import CHANNELS as CHANNELS_OF_THE_DOCTOR
from services.graphql.api.alerts.types import NotificationChannel
from services.notifier.channels.table import CHANNELS, SettingsOfChannels, adapters_of

ROOT = Path(__file__).parents[5]
SETTINGS_OF_ALL = {
    "SMTP_URL": "smtp://me%40example.com:secret@mail.example.com",
    "NOTIFY_EMAIL_TO": "ops@example.com",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
    "WHATSAPP_TOKEN": "EAAB",
    "WHATSAPP_PHONE_NUMBER_ID": "1",
    "WHATSAPP_TO": "+4915112345678",
}
"""A value for each variable without which a channel is not set up."""


def console(opening: str, closing: str) -> dict[str, str]:
    """What stands in each list or table named CHANNELS of the console, by its file."""
    found = {}
    pattern = re.compile(rf"const CHANNELS = {re.escape(opening)}(.*?){re.escape(closing)};", re.DOTALL)
    for file in sorted((ROOT / "services/graphql/console/static").rglob("*.js")):
        if table := pattern.search(file.read_text()):
            found[str(file.relative_to(ROOT))] = table[1]
    assert found, f"no file of the console has a CHANNELS = {opening}…{closing}"
    return found


def files() -> dict[str, set[str]]:
    folder = ROOT / "services/notifier/channels"
    adapters = {path.stem for path in folder.glob("*.py") if "def from_settings(" in path.read_text()}
    return {str(folder.relative_to(ROOT)): adapters}


def doctor() -> dict[str, set[str]]:
    return {"services/cli/checks/notifications.py": set(CHANNELS_OF_THE_DOCTOR)}


def api() -> dict[str, set[str]]:
    schema = (ROOT / "schema.graphql").read_text()
    description = re.search(r'"""([A-Z, or]+)\."""\s+channel: String!', schema)
    assert description is not None, "Notification.channel of the schema names the channels"
    return {
        "services/graphql/api/alerts/notifications.py: NotificationChannel": {one.value for one in NotificationChannel},
        "services/graphql/api/alerts/notifications.py: the description of Notification.channel": {
            word.lower() for word in re.findall(r"[A-Z]+", description[1])
        },
    }


def console_names() -> dict[str, set[str]]:
    return {file: set(re.findall(r"(\w+): \"", text)) for file, text in console("{", "}").items()}


def console_choices() -> dict[str, set[str]]:
    return {file: {word.lower() for word in re.findall(r"\w+", text)} for file, text in console("[", "]").items()}


def docs() -> dict[str, set[str]]:
    text = (ROOT / "docs/notifications.md").read_text()
    return {"docs/notifications.md": set(re.findall(r"^\*\*[^*]+\*\* \(`(\w+)`\)\.", text, re.MULTILINE))}


@pytest.mark.parametrize("places", [files, doctor, api, console_names, console_choices, docs])
def test_every_place_names_the_channels_of_the_table(places: Callable[[], dict[str, set[str]]]) -> None:
    for place, named in places().items():
        missing, left = CHANNELS.keys() - named, named - CHANNELS.keys()
        assert not missing, f"{place} lacks {', '.join(sorted(missing))}"
        assert not left, f"{place} names {', '.join(sorted(left))}, which services/notifier/channels/table.py does not"


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_doctor_asks_for_sets_a_channel_up_and_nothing_less_does(channel: str) -> None:
    needed = CHANNELS_OF_THE_DOCTOR[channel]
    given = {name: SETTINGS_OF_ALL[name] for name in needed}
    assert adapters_of(read_settings(SettingsOfChannels, given)).keys() == {channel}
    for name in needed:
        try:
            fewer = adapters_of(read_settings(SettingsOfChannels, {**given, name: ""}))
        except ValueError as error:
            assert name in str(error)  # noqa: PT017 - either of the two is right
        else:
            assert fewer == {}


def test_variables_of_channels_reach_the_notifier_of_jdi_up_and_nobody_else() -> None:
    way = {one.name for one in dataclasses.fields(WayOut)}
    declared = [one.metadata["env"] for one in dataclasses.fields(SettingsOfChannels) if one.name not in way]
    given = {name: "x" for env in declared for name in (env, f"{env}_FILE")}
    place = "begin its name with NOTIFY_, or add its family in libs/embedded/environment.py"
    lost = given.keys() - environment.of_service("notifier", given, {}).keys()
    assert not lost, f"{sorted(lost)}: {place}"
    for service in set(environment.SERVICES) - {"notifier"}:
        seen = given.keys() & environment.of_service(service, given, {}).keys()
        assert not seen, f"{service} sees {sorted(seen)}: {place}"
    assert not given.keys() & environment.ordinary(given).keys(), place


def test_a_secret_of_a_channel_is_hidden_because_it_is_one() -> None:
    settings = read_settings(SettingsOfChannels, SETTINGS_OF_ALL)
    declared = [one for one in dataclasses.fields(settings) if "Secret" in str(one.type)]
    secrets = {secret for one in declared if (secret := getattr(settings, one.name)) is not None}
    assert len(secrets) == 3
    assert all(isinstance(secret, Secret) for secret in secrets)
    assert secrets | {"secret"} == set(settings.secrets)


def test_of_a_proxy_no_form_of_its_password_is_shown() -> None:
    settings = read_settings(SettingsOfChannels, {"JIRA_PROXY": "http://jdi:p%40ss@proxy.corp.example:3128"})
    assert set(settings.secrets) == {
        "http://jdi:p%40ss@proxy.corp.example:3128",
        "p@ss",
        "p%40ss",
        base64.b64encode(b"jdi:p@ss").decode(),
    }
