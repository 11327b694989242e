"""The tables of docs/capacity.md, from the model and what was measured; the words around them are the page's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.capacity.costs import Costs
from benchmarks.capacity.model import SITE_REQUESTS_PER_SECOND, Inputs, Plan, plan
from benchmarks.capacity.simulate import answer_seconds, freshness

PAGE: Final = Path(__file__).parents[2] / "docs" / "capacity.md"
SCALES: Final = (1, 100, 10_000)

_BLOCK: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str, costs: Costs) -> str:
    """The page with its tables made anew."""
    plans = [plan(Inputs(sites=sites), costs) for sites in SCALES]
    tables: dict[str, Callable[[], str]] = {
        "costs": lambda: measured_costs(costs),
        "results": lambda: results(plans),
        "limits": lambda: limits(plans[-1]),
        "simulated": lambda: simulated(plans, costs),
    }
    return _BLOCK.sub(lambda block: f"{block[1]}\n{tables[block[2]]()}\n\n{block[3]}", text)


def measured_costs(costs: Costs) -> str:
    """Unit costs."""
    parts = costs.processes
    rows = [
        ("an issue in the log: row, indexes, stream head", _bytes(_stored(costs, "JiraIssueFetched"))),
        ("a comment in the log", _bytes(_stored(costs, "JiraCommentFetched"))),
        ("a worklog in the log", _bytes(_stored(costs, "WorklogFetched"))),
        ("read tables, an issue with 3 comments and 2 worklogs", _bytes(costs.read_bytes_per_issue)),
        ("read tables, a run", _bytes(costs.read_bytes_per_run)),
        ("answers that a run keeps", f"{costs.outcomes_per_run:g} of {_bytes(costs.outcome_bytes)}"),
        ("WAL per event, read tables included", _bytes(costs.wal_bytes_per_event)),
        ("NATS: an issue's message", _bytes(costs.events["JiraIssueFetched"].json_bytes + costs.nats_bytes_per_event)),
        ("Temporal: history of a run", _bytes(costs.temporal_bytes_per_run)),
        ("requests to Jira: a run without changes, one with a page of them", _requests(costs)),
        ("connections to PostgreSQL of an ingestor", f"{costs.ingestor_connections:g}"),
        ("append in batches of 100", f"{costs.append_per_second:,.0f} events/s"),
        ("append of one event, one after another", f"{costs.transactions_per_second:,.0f} commits/s"),
        ("relay to NATS", f"{costs.relay_per_second:,.0f} events/s"),
        ("projector, as it rebuilds", f"{costs.project_per_second:,.0f} events/s"),
    ]
    rows += [
        (f"GraphQL, {name}", f"{query.cpu * 1000:.1f} ms CPU, {1 / query.cpu:.0f} requests/s a core")
        for name, query in costs.queries.items()
    ]
    processes = [
        [
            name,
            f"{each.cpu_per_run * 1000:.0f} ms",
            f"{each.cpu_per_changed_issue * 1000:.1f} ms",
            f"{each.cpu_per_1000_new_issues:.2f} s",
            f"{each.idle_mb:.0f} / {each.peak_mb:.0f} MB",
        ]
        for name, each in parts.items()
        if name not in ("graphql", "postgres")
    ]
    head = ["process", "CPU a run", "CPU a changed issue", "CPU 1,000 new issues", "memory at rest / peak"]
    return f"{_table(['what', 'measured'], rows)}\n\n{_table(head, processes)}"


def results(plans: Sequence[Plan]) -> str:
    """What is needed, a column for each plan."""
    lines: list[tuple[str, Callable[[Plan], str]]] = [
        ("cells", lambda p: f"{p.cells} of {p.sites_per_cell} site{'' if p.sites_per_cell == 1 else 's'}"),
        ("syncs a second", lambda p: _figure(p.temporal_runs)),
        ("events a second, mean / busiest hour", _events),
        ("stored after the first sync", lambda p: _bytes(p.storage_first)),
        ("PostgreSQL grows a day", lambda p: _bytes(p.storage_per_day)),
        ("WAL a day", lambda p: _bytes(p.inputs.sites * p.site.wal_bytes)),
        ("NATS, 30 days", lambda p: _bytes(p.inputs.sites * p.site.nats_bytes)),
        ("ingestor pods", lambda p: f"{p.inputs.sites * p.ingestors_per_site:,}"),
        ("GraphQL pods", lambda p: f"{p.cells * p.graphql_per_cell:,}"),
        ("all pods", lambda p: f"{p.pods:,}"),
        ("memory of the ingestors", lambda p: f"{p.ingestor_gb:,.1f} GB"),
        ("cores of Temporal, at least", lambda p: _figure(p.temporal_cores)),
        ("cores of PostgreSQL, a cell", lambda p: _figure(p.database_cores)),
        ("requests to Jira, a site and hour", lambda p: f"{p.site.jira_requests * 3600:,.0f}"),
        ("of what a site may be asked", lambda p: f"{p.site.jira_requests / SITE_REQUESTS_PER_SECOND:.2%}"),
        ("all first syncs of a cell at once", lambda p: f"{p.onboarding_hours * 60:.1f} min"),
        (f"rebuild of a cell after {plans[0].inputs.days:.0f} days", lambda p: f"{p.rebuild_hours:.2f} h"),
    ]
    head = ["needed", *(f"{p.inputs.sites:,} site{'' if p.inputs.sites == 1 else 's'}" for p in plans)]
    return _table(head, [[what, *(figure(p) for p in plans)] for what, figure in lines])


def limits(of: Plan) -> str:
    """What gives out first."""
    rows = sorted(of.most_sites.items(), key=lambda item: item[1])
    return _table(["in one cell", "sites at most"], [(what, f"{most:,}") for what, most in rows])


def simulated(plans: Sequence[Plan], costs: Costs) -> str:
    """The plan, and half of it."""

    def row(of: Plan) -> list[str]:
        whole = freshness(of, costs, sites=of.sites_per_cell, ingestors=of.ingestors_per_site)
        half = freshness(of, costs, sites=2 * of.sites_per_cell, ingestors=of.ingestors_per_site)
        answer = answer_seconds(of, costs, replicas=of.graphql_per_cell)
        return [
            f"{of.inputs.sites:,}: {of.cells} of {of.sites_per_cell}",
            f"{whole:.1f} s",
            f"{half:.1f} s",
            f"{answer * 1000:.0f} ms",
        ]

    head = ["sites: cells", "99 of 100 runs", "the same in half the cells", "99 of 100 board requests"]
    return _table(head, [row(of) for of in plans])


def _events(of: Plan) -> str:
    return f"{_figure(of.inputs.sites * of.site.events_mean)} / {_figure(of.inputs.sites * of.site.events_peak)}"


def _requests(costs: Costs) -> str:
    return f"{costs.run_requests:g}, {costs.changed_run_requests:g}"


def _stored(costs: Costs, event: str) -> float:
    return costs.events[event].stored_bytes + costs.log_bytes_per_event


def _figure(number: float) -> str:
    """Two digits, never with an exponent for what is large."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
