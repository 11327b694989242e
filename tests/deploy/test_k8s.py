"""Every rendered overlay holds together: what a schema cannot say, since a cluster would find out only at run time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from libs.embedded.environment import MODULES
from libs.runtime.tracing import endpoint
from libs.temporal.worker import GRACE
from services.graphql.__main__ import LAST_ANSWER_SECONDS
from services.graphql.http.view import GOODBYE_SECONDS
from tests.deploy import rules
from tests.deploy.manifests import (
    K8S,
    OVERLAYS,
    ROOT,
    SERVICES,
    Object,
    container_of,
    environment,
    labels_of,
    name_of,
    named,
    objects,
    of_kind,
    pod_of,
    rendered,
    workloads,
)
from tests.deploy.settings import known_variables

CUSTOM = {
    ("external-secrets.io/v1", "ExternalSecret"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("temporal.io/v1alpha1", "WorkerDeployment"),
    ("temporal.io/v1alpha1", "Connection"),
}
BUILT_IN = re.compile(r"^(v1|apps/v1|batch/v1|policy/v1|autoscaling/v2|networking\.k8s\.io/v1)$")

overlays = pytest.mark.parametrize("overlay", OVERLAYS)


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """As the cluster reads a selector."""
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", ())
    )


def chosen(overlay: str, selector: dict[str, Any]) -> list[Object]:
    return [each for each in workloads(overlay) if matches(selector, labels_of(each))]


def ports_of(workload: Object) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container_of(workload).get("ports", ())}


@overlays
def test_every_kind_is_one_that_we_know(overlay: str) -> None:
    for each in objects(overlay):
        assert BUILT_IN.match(each["apiVersion"]) or (each["apiVersion"], each["kind"]) in CUSTOM, each["kind"]


@overlays
def test_names_are_unique_and_in_the_namespace(overlay: str) -> None:
    found = Counter((each["kind"], name_of(each)) for each in objects(overlay))
    assert max(found.values()) == 1
    for each in objects(overlay):
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "jdi", name_of(each)


@overlays
def test_the_services_and_the_migration_are_there(overlay: str) -> None:
    commands = {container_of(each)["args"][0] for each in workloads(overlay)}
    assert {*MODULES.values(), "services.cli"} <= commands


@overlays
def test_a_service_leads_to_pods_and_to_a_port_of_theirs(overlay: str) -> None:
    for service in of_kind(overlay, "Service"):
        behind = chosen(overlay, {"matchLabels": service["spec"]["selector"]})
        assert behind, f"nothing is behind {name_of(service)}"
        for port in service["spec"]["ports"]:
            assert all(ports_of(each).get(port["targetPort"]) == port["port"] for each in behind)


@overlays
def test_a_deployment_selects_its_own_pods_alone(overlay: str) -> None:
    for each in of_kind(overlay, "Deployment"):
        others = [other for other in chosen(overlay, each["spec"]["selector"]) if other["kind"] != "WorkerDeployment"]
        assert [name_of(other) for other in others] == [name_of(each)]


@overlays
def test_probes_ask_a_port_that_is_there_and_a_path_that_is_served(overlay: str) -> None:
    for each in workloads(overlay):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container_of(each).get(kind)
            assert (probe is None) == (each["kind"] == "Job"), f"{name_of(each)}: {kind}"
            if probe is None:
                continue
            asked = probe.get("httpGet") or probe["tcpSocket"]
            assert asked["port"] in ports_of(each)
            if labels_of(each)["app.kubernetes.io/name"] in SERVICES:
                assert asked["path"] == ("/readyz" if kind == "readinessProbe" else "/livez")


@overlays
def test_services_listen_on_the_port_that_is_named(overlay: str) -> None:
    from_image = image_environment()
    for each in workloads(overlay):
        if labels_of(each)["app.kubernetes.io/name"] in SERVICES:
            found = from_image | environment(overlay, each)
            listens = found["JDI_PORT"] if "JDI_PORT" in found else found["JDI_HEALTH_PORT"]
            assert ports_of(each) == {"web": int(listens)}
            assert found.get("JDI_HOST", found["JDI_HEALTH_HOST"]) == "0.0.0.0"  # noqa: S104


def image_environment() -> dict[str, str]:
    """What deploy/Dockerfile puts into the environment."""
    text = (ROOT / "deploy/Dockerfile").read_text().rpartition("\nENV ")[2].replace("\\\n", " ")
    return dict(entry.split("=", 1) for entry in text.splitlines()[0].split())


@overlays
def test_pods_are_restricted(overlay: str) -> None:
    (namespace,) = of_kind(overlay, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for each in workloads(overlay):
        pod, container = pod_of(each), container_of(each)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 10_000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
        assert all("hostPath" not in volume for volume in pod["volumes"])


@overlays
def test_every_pod_has_a_service_account_of_its_own(overlay: str) -> None:
    accounts = {name_of(each) for each in of_kind(overlay, "ServiceAccount")}
    used = Counter(pod_of(each)["serviceAccountName"] for each in of_kind(overlay, "Deployment", "Job"))
    assert set(used) == accounts
    assert max(used.values()) == 1
    assert all(each["automountServiceAccountToken"] is False for each in of_kind(overlay, "ServiceAccount"))


@overlays
def test_cpu_and_memory_are_asked_for_and_memory_is_limited(overlay: str) -> None:
    for each in workloads(overlay):
        resources = container_of(each)["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"])
        assert "memory" in resources["limits"]
        assert all(volume["emptyDir"].get("sizeLimit") for volume in pod_of(each)["volumes"] if "emptyDir" in volume)


@overlays
def test_images_are_pinned_and_the_migration_is_of_the_same_version(overlay: str) -> None:
    images = {container_of(each)["image"] for each in workloads(overlay)}
    assert len(images) == 1
    tag = images.pop().rpartition(":")[2]
    assert re.fullmatch(r"\d+\.\d+\.\d+", tag)
    assert {name_of(each) for each in of_kind(overlay, "Job")} == {f"migrate-v{tag.replace('.', '-')}"}
    assert f'version = "{tag}"' in (ROOT / "pyproject.toml").read_text()


@overlays
def test_variables_are_ones_that_the_command_reads_each_once(overlay: str) -> None:
    for each in workloads(overlay):
        names = Counter(entry["name"] for entry in container_of(each).get("env", ()))
        module = container_of(each)["args"][0]
        assert not names or max(names.values()) == 1
        if module.startswith("services."):
            assert set(names) <= known_variables(module)


@overlays
def test_secrets_are_files_and_the_template_has_them_all(overlay: str) -> None:
    template = list(yaml.safe_load_all((K8S / "secrets.example.yaml").read_text()))
    keys = {name_of(each): set(each["stringData"]) for each in template}
    fetched = {name_of(each): {item["secretKey"] for item in each["spec"]["data"]} for each in fetches(overlay)}
    for each in workloads(overlay):
        assert all("secretKeyRef" not in str(entry) for entry in container_of(each).get("env", ()))
        assert "envFrom" not in container_of(each)
        for path in files_named(overlay, each):
            volume, key = volume_at(each, path)
            if "configMap" in volume:  # what everybody may see
                assert key in named(overlay, "ConfigMap", volume["configMap"]["name"])["data"]
                continue
            secret, key = secret_at(each, path)
            assert key in keys[secret]
            assert not fetched or key in fetched[secret]
    assert not of_kind(overlay, "Secret"), "a secret is in the manifests"
    assert not re.search(r"://[^/\s]+:[^/\s@]+@", rendered(overlay)), "an address with a password"


def fetches(overlay: str) -> list[Object]:
    return of_kind(overlay, "ExternalSecret")


def files_named(overlay: str, workload: Object) -> Iterator[str]:
    yield from (value for key, value in environment(overlay, workload).items() if key.endswith(("_FILE", "_PATH")))


def secret_at(workload: Object, path: str) -> tuple[str, str]:
    """The secret and its key that a file in the container is."""
    volume, key = volume_at(workload, path)
    return volume["secret"]["secretName"], key


def volume_at(workload: Object, path: str) -> tuple[Object, str]:
    """Where a file in the container comes from, and its key there."""
    folder, _, key = path.rpartition("/")
    (mount,) = [each for each in container_of(workload)["volumeMounts"] if each["mountPath"] == folder]
    assert mount["readOnly"] is True
    (volume,) = [each for each in pod_of(workload)["volumes"] if each["name"] == mount["name"]]
    return volume, key


@overlays
def test_what_is_mounted_is_declared_and_used(overlay: str) -> None:
    for each in workloads(overlay):
        mounted = {mount["name"] for mount in container_of(each)["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod_of(each)["volumes"]}
        used = {path.rpartition("/")[0] for path in files_named(overlay, each)}
        paths = {mount["mountPath"] for mount in container_of(each)["volumeMounts"]}
        assert paths == used | {"/tmp"}  # noqa: S108


@overlays
def test_each_service_has_only_its_own_nats_user(overlay: str) -> None:
    for each in workloads(overlay):
        name = labels_of(each)["app.kubernetes.io/name"]
        secrets = {volume["secret"]["secretName"] for volume in pod_of(each)["volumes"] if "secret" in volume}
        assert {secret for secret in secrets if "nats" in secret} <= {f"jdi-nats-{name}"}
        assert ("jdi-jira" in secrets) == (name == "ingestor")


@overlays
def test_stopping_may_take_as_long_as_the_last_work_does(overlay: str) -> None:
    for each in workloads(overlay):
        assert pod_of(each)["terminationGracePeriodSeconds"] > GRACE.total_seconds()
    web = named(overlay, "Deployment", "graphql")
    drain = float(environment(overlay, web)["JDI_DRAIN_SECONDS"])
    assert drain > 0
    assert pod_of(web)["terminationGracePeriodSeconds"] > drain + GOODBYE_SECONDS + LAST_ANSWER_SECONDS


@overlays
def test_rolling_never_takes_a_pod_away_before_the_new_one_is_ready(overlay: str) -> None:
    for each in of_kind(overlay, "Deployment"):
        if name_of(each) in SERVICES:
            assert each["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@overlays
def test_disruption_budgets_guard_every_service_and_block_no_node(overlay: str) -> None:
    budgets = {name_of(each): each["spec"] for each in of_kind(overlay, "PodDisruptionBudget")}
    assert set(budgets) == set(SERVICES)
    for budget in budgets.values():
        assert budget["maxUnavailable"] == 1
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert chosen(overlay, budget["selector"])


@overlays
def test_pods_are_spread_over_zones_and_hosts(overlay: str) -> None:
    for each in workloads(overlay):
        if labels_of(each)["app.kubernetes.io/name"] not in SERVICES:
            continue
        spread = pod_of(each)["topologySpreadConstraints"]
        assert {rule["topologyKey"] for rule in spread} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        assert all(matches(rule["labelSelector"], labels_of(each)) for rule in spread)


@overlays
def test_the_migration_cleans_up_and_tries_again(overlay: str) -> None:
    for job in of_kind(overlay, "Job"):
        assert job["spec"]["ttlSecondsAfterFinished"] > 0
        assert job["spec"]["backoffLimit"] > 0


@overlays
def test_nothing_goes_in_or_out_unnamed(overlay: str) -> None:
    policies = {name_of(each): each["spec"] for each in of_kind(overlay, "NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        assert name == "default-deny" or set(policy["policyTypes"]) == {
            kind for kind in ("Ingress", "Egress") if kind.lower() in policy
        }
        assert chosen(overlay, policy["podSelector"]), f"{name} is for no pod"
        for rule in [*policy.get("egress", ()), *policy.get("ingress", ())]:
            assert rule["ports"], f"{name} opens every port"
            peers = [*rule.get("to", ()), *rule.get("from", ())]
            assert peers, f"{name} opens to everybody"
            for port in rule["ports"]:
                if isinstance(port["port"], str) and "ingress" in policy:
                    assert all(port["port"] in ports_of(each) for each in chosen(overlay, policy["podSelector"]))


@overlays
def test_ways_out_are_those_that_a_service_has_addresses_for(overlay: str) -> None:
    """A pod may reach a server exactly when its environment names one."""
    ways = {
        "to-postgres": "DATABASE_URL_FILE",
        "to-nats": "NATS_URL_FILE",
        "to-temporal": "TEMPORAL_ADDRESS",
        "to-collector": "OTEL_EXPORTER_OTLP_ENDPOINT",
    }
    policies = {name_of(each): each["spec"] for each in of_kind(overlay, "NetworkPolicy")}
    for policy, variable in ways.items():
        open_to = chosen(overlay, policies[policy]["podSelector"]) if policy in policies else []
        may = {labels_of(each)["app.kubernetes.io/name"] for each in open_to}
        needs = {
            labels_of(each)["app.kubernetes.io/name"]
            for each in workloads(overlay)
            if variable in environment(overlay, each)
        }
        assert may == needs, policy


@overlays
def test_the_internet_leaves_out_private_networks_and_the_clouds_metadata(overlay: str) -> None:
    blocks = [
        peer["ipBlock"]
        for policy in of_kind(overlay, "NetworkPolicy")
        for rule in policy["spec"].get("egress", ())
        for peer in rule.get("to", ())
        if "ipBlock" in peer
    ]
    assert blocks
    for block in blocks:
        if ":" not in block["cidr"] and not block["cidr"].endswith("/32"):  # a single machine is meant
            assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(block["except"])


@overlays
def test_what_scales_or_leads_in_exists_and_nobody_else_counts_its_replicas(overlay: str) -> None:
    deployments = {name_of(each): each for each in of_kind(overlay, "Deployment")}
    for scaler in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        assert "replicas" not in deployments[target["name"]]["spec"]
    services = {name_of(each): each for each in of_kind(overlay, "Service")}
    for ingress in of_kind(overlay, "Ingress"):
        hosts = {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]}
        for rule in ingress["spec"]["rules"]:
            assert rule["host"] in hosts
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["port"]["name"] in {p["name"] for p in services[backend["name"]]["spec"]["ports"]}
    for monitor in of_kind(overlay, "ServiceMonitor"):
        seen = {
            name for name, each in services.items() if matches(monitor["spec"]["selector"], each["metadata"]["labels"])
        }
        assert seen == set(SERVICES)
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} == {"web"}


@overlays
def test_jiras_limit_is_shared_by_as_many_as_there_may_be(overlay: str) -> None:
    most = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["maxReplicaCount"]
        for each in of_kind(overlay, "ScaledObject")
    }
    for each in workloads(overlay):
        if labels_of(each)["app.kubernetes.io/name"] == "ingestor":
            replicas = most.get("ingestor", each["spec"].get("replicas"))
            assert float(environment(overlay, each)["JIRA_REQUESTS_PER_SECOND"]) * replicas <= 50


def test_keda_asks_for_queues_and_consumers_that_there_are() -> None:
    from libs.temporal.names import CONTROL_QUEUE, SYNC_QUEUE
    from services.notifier.saved_state import NAME

    asked = [trigger for each in of_kind("scaled", "ScaledObject") for trigger in each["spec"]["triggers"]]
    assert {trigger["metadata"]["taskQueue"] for trigger in asked if trigger["type"] == "temporal"} == {
        CONTROL_QUEUE,
        SYNC_QUEUE,
    }
    (consumer,) = [trigger["metadata"] for trigger in asked if trigger["type"] == "nats-jetstream"]
    assert (consumer["account"], consumer["stream"], consumer["consumer"]) == ("JDI", "JIRA", NAME)
    assert "\n  JDI {" in (ROOT / "deploy/nats/nats-server.conf").read_text()


def test_the_versioned_ingestor_is_the_same_pod_and_runs_once() -> None:
    (versioned,) = of_kind("versioned", "WorkerDeployment")
    (plain,) = [each for each in of_kind("versioned", "Deployment") if name_of(each) == "ingestor"]
    assert versioned["spec"]["template"] == plain["spec"]["template"]
    assert (versioned["spec"]["replicas"], plain["spec"]["replicas"]) == (2, 0)
    (connection,) = of_kind("versioned", "Connection")
    assert versioned["spec"]["workerOptions"]["connectionRef"]["name"] == name_of(connection)
    found = environment("versioned", versioned)
    assert connection["spec"]["hostPort"] == found["TEMPORAL_ADDRESS"]
    assert versioned["spec"]["workerOptions"]["temporalNamespace"] == found["TEMPORAL_NAMESPACE"]


def test_traces_go_where_the_network_lets_them() -> None:
    (policy,) = [each["spec"] for each in of_kind("traced", "NetworkPolicy") if name_of(each) == "to-collector"]
    (rule,) = policy["egress"]
    ((peer,), (port,)) = rule["to"], rule["ports"]
    namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    services = [each for each in workloads("traced") if labels_of(each)["app.kubernetes.io/name"] in SERVICES]
    assert len(services) == len(SERVICES)
    for each in services:
        found = environment("traced", each)
        assert endpoint(found) == f"http://otel-collector.{namespace}.svc.cluster.local:{port['port']}"
        assert float(found["OTEL_TRACES_SAMPLER_ARG"]) == 1.0


def test_who_speaks_to_temporal_has_its_certificates_where_it_asks_for_them() -> None:
    for each in workloads("temporal-tls"):
        found = environment("temporal-tls", each)
        asked = {name for name in found if name.startswith("TEMPORAL_TLS_")}
        assert len(asked) == (3 if "TEMPORAL_ADDRESS" in found else 0), name_of(each)


def test_the_operators_rules_are_prometheus_own() -> None:
    """promtool has looked at those (`make observe-check`)."""
    assert rules.WRITTEN.read_text() == rules.text(), "run `make rules`"
    (operators,) = of_kind("prod", "PrometheusRule")
    groups = [group for file in rules.RULES.glob("*.yml") for group in yaml.safe_load(file.read_text())["groups"]]
    assert len({group["name"] for group in operators["spec"]["groups"]}) == len(groups)
    assert [each for group in operators["spec"]["groups"] for each in group["rules"]] == [
        each
        for file in sorted(rules.RULES.glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for each in group["rules"]
    ]


def test_grafanas_sidecar_finds_every_dashboard() -> None:
    found = [each for each in of_kind("prod", "ConfigMap") if "grafana_dashboard" in each["metadata"].get("labels", {})]
    boards = {path.name: path.read_text() for path in (ROOT / "deploy/observe/grafana/dashboards").iterdir()}
    assert {name: text for each in found for name, text in each["data"].items()} == boards
    # `kubectl apply` keeps the whole object in an annotation, which may have so many bytes.
    assert all(len(text.encode()) < 2**18 for text in boards.values())


def test_every_component_and_file_is_used() -> None:
    texts = "".join(path.read_text() for path in K8S.rglob("kustomization.yaml"))
    for path in K8S.rglob("*.yaml"):
        if path.name not in ("kustomization.yaml", "secrets.example.yaml"):
            assert path.name in texts, path
    for folder in (K8S / "components").iterdir():
        assert f"components/{folder.name}" in texts or fnmatch(texts, f"*/{folder.name}*"), folder
