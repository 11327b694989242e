"""What is proved of a project, and what is wrong with its censuses, as censuses and the lack of them show. Pure.

Three alerts follow, each ended by the next census that shows the contrary:

    MASS_REMOVAL             a census has removed nothing, because so much seems gone
    UNPROVED                 some censuses in a row have failed, or none has proved anything for too long
    UNEXPLAINED_DIFFERENCE   two censuses in a row have met a difference that nobody can explain
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from libs.events import NEVER_SYNCED, OVERTAKEN, CensusCompleted, CensusFailed, DifferenceCause, Event, SyncSucceeded
from services.telemetry import alerts as alerting
from services.telemetry.alerts import About, Alerts
from services.telemetry.backoff import Rules

FAILED_CENSUSES: Final = 3
"""In a row, from which on people should know."""

OVERDUE_AFTER: Final = 2
"""So many intervals without a proof are noted; when one more has passed in which syncs went well, people should know.
After a standstill of everything the census so has its time."""

IDS_SAID: Final = 5
"""Of a difference, in words."""


class Proof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is proved of one project."""

    since: datetime | None = None
    """From when on a proof can be expected: it was registered or resumed, or its censuses were first heard of."""
    proved: datetime | None = None
    """When a census last proved it."""
    failures: int = 0
    """Censuses in a row that failed."""
    overdue: datetime | None = None
    """When it was first seen that a proof is overdue."""
    differences: dict[str, int] = {}
    """entity/cause -> number, as the last census that was completed found them."""
    unexplained: dict[str, tuple[str, ...]] = {}
    """Entity -> ids of what nobody could explain then: all of them, or the first."""


class Judged(NamedTuple):
    """What an event makes of a project's proof."""

    proof: Proof
    alerts: Alerts
    events: tuple[Event, ...] = ()


def completed(proof: Proof, alerts: Alerts, event: CensusCompleted, position: int) -> Judged:
    """After a census that went to its end; one that was held back proves nothing."""
    differences = {
        f"{each.entity}/{one.cause.value}": one.number for each in event.entities for one in each.differences
    }
    if event.brake and not event.held_back:  # there is nothing that a person could accept
        proof = msgspec.structs.replace(proof, differences=differences)
        return _unproved(proof, alerts, event, position, event.brake)
    alerts, events = alerting.of_census(alerts, event, position, About.REMOVAL, _removal(event))
    if event.brake:
        held = msgspec.structs.replace(proof, failures=0, differences=differences)
        return Judged(held, alerts, events)
    alerts, proved = alerting.of_census(alerts, event, position, About.PROOF, "")
    unexplained = _unexplained(event)
    trouble = _difference(event, unexplained) if stays(proof.unexplained, unexplained) else ""
    known = unexplained and any(alert.about is About.DIFFERENCE for alert in alerts)
    if trouble or not known:  # another difference, for which the next census has its time, ends no alert
        alerts, told = alerting.of_census(alerts, event, position, About.DIFFERENCE, trouble, count=2)
        proved += told
    after = Proof(since=proof.since, proved=event.occurred_at, differences=differences, unexplained=unexplained)
    return Judged(after, alerts, (*events, *proved))


def failed(proof: Proof, alerts: Alerts, event: CensusFailed, position: int) -> Judged:
    """After a census that failed. One that had nothing to compare, or was overtaken, says nothing of the project."""
    if event.code in (NEVER_SYNCED, OVERTAKEN):
        return Judged(proof, alerts)
    return _unproved(proof, alerts, event, position, f"{event.code}: {event.message} {event.advice}".rstrip())


def _unproved(proof: Proof, alerts: Alerts, event: CensusCompleted | CensusFailed, position: int, why: str) -> Judged:
    proof = msgspec.structs.replace(proof, failures=proof.failures + 1)
    if proof.failures < FAILED_CENSUSES:
        return Judged(proof, alerts)
    trouble = f"{proof.failures} censuses of {event.project} in a row have proved nothing, the last with {why}"
    alerts, events = alerting.of_census(alerts, event, position, About.PROOF, trouble, count=proof.failures)
    return Judged(proof, alerts, events)


def looked_at(proof: Proof, alerts: Alerts, event: SyncSucceeded, position: int, rules: Rules) -> Judged:
    """When a sync went well: is a census overdue?"""
    now, since = event.occurred_at, proof.since or event.occurred_at
    proof = msgspec.structs.replace(proof, since=since)
    known = max(since, proof.proved or since)
    if not rules.census or now - known <= OVERDUE_AFTER * timedelta(seconds=rules.census):
        return Judged(msgspec.structs.replace(proof, overdue=None), alerts)
    overdue = proof.overdue or now
    proof = msgspec.structs.replace(proof, overdue=overdue)
    told = any(alert.about in (About.PROOF, About.REMOVAL) for alert in alerts)
    if told or now - overdue < timedelta(seconds=rules.census):
        return Judged(proof, alerts)
    last = f"was last on {proof.proved:%Y-%m-%d at %H:%M} UTC" if proof.proved else "has never been"
    trouble = f"{event.project} {last} proved to be complete, though a census is due every {rules.census / 3600:g} h."
    alerts, events = alerting.of_census(alerts, event, position, About.PROOF, trouble)
    return Judged(proof, alerts, events)


def stays(before: dict[str, tuple[str, ...]], now: dict[str, tuple[str, ...]]) -> bool:
    """Whether something that was unexplained still is. Ids that were not told may be the same."""
    both = before.keys() & now.keys()
    return any(not (before[entity] and now[entity]) or set(before[entity]) & set(now[entity]) for entity in both)


def _unexplained(event: CensusCompleted) -> dict[str, tuple[str, ...]]:
    return {
        each.entity: one.ids
        for each in event.entities
        for one in each.differences
        if one.cause is DifferenceCause.UNEXPLAINED and one.number
    }


def _removal(event: CensusCompleted) -> str:
    if not event.brake:
        return ""
    return f"A census of {event.project} has removed nothing: {event.brake.rstrip('.')}."


def _difference(event: CensusCompleted, unexplained: dict[str, tuple[str, ...]]) -> str:
    numbers = {
        each.entity: sum(one.number for one in each.differences if one.cause is DifferenceCause.UNEXPLAINED)
        for each in event.entities
    }
    said = "; ".join(_said(entity, numbers[entity], ids) for entity, ids in unexplained.items())
    return f"Jira and what is stored of {event.project} differ, over two censuses, and nobody knows why: {said}."


def _said(entity: str, number: int, ids: tuple[str, ...]) -> str:
    named = ", ".join(ids[:IDS_SAID]) + (", …" if number > IDS_SAID else "")
    of = "" if entity == "issue" else "of issue "
    return f"{number:,} {entity}{'' if number == 1 else 's'}" + (f" ({of}{named})" if ids else "")
