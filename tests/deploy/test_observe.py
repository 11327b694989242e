"""What Prometheus and Grafana are told of each other and of the services agrees with compose.yaml."""

from __future__ import annotations

from typing import Any

import yaml

from tests.deploy.settings import SERVICES
from tests.deploy.test_compose import COMPOSE, PARTS, ROOT
from tests.unit.observe.catalogue import metrics

OBSERVE = ROOT / "deploy" / "observe"


def read(path: str) -> Any:
    return yaml.safe_load((OBSERVE / path).read_text())


def mounted(part: str) -> dict[str, str]:
    """Place in the container, to the file of the repository that lies there."""
    return {config["target"]: COMPOSE["configs"][config["source"]]["file"] for config in PARTS[part]["configs"]}


def test_prometheus_asks_every_service_where_it_answers() -> None:
    [job] = read("prometheus/prometheus.yml")["scrape_configs"]
    [group] = job["static_configs"]
    ports = {name: 8080 if name == "graphql" else 8081 for name in SERVICES}
    assert set(group["targets"]) == {f"{name}:{port}" for name, port in ports.items()}


def test_prometheus_has_all_rules() -> None:
    rules = {f"/etc/prometheus/rules/{path.name}" for path in (OBSERVE / "prometheus" / "rules").iterdir()}
    assert rules == {place for place in mounted("prometheus") if "/rules/" in place}
    assert read("prometheus/prometheus.yml")["rule_files"] == ["rules/*.yml"]


def test_grafana_has_all_dashboards_where_it_looks_for_them() -> None:
    [provider] = read("grafana/provisioning/dashboards/jira-data-integrator.yml")["providers"]
    folder = provider["options"]["path"]
    boards = {f"{folder}/{path.name}" for path in (OBSERVE / "grafana" / "dashboards").iterdir()}
    assert boards == {place for place in mounted("grafana") if place.startswith(folder)}
    assert PARTS["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in boards


def test_each_file_lies_under_its_own_name() -> None:
    for part in ("prometheus", "grafana"):
        for place, file in mounted(part).items():
            assert place.rpartition("/")[2] == file.rpartition("/")[2]


def test_grafana_asks_prometheus() -> None:
    [source] = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "inside" in PARTS["grafana"]["networks"]


def test_the_operators_labels_do_not_take_the_place_of_ours() -> None:
    """A scrape of Prometheus' operator adds these to all series; whatever has them already would be renamed."""
    added = {"namespace", "service", "pod", "container", "endpoint", "job", "instance"}
    ours = {label for metric in metrics() for label in metric.labels}
    path = ROOT / "deploy" / "k8s" / "components" / "servicemonitor" / "servicemonitor.yaml"
    [monitor] = [part for part in yaml.safe_load_all(path.read_text()) if part["kind"] == "ServiceMonitor"]
    assert added & ours == {"service", "endpoint"}
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["endpoints"])
