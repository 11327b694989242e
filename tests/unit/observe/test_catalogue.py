"""docs/metrics.md names what the services export, all of it, and nothing else."""

from __future__ import annotations

import re

from tests.unit.observe.catalogue import LIBRARY, PAGE, metrics, page


def test_the_page_is_what_the_services_export() -> None:
    """`make metrics` writes it anew."""
    assert PAGE.read_text() == page()


def test_names_and_meanings_are_as_prometheus_wants_them() -> None:
    ours = [metric for metric in metrics() if not metric.name.startswith(LIBRARY)]
    assert len(ours) > 30
    for metric in ours:
        assert re.fullmatch(r"(jdi|jira|notifications?)_[a-z_]+", metric.name), metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.meaning.endswith("."), metric.name
        assert not re.search(r"_(ms|minutes|hours|milliseconds)(_|$)", metric.name), metric.name


def test_no_label_can_take_values_without_end() -> None:
    """Issues, runs, users, addresses and messages do; sites, projects, endpoints, fields and codes do not."""
    labels = {label for metric in metrics() for label in metric.labels}
    assert labels <= {
        *("service", "topic", "outcome", "check", "version", "part"),
        *("site", "project", "endpoint", "status", "code", "policy", "scope", "mode", "entity", "how", "cause"),
        *("channel", "reason", "type", "field", "limit", "measure"),
    }
