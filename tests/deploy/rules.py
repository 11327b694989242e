"""The PrometheusRule of deploy/k8s, from the files of Prometheus' rules: `make rules`."""

from __future__ import annotations

import sys

import yaml

from tests.deploy.manifests import ROOT

RULES = ROOT / "deploy" / "observe" / "prometheus" / "rules"
WRITTEN = ROOT / "deploy" / "k8s" / "components" / "observe" / "rules.yaml"
HEAD = """\
# Written by `make rules` from deploy/observe/prometheus/rules; kustomize cannot put one file into another.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: jdi }
spec:
  groups:
"""


def text() -> str:
    """The groups of all files as they stand there, comments included. Two files may have a group of one name."""
    parts = [HEAD]
    for file in sorted(RULES.glob("*.yml")):
        groups = file.read_text().partition("groups:\n")[2]
        for name in [group["name"] for group in yaml.safe_load(f"groups:\n{groups}")["groups"]]:
            groups = groups.replace(f"- name: {name}\n", f"- name: {name}-{file.stem}\n")
        parts += [f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True)]
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(text())
