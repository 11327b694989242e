"""What is set aside because it could not be read, and what is owed for it: asked for again until it can. Pure.

A debt belongs to what is asked for as a whole: an issue, one look-up, or all records without a name. It is stored with
the page that met it, in one transaction, and it ends by an answer that shows the thing whole or says that it is gone.
Each record in it has a stream of its own, so that people read what is set aside, since when and why.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from libs.events import Change, RecordQuarantined, RecordReleased
from services.ingestor.sync.records.odd import Odd
from services.ingestor.sync.records.translate import Origin

AT_EACH_RUN: Final = 3
"""So many times a thing is tried at each run; then the pauses grow, so that what stays sick costs little."""
FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=1)
TOLD_AFTER: Final = 3
"""Tries after which people are told of a list that cannot be had. An unreadable record is told at once."""
RECORDS_NAMED: Final = 20
"""Records of one debt that are set aside by name; the last one stands for the others."""
LONGEST_RAW: Final = 65_536
"""Characters of a record that are kept."""

RELEASED: Final = b"released"
"""Digest of a record's stream while it is not set aside."""
NEVER: Final = datetime.min.replace(tzinfo=UTC)

_PLACE: Final = re.compile(r"`(\$[^`]*)`|^`([^`]+)`")


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed of one thing."""

    since: datetime
    tried: datetime
    """When it was asked for last."""
    tries: int = 1
    records: dict[str, str] = {}
    """Each record that is set aside, with its name and the reason."""
    unreadable: bool = False
    """Whether Jira shows it, in a shape that cannot be read."""

    @property
    def told(self) -> bool:
        """Whether people should know of it."""
        return self.unreadable or self.tries >= TOLD_AFTER

    @property
    def due(self) -> datetime:
        """When it is asked for again at the earliest; a run that somebody asked for does not wait so long."""
        return self.tried + pause_after(self.tries)


class Nameless(Debt, frozen=True, kw_only=True):
    """An issue that cannot be asked for: what it was found in is read again as a whole."""

    bound: datetime | None
    """Of the search that showed it; None for a list of all issues."""
    run_id: str
    """The run that has met it last."""


nameless_debt: Final = msgspec.json.Decoder(Nameless).decode
"""The debt that the checkpoint of a nameless issue holds."""


class Settlement(NamedTuple):
    """What is to be stored of the debts that an answer has touched."""

    changes: list[Change]
    checkpoints: dict[str, bytes]
    forget: list[str]

    def beside(self, other: Settlement) -> Settlement:
        """Both, of different debts."""
        return Settlement(
            self.changes + other.changes, self.checkpoints | other.checkpoints, self.forget + other.forget
        )


def pause_after(tries: int) -> timedelta:
    """The pause before the next try."""
    if tries < AT_EACH_RUN:
        return timedelta()
    doublings = min(tries - AT_EACH_RUN, 10)  # no power beyond what a time holds
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def debt_of(stored: bytes) -> Debt:
    """The debt that a checkpoint holds; earlier versions wrote the time of the last try, or nothing."""
    if stored.startswith(b"{"):
        return msgspec.json.decode(stored, type=Debt)
    tried = datetime.fromisoformat(stored.decode()) if stored else NEVER
    return Debt(since=tried, tried=tried)


def settle(
    origin: Origin,
    known: Mapping[str, bytes],
    answered: Iterable[str],
    odd: Mapping[str, Sequence[Odd]],
    unanswered: Mapping[str, Odd | None] = {},
) -> Settlement:
    """What becomes of the debts that were asked for. Each is given by the name of its checkpoint.

    Args:
        origin: of the answer.
        known: all debts.
        answered: those whose thing the answer shows, or says to be gone.
        odd: what could not be read of a thing that is shown. One that is in `answered` alone is whole, or gone.
        unanswered: why there is no answer, None where nobody needs to know; what was set aside before stays so.
    """
    settlement = Settlement([], {}, [])
    for name in dict.fromkeys((*answered, *odd)):
        before = debt_of(known[name]) if name in known else None
        lacking = _bounded(odd.get(name, ()))
        now = {one.record for one in lacking}
        settlement.changes.extend(_quarantined(origin, one) for one in lacking)
        if before is not None:
            settlement.changes.extend(released(origin, (record for record in before.records if record not in now)))
        if lacking:
            settlement.checkpoints[name] = msgspec.json.encode(_debt(origin, before, lacking))
        elif before is not None:
            settlement.forget.append(name)
    for name, one in unanswered.items():
        before = debt_of(known[name]) if name in known else None
        lacking = [] if one is None else [one]
        settlement.changes.extend(_quarantined(origin, odd) for odd in lacking)
        settlement.checkpoints[name] = msgspec.json.encode(_debt(origin, before, lacking, keep=True))
    return settlement


def nameless(origin: Origin, known: Mapping[str, bytes], bound: datetime | None, odd: Mapping[str, Odd]) -> Settlement:
    """Set aside issues that cannot be asked for because they have neither id nor key.

    Args:
        origin: of the answer.
        known: all debts, by the names of their checkpoints.
        bound: of the search that showed them; None for all issues.
        odd: the issues, by the names of their checkpoints.
    """
    settlement = Settlement([], {}, [])
    for name, one in odd.items():
        debt = _debt(origin, debt_of(known[name]) if name in known else None, [one])
        debt = Nameless(**msgspec.structs.asdict(debt), bound=bound, run_id=origin.cause)
        settlement.changes.append(_quarantined(origin, one))
        settlement.checkpoints[name] = msgspec.json.encode(debt)
    return settlement


def nameless_of(raw: Raw, why: str) -> Odd:
    """An issue without id and key. It is known by its content."""
    digest = hashlib.blake2b(bytes(raw), digest_size=8).hexdigest()
    return Odd(f"nameless/{digest}", "issue", "An issue without id and key", why, raw=raw)


def not_met_again(known: Mapping[str, bytes], run_id: str, since: datetime | None) -> dict[str, Nameless]:
    """The nameless issues that a run has not met, although it has read what they were found in.

    Args:
        known: debts of nameless issues, by the names of their checkpoints.
        run_id: the run that has ended.
        since: the bound of its search; None for all issues.
    """
    debts = {name: nameless_debt(stored) for name, stored in known.items()}
    return {name: debt for name, debt in debts.items() if debt.run_id != run_id and _covers(since, debt.bound)}


def _covers(since: datetime | None, bound: datetime | None) -> bool:
    return since is None or (bound is not None and since <= bound)


def released(origin: Origin, records: Iterable[str]) -> list[Change]:
    """Records that are not set aside any more."""
    return [_released(origin, record) for record in records]


def _debt(origin: Origin, before: Debt | None, lacking: Sequence[Odd], *, keep: bool = False) -> Debt:
    """The debt after one more try; `keep`: what was set aside before stays so beside what is lacking now."""
    records = {one.record: f"{one.name}: {one.why}" for one in lacking}
    return Debt(
        since=before.since if before else origin.fetched_at,
        tried=origin.fetched_at,
        tries=before.tries + 1 if before else 1,
        records=before.records | records if before and keep else records,
        unreadable=any(one.raw is not None for one in lacking) or bool(before and keep and before.unreadable),
    )


def _bounded(odd: Sequence[Odd]) -> Sequence[Odd]:
    if len(odd) <= RECORDS_NAMED:
        return odd
    named, first = odd[: RECORDS_NAMED - 1], odd[RECORDS_NAMED - 1]
    others = len(odd) - len(named)
    return (*named, first._replace(record=f"{first.record} and others", why=f"{first.why}, and {others - 1} more"))


def _quarantined(origin: Origin, odd: Odd) -> Change:
    event = RecordQuarantined(
        **origin.envelope(RecordQuarantined, f"{origin.project}/{odd.record}"),
        run_id=origin.cause,
        record=odd.record,
        kind=odd.kind,
        name=odd.name,
        issue_id=odd.issue_id,
        issue_key=odd.issue_key,
        field=_field_of(odd.why),
        why=odd.why,
        raw=None if odd.raw is None else bytes(odd.raw).decode("utf-8", "replace")[:LONGEST_RAW],
        asked_again=True,
    )
    # By the reason alone: what else differs from one answer to the next is not worth an event.
    reason = hashlib.blake2b(f"{odd.name}\0{odd.why}".encode("utf-8", "replace"), digest_size=16).digest()
    return origin.change(event, reason, origin.fetched_at)


def _released(origin: Origin, record: str) -> Change:
    event = RecordReleased(
        **origin.envelope(RecordReleased, f"{origin.project}/{record}"), run_id=origin.cause, record=record
    )
    return origin.change(event, RELEASED, origin.fetched_at)


def _field_of(why: str) -> str:
    """The place in the record that the reason names, as decoders and `UnreadableError` write it."""
    found = _PLACE.search(why)
    return (found[1] or found[2] or "") if found else ""
