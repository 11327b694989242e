"""The capacity page is the model's, the plan keeps its promise in a simulation, and less than the plan breaks it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benchmarks.capacity import page
from benchmarks.capacity.costs import Costs, measured
from benchmarks.capacity.model import HEADROOM, SITE_REQUESTS_PER_SECOND, Inputs, Plan, plan
from benchmarks.capacity.simulate import JIRA_STEPS, answer_seconds, freshness
from libs.jira_client import JiraSettings
from services.ingestor.settings import Settings
from services.ingestor.worker import JIRA_STEPS as STEPS_OF_A_WORKER
from tests.deploy.manifests import container_of, environment, name_of, objects, of_kind, workloads

COSTS = measured()
FAST_LOG = msgspec.structs.replace(COSTS, transactions_per_second=3000.0)
"""Where something else than the log is to be the bottleneck."""

SLOW_DISK = msgspec.structs.replace(COSTS, transactions_per_second=50.0)


def planned(costs: Costs = COSTS, **inputs: Any) -> Plan:
    return plan(Inputs(**inputs), costs)


def fresh(of: Plan, costs: Costs = COSTS, *, cells: float = 1.0, ingestors: int = 0, ticks: int = 4) -> bool:
    """Whether 99 of 100 runs are in time, in so many times the cells and with so many ingestors fewer."""
    took = freshness(
        of,
        costs,
        sites=round(of.sites_per_cell / cells),
        ingestors=of.ingestors_per_site - ingestors,
        ticks=ticks,
    )
    return took <= of.inputs.freshness


def test_the_tables_of_the_page_are_the_models() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    assert written == page.filled(written, COSTS), "run `python -m benchmarks.capacity page`"


def test_the_model_has_the_defaults_of_the_settings() -> None:
    defaults = {field: Settings.__dataclass_fields__[field].default for field in ("jitter", "jira_requests_per_second")}
    assert defaults == {"jitter": Inputs().jitter, "jira_requests_per_second": SITE_REQUESTS_PER_SECOND}
    assert JiraSettings.requests_per_second == SITE_REQUESTS_PER_SECOND
    assert STEPS_OF_A_WORKER == JIRA_STEPS


@pytest.mark.parametrize("sites", page.SCALES)
def test_the_plan_is_fresh(sites: int) -> None:
    assert fresh(planned(sites=sites))


def test_half_the_cells_are_not_fresh() -> None:
    """Where commits are what is scarce."""
    of = planned(SLOW_DISK, sites=10_000)
    assert fresh(of, SLOW_DISK)
    assert not fresh(of, SLOW_DISK, cells=0.5)


def test_one_ingestor_fewer_is_not_fresh() -> None:
    large = planned(FAST_LOG, projects=600, interval=60.0)
    assert large.ingestors_per_site > 1
    assert fresh(large, FAST_LOG, ticks=10)
    assert not fresh(large, FAST_LOG, ingestors=1, ticks=10)


def test_half_of_graphql_does_not_answer_in_time() -> None:
    busy = planned(sites=100, readers=1000.0)
    assert answer_seconds(busy, COSTS, replicas=busy.graphql_per_cell) < 0.5
    assert answer_seconds(busy, COSTS, replicas=busy.graphql_per_cell // 2) > 5


def test_a_simulation_is_the_same_every_time() -> None:
    of = planned(sites=20)
    assert freshness(of, COSTS, sites=20, ingestors=1) == freshness(of, COSTS, sites=20, ingestors=1)


def test_one_projector_folds_many_times_what_the_fullest_cell_brings() -> None:
    of = planned(sites=10_000)
    assert COSTS.project_per_second > 1000 * of.site.events_peak * of.sites_per_cell


@pytest.mark.parametrize(
    ("more", "of"),
    [
        ({"interval": 90.0}, "temporal_runs"),
        ({"comments": 0.2}, "storage_per_day"),
        ({"issues": 20_000}, "storage_first"),
        ({"projects": 50}, "rebuild_hours"),
        ({"sites": 1000}, "pods"),
    ],
)
def test_more_of_it_needs_more(more: dict[str, Any], of: str) -> None:
    assert getattr(planned(**more), of) > getattr(planned(), of)


def test_a_site_alone_by_hand() -> None:
    """5 projects every 900 s: 480 runs a day with 3 events each; 800 issues changed, 200 comments, 100 worklogs."""
    site = planned().site
    assert site.run_events == pytest.approx(480 * COSTS.run_events)
    assert site.issue_events == pytest.approx(800 * COSTS.change_events)
    assert site.child_events == pytest.approx(300)
    assert site.events_mean * 86_400 == pytest.approx(site.run_events + site.issue_events + site.child_events)


# ── what deploy/ says ────────────────────────────────────────────────────────────────────────────────────────────


def _scaling(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in of_kind("scaled", kind) if name_of(each) == name)["spec"]
    return found


def _deployment(name: str) -> dict[str, Any]:
    return next(each for each in workloads("scaled") if name_of(each) == name)


def test_as_many_ingestors_as_keda_may_start_share_what_a_site_may_be_asked() -> None:
    each = float(environment("scaled", _deployment("ingestor"))["JIRA_REQUESTS_PER_SECOND"])
    assert each * _scaling("ScaledObject", "ingestor")["maxReplicaCount"] <= SITE_REQUESTS_PER_SECOND


def test_what_waits_before_keda_adds_an_ingestor_is_done_in_time() -> None:
    target = max(int(t["metadata"]["targetQueueSize"]) for t in _scaling("ScaledObject", "ingestor")["triggers"])
    assert target * COSTS.processes["ingestor"].cpu_per_run / HEADROOM <= Inputs().freshness


def test_the_autoscaler_of_graphql_reaches_what_the_fullest_cell_needs() -> None:
    scaling = _scaling("HorizontalPodAutoscaler", "graphql")
    request = container_of(_deployment("graphql"))["resources"]["requests"]["cpu"]
    a_replica = (
        int(request.removesuffix("m")) / 1000 * scaling["metrics"][0]["resource"]["target"]["averageUtilization"]
    )
    full = planned(sites=10_000)
    needed = full.sites_per_cell * full.site.queries * next(iter(COSTS.queries.values())).cpu
    assert a_replica / 100 <= HEADROOM
    assert scaling["maxReplicas"] * a_replica / 100 >= needed
    assert scaling["minReplicas"] <= full.graphql_per_cell <= scaling["maxReplicas"]


def test_memory_of_an_ingestor_fits_its_limit() -> None:
    memory = container_of(_deployment("ingestor"))["resources"]["limits"]["memory"]
    assert COSTS.processes["ingestor"].peak_mb * 2 < int(memory.removesuffix("Mi"))


def test_the_overlay_has_the_kinds_that_are_asked_for() -> None:
    assert {"ScaledObject", "HorizontalPodAutoscaler"} <= {each["kind"] for each in objects("scaled")}
