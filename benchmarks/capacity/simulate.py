"""Whether a plan keeps its promise: events in order of time, queues first come first served, nothing averaged.

One cell is simulated, since cells share nothing. Every project's schedule fires at the same minute, spread by the
jitter, as cron does; what arithmetic on means cannot see is the queue behind such a tick.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from benchmarks.capacity.costs import Costs
from benchmarks.capacity.model import DAY, SITE_REQUESTS_PER_SECOND, Plan

JIRA_STEPS: Final = 8
"""Steps of one ingestor that may wait for Jira at once."""
STEPS: Final = (2, 1, 0)
"""Requests to Jira in each step of a run with changes: the look that stores the first page, references, complete. Runs
without have the first step alone; that all have three is on the safe side."""


class Queue:
    """So many servers, first come first served."""

    def __init__(self, servers: int = 1) -> None:
        self._free = [0.0] * servers

    def through(self, now: float, seconds: float) -> float:
        """When one who comes now has been served."""
        end = max(now, self._free[0]) + seconds
        heapq.heapreplace(self._free, end)
        return end


@dataclass
class _SiteQueues:
    cores: Queue
    slots: Queue
    allowance: Queue = field(default_factory=Queue)


def freshness(plan: Plan, costs: Costs, *, sites: int, ingestors: int, ticks: int = 4, seed: int = 1) -> float:
    """Seconds from when a run was due until what it found can be read; 99 of 100 runs are that fast.

    Args:
        plan: of which inputs and loads are taken.
        costs: as measured.
        sites: in the cell.
        ingestors: for each site.
        ticks: of the schedule; a cell that cannot keep up is later with each.
        seed: of what chance decides.
    """
    chance = random.Random(seed)
    store, projector = Queue(), Queue()
    queues = [_SiteQueues(Queue(ingestors), Queue(JIRA_STEPS * ingestors)) for _ in range(sites)]
    order = itertools.count()
    waiting: list[tuple[float, int, float, Iterator[float]]] = []

    inputs = plan.inputs
    per_run = plan.site.issue_events / DAY * inputs.peak * inputs.interval / inputs.projects
    clock = [0.0]
    for tick in range(ticks):
        for at in queues:
            for _ in range(inputs.projects):
                due = tick * inputs.interval + chance.uniform(0, inputs.jitter)
                run = _run(clock, at, store, projector, plan, costs, chance.expovariate(1 / per_run))
                heapq.heappush(waiting, (due, next(order), due, run))
    delays: list[float] = []
    while waiting:
        clock[0], _, due, run = heapq.heappop(waiting)
        following = next(run, None)
        if following is None:
            delays.append(clock[0] - due)
        else:
            heapq.heappush(waiting, (following, next(order), due, run))
    return sorted(delays)[int(len(delays) * 0.99)]


def _run(
    clock: list[float], at: _SiteQueues, store: Queue, projector: Queue, plan: Plan, costs: Costs, changed: float
) -> Iterator[float]:
    """The stages of one run; each tells when it is through, and goes on when the clock stands there."""
    ingestor = costs.processes["ingestor"]
    cpu = (ingestor.cpu_per_run + changed * ingestor.cpu_per_changed_issue) / len(STEPS)
    commits = costs.outcomes_per_run / len(STEPS) / costs.transactions_per_second
    for number, requests in enumerate(STEPS):
        yield at.cores.through(clock[0], cpu)
        for _ in range(requests):
            yield at.allowance.through(clock[0], 1 / SITE_REQUESTS_PER_SECOND)
            yield at.slots.through(clock[0], plan.inputs.latency)
        stored = 0.0 if number else changed
        yield store.through(clock[0], commits + stored / costs.append_per_second)
    yield projector.through(clock[0], (costs.run_events + changed) / costs.project_per_second)


def answer_seconds(plan: Plan, costs: Costs, *, replicas: int, seconds: float = 300.0, seed: int = 1) -> float:
    """Seconds a GraphQL request takes in the busiest hour of a cell; 99 of 100 are that fast."""
    chance = random.Random(seed)
    query = next(iter(costs.queries.values()))
    rate = plan.sites_per_cell * plan.site.queries
    serving, now, delays = Queue(replicas), 0.0, []
    while now < seconds:
        now += chance.expovariate(rate)
        delays.append(serving.through(now, query.cpu) - now)
    return sorted(delays)[int(len(delays) * 0.99)]
