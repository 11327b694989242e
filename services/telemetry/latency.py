"""Which successful runs are slow: pure, from what earlier runs of the project took.

A run is measured by its seconds per (fixed cost + thousand rows), so that a run with many rows is not slow for that.
The fixed cost is fitted: the one of a few by which the learnt runs come out most alike. What is usual are the median,
the spread (MAD) and the 95th percentile of the logarithms, over runs that reach back about a week of a 15-minute
schedule, so that quiet nights and busy mornings both are in it.

Slowness begins by one of two ways, and never with a run under `FLOOR_SECONDS`:

- a jump: 3 of 5 runs are out of all proportion (z > 4, and over 1.5 times the 95th percentile);
- a drift: the moving average (EWMA) of the runs has left what is usual for an average, and even for a single run, and
  is higher than in the busiest hours learnt.

It ends after 5 runs in a row within what is usual. A run waits for 20 others before it is learnt, and those of a slow
time are not learnt at all; but when it lasts for 100 runs, what was slow is the new usual.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

FLOOR_SECONDS: Final = 30.0
"""A run under this is never slow. Ticks are minutes apart: below half a minute nobody gets data noticeably later."""

ARMED_RUNS: Final = 20
"""Runs to learn from before a jump is believed."""
DRIFT_RUNS: Final = 96
"""Runs to learn from before a drift is believed: a day of a 15-minute schedule, or each morning would be one."""
LEARNT_RUNS: Final = 168
"""Runs remembered as usual."""
STRIDE: Final = 4
"""Once so many are remembered, every fourth run takes the place of the oldest: together a week."""
WAITING_RUNS: Final = 20
"""Runs that wait before they are learnt, so that a drift cannot pull up what it is measured by."""
SETTLED_RUNS: Final = 100
"""Runs after which a slow time counts as usual: about a day of a 15-minute schedule."""

Z: Final = 4.0
P95_FACTOR: Final = 1.5
RECENT_RUNS: Final = 5
SLOW_OF_RECENT: Final = 3

EWMA_WEIGHT: Final = 0.2
EWMA_LIMIT: Final = 3.0
"""Standard deviations of the moving average."""
EWMA_MARGIN: Final = 1.0
"""Standard deviations over the highest moving average learnt."""
EWMA_CLIP: Final = 4.0
"""Spreads at most that one run counts for in the moving average: a single outlier is no drift."""
DRIFT_AT_LEAST: Final = math.log(1.3)
"""A drift by less than a third is nobody's concern, however regular the runs were before."""

SPREAD_AT_LEAST: Final = 0.1
"""Runs that were all alike must not make a tenth more look like a jump."""
FIXED_COSTS: Final = (0.2, 0.05, 0.1, 0.5, 1.0, 3.0, 10.0)
"""The fixed cost of a run, in thousand rows; the first one where the runs do not tell."""
FORESIGHT: Final = 2.0
"""A run with more than this times the most rows ever learnt is beyond comparison: it is learnt, not judged."""


class Past(NamedTuple):
    """A run, as it is remembered."""

    rows: int
    seconds: float
    average: float
    """The moving average after it."""


class Measured(msgspec.Struct, frozen=True):
    """A run that succeeded."""

    mode: str
    rows: int
    """Of all entities, as fetched."""
    seconds: float


class Verdict(msgspec.Struct, frozen=True):
    """What to think of the project's runs after this one."""

    slow: bool
    """Whether its runs, of any mode, are slow now; one run alone changes this only as the last straw."""
    text: str


class Usual(msgspec.Struct, frozen=True, array_like=True):
    """What runs take, by the logarithm of their seconds per (fixed cost + thousand rows)."""

    fixed: float
    centre: float
    spread: float
    p95: float
    """Above the centre."""
    most_rows: int
    highest: float
    """The highest moving average: the busy hours of each day are no drift."""


