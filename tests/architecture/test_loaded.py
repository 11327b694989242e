"""What a service loads is memory that every replica pays for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from libs.embedded.environment import MODULES


@pytest.mark.parametrize("service", ["ingestor", "relay", "telemetry", "notifier"])
def test_who_knows_addresses_alone_loads_no_sqlalchemy(service: str) -> None:
    asked = f"import sys, {MODULES[service]}.__main__; print([name in sys.modules for name in sys.argv[1:]])"
    command = [sys.executable, "-c", asked, "sqlalchemy", "libs.runtime.database"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "[False, True]\n"


def test_the_relay_loads_neither_jira_nor_temporal() -> None:
    asked = (
        "import sys, services.ingestor.relay.__main__; print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    command = [sys.executable, "-c", asked, "httpx", "temporalio", "libs.jira_client.client", "cryptography"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
