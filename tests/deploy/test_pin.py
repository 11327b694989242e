"""`make pin` on a copy of compose.yaml. A stand-in for skopeo answers a manifest for each image, or refuses one."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

from tests.deploy.manifests import ROOT

SKOPEO = """#!/bin/sh
case "$3" in *"$REFUSED"*) echo "manifest unknown" >&2; exit 1;; esac
printf '%s as of %s' "$3" "$DAY"
"""


def pinned(folder: Path, compose: str, *, day: str = "today", refused: str = "nothing") -> tuple[int, str]:
    """The exit code, and what the file holds then."""
    program, file = folder / "skopeo", folder / "compose.yaml"
    program.write_text(SKOPEO)
    program.chmod(0o755)
    file.write_text(compose)
    environ = {"PATH": f"{folder}:{os.environ['PATH']}", "DAY": day, "REFUSED": refused}
    done = subprocess.run([ROOT / "deploy" / "pin.sh", file], env=environ, capture_output=True, check=False)
    return done.returncode, file.read_text()


def test_every_image_but_ours_gets_the_digest_of_its_tag(tmp_path: Path) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    code, first = pinned(tmp_path, compose)
    assert code == 0
    images = re.findall(r"^ *image: (\S+)$", first, re.MULTILINE)
    assert len(images) == len(re.findall(r"^ *image: ", compose, re.MULTILINE))
    for image in images:
        name, _, digest = image.partition("@")
        wanted = f"sha256:{hashlib.sha256(f'docker://{name} as of today'.encode()).hexdigest()}"
        assert digest == ("" if name.startswith("jira-data-integrator:") else wanted)
    assert re.sub(r"@sha256:\w+", "", first) == re.sub(r"@sha256:\w+", "", compose)
    _, later = pinned(tmp_path, first, day="tomorrow")
    assert len(set(re.findall(r"@sha256:\w+", first)) & set(re.findall(r"@sha256:\w+", later))) == 0
    assert re.sub(r"@sha256:\w+", "", later) == re.sub(r"@sha256:\w+", "", first)


def test_an_image_that_is_not_there_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    code, left = pinned(tmp_path, compose, refused="temporalio/ui")
    assert (code != 0, left == compose) == (True, True)