class Memory(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of the runs of one mode."""

    learnt: tuple[Past, ...] = ()
    waiting: tuple[Past, ...] = ()
    """Not learnt yet; while runs are slow, those of that time."""
    since_learnt: int = 0
    """Runs since one was learnt."""
    usual: Usual | None = None
    average: float = 0.0
    """EWMA of the distance from the centre."""
    recent: tuple[bool, ...] = ()
    """Of the last runs, whether each was out of all proportion."""
    slow: bool = False
    fine: int = 0
    """Runs in a row within what is usual, while slow."""


class Baseline(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a project's runs usually take. About 3 kB as JSON."""

    modes: dict[str, Memory] = {}


def judge(baseline: Baseline, run: Measured, floor: float = FLOOR_SECONDS) -> tuple[Baseline, Verdict]:
    """Judge a run by the earlier ones, and remember it."""
    before = baseline.modes.get(run.mode, Memory())
    after = _judged(before, run, floor)
    text = _text(run, before, after)
    if len(after.waiting) >= SETTLED_RUNS:
        after = _settled(after)
        text += f" It has been so for {SETTLED_RUNS} runs: this is the usual from now on."
    modes = baseline.modes | {run.mode: after}
    return Baseline(modes), Verdict(any(memory.slow for memory in modes.values()), text)


def _judged(memory: Memory, run: Measured, floor: float) -> Memory:
    usual, past = memory.usual, Past(run.rows, round(run.seconds, 3), memory.average)
    if usual is None or run.rows > FORESIGHT * usual.most_rows:
        return _remembered(memory, past)
    above = _size(past, usual.fixed) - usual.centre
    average = (1 - EWMA_WEIGHT) * memory.average + EWMA_WEIGHT * _clipped(above, EWMA_CLIP * usual.spread)
    past = past._replace(average=round(average, 3))
    memory = msgspec.structs.replace(
        memory,
        average=past.average,
        recent=(*memory.recent, _out_of_proportion(usual, above, run, floor))[-RECENT_RUNS:],
        fine=memory.fine + 1 if above <= usual.p95 or run.seconds <= floor else 0,
    )
    if memory.slow and memory.fine >= RECENT_RUNS:
        return msgspec.structs.replace(memory, slow=False, waiting=(), average=0.0, recent=())
    if not memory.slow and (_jumped(memory) or _drifted(memory, usual, above, run, floor)):
        return msgspec.structs.replace(memory, slow=True, fine=0, waiting=(past,))
    return _remembered(memory, past)


def _out_of_proportion(usual: Usual, above: float, run: Measured, floor: float) -> bool:
    return run.seconds > floor and above > Z * usual.spread and above > usual.p95 + math.log(P95_FACTOR)


def _jumped(memory: Memory) -> bool:
    return memory.recent[-1] and sum(memory.recent) >= SLOW_OF_RECENT


def _drifted(memory: Memory, usual: Usual, above: float, run: Measured, floor: float) -> bool:
    """Whether runs have left the usual on average. A run that is itself within it does not raise the alarm."""
    if len(memory.learnt) < DRIFT_RUNS or run.seconds <= floor or above <= usual.p95:
        return False
    noise = usual.spread * math.sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT))
    return memory.average > max(EWMA_LIMIT * noise, usual.p95, DRIFT_AT_LEAST, usual.highest + EWMA_MARGIN * noise)


def _remembered(memory: Memory, past: Past) -> Memory:
    """Let the run wait; the one that has waited longest is learnt, when it is its turn."""
    waiting = (*memory.waiting, past)
    if memory.slow or (memory.usual is not None and len(waiting) <= WAITING_RUNS):
        return msgspec.structs.replace(memory, waiting=waiting)
    oldest, waiting, since_learnt = waiting[0], waiting[1:], memory.since_learnt + 1
    if len(memory.learnt) >= LEARNT_RUNS and since_learnt < STRIDE:
        return msgspec.structs.replace(memory, waiting=waiting, since_learnt=since_learnt)
    learnt = (*memory.learnt, oldest)[-LEARNT_RUNS:]
    return msgspec.structs.replace(memory, learnt=learnt, waiting=waiting, since_learnt=0, usual=_usual(learnt))


def _settled(memory: Memory) -> Memory:
    """A memory to which the slow time is the usual."""
    learnt = tuple(past._replace(average=0.0) for past in memory.waiting)
    return Memory(learnt=learnt, usual=_usual(learnt))


def _usual(learnt: Sequence[Past]) -> Usual | None:
    if len(learnt) < ARMED_RUNS:
        return None
    logs = [(_log(past.seconds), past.rows / 1000) for past in learnt]
    fits = [(fixed, sorted([log - math.log(fixed + rows) for log, rows in logs])) for fixed in FIXED_COSTS]
    fixed, sizes = min(fits, key=lambda fit: _unlikeness(fit[1]))
    centre = _middle(sizes)
    spread = 1.4826 * _middle(sorted(abs(size - centre) for size in sizes))
    return Usual(
        fixed=fixed,
        centre=round(centre, 4),
        spread=round(max(spread, SPREAD_AT_LEAST), 4),
        p95=round(sizes[math.ceil(0.95 * len(sizes)) - 1] - centre, 4),
        most_rows=max(past.rows for past in learnt),
        highest=max(past.average for past in learnt),
    )


def _unlikeness(sizes: Sequence[float]) -> float:
    """The sum of the distances from the median, which gives the few runs with many rows their say too."""
    half = len(sizes) // 2
    return sum(sizes[-half:]) - sum(sizes[:half])


def _middle(ordered: Sequence[float]) -> float:
    """The median."""
    return (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2


def _size(past: Past, fixed: float) -> float:
    return _log(past.seconds) - math.log(fixed + past.rows / 1000)


def _log(seconds: float) -> float:
    return math.log(max(seconds, 0.001))


def _clipped(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _text(run: Measured, before: Memory, after: Memory) -> str:
    took = f"Took {_seconds(run.seconds)} for {_rows(run.rows)}"
    usual = before.usual
    if usual is None:
        return f"{took}; what is usual is known after {ARMED_RUNS} runs."
    if run.rows > FORESIGHT * usual.most_rows:
        return f"{took}; no earlier run had nearly as many."
    rows = usual.fixed + run.rows / 1000
    middle, late = math.exp(usual.centre) * rows, math.exp(usual.centre + usual.p95) * rows
    text = f"{took}; usual for that many is {_seconds(middle)} (95 % are below {_seconds(late)})."
    if after.slow and not _jumped_lately(after):
        text += f" Of late, runs took {math.exp(after.average):.1f} times the usual on average."
    return text


def _jumped_lately(memory: Memory) -> bool:
    return sum(memory.recent) >= SLOW_OF_RECENT


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
