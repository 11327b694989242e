"""compose.yaml holds together: valid by the specification's schema, and every name in it leads somewhere.

No engine reads it here. What a schema cannot say is checked by us: names that lead nowhere, variables nobody reads.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.embedded.environment import MODULES
from tests.deploy.settings import SERVICES, known_variables

ROOT = Path(__file__).parents[2]
FILE = ROOT / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: part for name, part in PARTS.items() if "build" in part}
ENV_FILES = (".env", "deploy/compose/jira.env")
WRITES_ITS_ROOT = {"temporal-ui"}
NOT_READY = {"secrets", "temporal-schema", "temporal-namespace", "migrate", "jdi"}
"""They run to their end, so nobody asks whether they are ready."""


def variables(part: dict[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in part.get("environment", {}).items()}


def mounts(part: dict[str, Any]) -> dict[str, str]:
    """Folder or file in the container, to what lies there."""
    volumes = {where: name for name, where in (entry.split(":")[:2] for entry in part.get("volumes", ()))}
    secrets = {f"/run/secrets/{name}": name for name in part.get("secrets", ())}
    configs = {config["target"]: config["source"] for config in part.get("configs", ())}
    return volumes | secrets | configs


def read_env(path: str) -> dict[str, str]:
    lines = (line for line in (ROOT / path).read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_it_is_valid_by_the_specifications_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_schema_finds_a_wrong_key(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(FILE.read_text().replace("cap_drop:", "capdrop:"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_all_services_are_there_with_the_commands_of_the_image() -> None:
    commands = {name: part["command"][0] for name, part in OURS.items() if part["command"]}
    assert {name: commands[name] for name in SERVICES} == MODULES
    assert commands["migrate"] == "services.cli"


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_names_exists(name: str) -> None:
    part = PARTS[name]
    assert set(part.get("depends_on", {})) <= set(PARTS)
    assert set(part.get("networks", ())) <= set(COMPOSE["networks"])
    assert set(part.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert {config["source"] for config in part.get("configs", ())} <= set(COMPOSE["configs"])
    assert {entry.split(":")[0] for entry in part.get("volumes", ())} <= set(COMPOSE["volumes"])


def test_everything_declared_is_used_and_every_file_is_there() -> None:
    used = {source for part in PARTS.values() for source in mounts(part).values()}
    assert set(COMPOSE["volumes"]) | set(COMPOSE["secrets"]) | set(COMPOSE["configs"]) == used
    given = read_env(".env")
    for entry in (*COMPOSE["configs"].values(), *COMPOSE["secrets"].values()):
        path = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: given.get(found[1]) or found[2], entry["file"])
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("name", PARTS)
def test_a_part_waits_for_a_state_that_comes(name: str) -> None:
    for other, wait in PARTS[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in PARTS[other]
        if wait["condition"] == "service_completed_successfully":
            assert PARTS[other]["restart"] != "unless-stopped", f"{other} never ends"
        if PARTS[other].get("profiles") and not PARTS[name].get("profiles"):
            assert wait["required"] is False, f"{other} is not there in every profile"


def test_nobody_waits_in_a_circle() -> None:
    started: set[str] = set()
    while ready := {name for name, part in PARTS.items() if set(part.get("depends_on", {})) <= started} - started:
        started |= ready
    assert started == set(PARTS)


@pytest.mark.parametrize("name", [name for name in OURS if name not in ("secrets", "simulator")])
def test_every_variable_is_one_that_the_command_reads(name: str) -> None:
    module = "services.cli" if name == "jdi" else PARTS[name]["command"][0]
    assert set(variables(PARTS[name])) <= known_variables(module)


@pytest.mark.parametrize("name", PARTS)
def test_secrets_come_as_files_that_are_mounted(name: str) -> None:
    for key, value in variables(PARTS[name]).items():
        assert not re.search(r"(PASSWORD|PWD|TOKEN|SECRET|WEBHOOK_URL|SMTP_URL|DATABASE_URL|NATS_URL)$", key), key
        assert "@" not in value or key.startswith("JIRA_EMAIL"), f"{key} looks like an address with a password"
        if key.endswith("_FILE"):
            assert any(value == place or value.startswith(f"{place}/") for place in mounts(PARTS[name])), key


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_locked_in(name: str) -> None:
    part = PARTS[name]
    assert part["cap_drop"] == ["ALL"]
    assert "cap_add" not in part
    assert "privileged" not in part
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["read_only"] is (name not in WRITES_ITS_ROOT)
    assert re.search(r":v?\d+\.\d+", part["image"]), f"{part['image']} is not pinned"
    assert all(port.startswith("127.0.0.1:") for port in part.get("ports", ()))
    assert not part.get("ports") or "outside" in part["networks"]


@pytest.mark.parametrize("name", [name for name in PARTS if name not in NOT_READY | WRITES_ITS_ROOT])
def test_a_part_that_stays_says_when_it_is_ready(name: str) -> None:
    test = PARTS[name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    if name in SERVICES:
        port = "8080" if name == "graphql" else "8081"  # as deploy/Dockerfile sets JDI_HEALTH_PORT
        assert f"http://127.0.0.1:{port}/readyz" in test[-1]


def test_only_those_with_a_reason_reach_the_outside() -> None:
    assert {name for name, part in PARTS.items() if "outside" in part.get("networks", ())} == {
        *("ingestor", "notifier"),  # Jira; mail, Slack and WhatsApp
        *(
            "graphql",
            "temporal-ui",
            "mailpit",
            "prometheus",
            "grafana",
            "jaeger",
            "jdi",
        ),  # published ports, and a look at Jira
    }
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_a_service_that_is_told_to_stop_may_finish() -> None:
    from libs.temporal.worker import GRACE
    from services.graphql.__main__ import LAST_ANSWER_SECONDS
    from services.graphql.http.view import GOODBYE_SECONDS

    for name in SERVICES:
        assert int(PARTS[name]["stop_grace_period"].removesuffix("s")) > max(
            GRACE.total_seconds(), GOODBYE_SECONDS + LAST_ANSWER_SECONDS
        )


@pytest.mark.parametrize("path", ENV_FILES)
def test_the_files_of_variables_give_what_must_be_given(path: str) -> None:
    text = FILE.read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    read = set(re.findall(r"\$\{(\w+)", text)) | {"COMPOSE_PROFILES"}
    given = read_env(path)
    assert required <= set(given) <= read
    assert all(profile in str([part.get("profiles") for part in PARTS.values()]) for profile in profiles(given))


def profiles(given: dict[str, str]) -> list[str]:
    return given["COMPOSE_PROFILES"].split(",")


def test_without_more_a_first_user_sees_data() -> None:
    given = read_env(".env")
    assert {"simulator", "mail"} <= set(profiles(given))
    assert given["JIRA_BASE_URL"] == "http://simulator:8095"
    assert PARTS["simulator"]["command"][0] == "libs.jira_simulator"
    from libs.jira_simulator.server import EMAIL, TOKEN

    assert given["JIRA_EMAIL"] == EMAIL
    assert (ROOT / given["JIRA_API_TOKEN_FILE"]).read_text().strip() == TOKEN


def test_with_the_profile_trace_every_service_reaches_jaeger() -> None:
    assert PARTS["jaeger"]["profiles"] == ["trace"]
    for name in SERVICES:
        assert variables(PARTS[name])["OTEL_EXPORTER_OTLP_ENDPOINT"] == "${OTEL_EXPORTER_OTLP_ENDPOINT:-}"
        assert set(PARTS[name]["networks"]) & set(PARTS["jaeger"]["networks"])
