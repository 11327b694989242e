"""What a service loads is memory that every replica pays for."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("service", ["ingestor", "telemetry", "notifier"])
def test_who_knows_addresses_alone_loads_no_sqlalchemy(service: str) -> None:
    asked = f"import sys, services.{service}.__main__; print([name in sys.modules for name in sys.argv[1:]])"
    command = [sys.executable, "-c", asked, "sqlalchemy", "libs.runtime.database"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "[False, True]\n"
