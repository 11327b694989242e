"""The console's files: small enough to be read, complete, and what is vendored is what it says."""

import hashlib
import json
from typing import Any

from libs.jira_client.failures.errors import ErrorCode
from services.graphql.console.routes import FOLDER

VENDOR = FOLDER / "vendor"
MOST_LINES = 300
MOST_NAMES = 14


def vendored() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())["files"]
    return entries


def test_vendored_files_are_those_of_the_manifest_with_their_licences() -> None:
    for entry in vendored():
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        for licence in entry["licence_files"]:
            assert "Permission" in (VENDOR / licence).read_text() or "Apache License" in (VENDOR / licence).read_text()
    named = {entry["file"] for entry in vendored()} | {name for each in vendored() for name in each["licence_files"]}
    there = {path.name for path in VENDOR.iterdir() if not path.name.endswith(".d.ts")}
    assert there == named | {"manifest.json", "THIRD-PARTY.txt"}


def test_files_can_be_read_in_one_sitting() -> None:
    own = [path for path in FOLDER.rglob("*.js") if VENDOR not in path.parents]
    assert {path.name: lines for path in own if (lines := len(path.read_text().splitlines())) > MOST_LINES} == {}


def test_a_folder_shows_a_dozen_names_or_little_more() -> None:
    folders = [FOLDER, *(path for path in FOLDER.rglob("*") if path.is_dir())]
    assert {folder.name: count for folder in folders if (count := len(list(folder.iterdir()))) > MOST_NAMES} == {}


def test_alerts_can_be_filtered_by_every_code_of_the_classifier() -> None:
    text = (FOLDER / "text/alerts.js").read_text()
    assert [code for code in ErrorCode if f'"{code}"' not in text] == []
