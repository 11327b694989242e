"""`python -m tests.deploy.validate PROGRAM`: every rendered overlay against Kubernetes' own schemas, strictly.

PROGRAM is kubernetes-validate. It only warns of a kind that it has no schema for: here a warning is a failure.
Kinds of operators, whose schemas are theirs, are left out and counted; tests/deploy/test_k8s.py looks at those.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.deploy.manifests import OVERLAYS, objects
from tests.deploy.test_k8s import CUSTOM

VERSIONS = ("1.33.0", "1.35.0", "1.37.0")


def main(program: str) -> int:
    failed = False
    for overlay in OVERLAYS:
        ours = [each for each in objects(overlay) if (each["apiVersion"], each["kind"]) not in CUSTOM]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{overlay}.yaml"
            path.write_text(yaml.safe_dump_all(ours))
            for version in VERSIONS:
                command = [program, "--strict", "-k", version, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                said = (done.stdout + done.stderr).splitlines()
                wrong = [line for line in said if not line.startswith("INFO")]
                passed = sum(line.startswith("INFO") and " passed " in line for line in said)
                bad = bool(wrong) or done.returncode != 0 or passed != len(ours)
                failed |= bad
                left = len(objects(overlay)) - len(ours)
                counted = f"{passed} of {len(ours)} valid, {left} of operators left out"
                sys.stdout.write(f"{overlay} on {version}: {counted}\n")
                sys.stdout.writelines(f"{line}\n" for line in wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
