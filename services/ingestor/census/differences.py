"""What is only in Jira and what is only here, each with its cause, for every kind of entity. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from libs.events import IDS_TOLD, Difference, DifferenceCause, EntityProof
from services.ingestor.census.compare import in_order
from services.ingestor.sync.records.quarantine import Debt

CHILDREN: Final = ("comment", "worklog")


def cause_of_lacking(debt: Debt | None, *, left_to_sync: bool) -> DifferenceCause:
    """Why an issue that Jira lists is not here, though it was just asked for."""
    if debt is not None:
        return DifferenceCause.QUARANTINED if debt.unreadable else DifferenceCause.OWED
    return DifferenceCause.OWED if left_to_sync else DifferenceCause.UNEXPLAINED


def issues_proof(in_jira: int | None, here: int, causes: Mapping[str, DifferenceCause], nameless: int) -> EntityProof:
    """How the issues compare.

    Args:
        in_jira: as Jira listed them; None where it listed none.
        here: stored and not gone.
        causes: of each issue that is on one side only.
        nameless: issues that Jira lists without id and key.
    """
    by_cause = {cause: [issue for issue, why in causes.items() if why is cause] for cause in DifferenceCause}
    differences = [
        _difference(cause, len(ids) + (nameless if cause is DifferenceCause.QUARANTINED else 0), ids)
        for cause, ids in by_cause.items()
    ]
    return EntityProof(entity="issue", in_jira=in_jira, here=here, differences=_some(differences))


def children_proof(
    entity: str, here: int, debts: Mapping[str, Debt], restricted: Mapping[str, Mapping[str, int]]
) -> EntityProof:
    """How comments or worklogs compare, as Jira counted them when each issue was read last.

    Args:
        entity: comment or worklog.
        here: stored and not gone.
        debts: what is owed, by issue.
        restricted: how many of each kind Jira counts and does not show, by issue.
    """
    aside = Counter({issue: sum(_is_one(record, entity) for record in debt.records) for issue, debt in debts.items()})
    cut = [issue for issue, debt in debts.items() if any(record.endswith(f"/{entity}s") for record in debt.records)]
    closed = Counter({issue: counts.get(entity, 0) for issue, counts in restricted.items()})
    differences = [
        _difference(DifferenceCause.OWED, len(cut), cut),
        _difference(DifferenceCause.QUARANTINED, aside.total(), +aside),
        _difference(DifferenceCause.RESTRICTED, closed.total(), +closed),
    ]
    # Of a list that was cut nobody knows how long it is.
    in_jira = None if cut else here + aside.total() + closed.total()
    return EntityProof(entity=entity, in_jira=in_jira, here=here, differences=_some(differences))


def _is_one(record: str, entity: str) -> bool:
    """Whether a record that is set aside is a comment or a worklog as a whole, as in `issue/10001/comment 7`."""
    return record.rpartition("/")[2].startswith(f"{entity} ") and record.count("/") == 2


def _difference(cause: DifferenceCause, number: int, ids: Collection[str]) -> Difference:
    return Difference(cause=cause, number=number, ids=tuple(in_order(ids)[:IDS_TOLD]))


def _some(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    return tuple(one for one in differences if one.number)


restricted_of: Final = msgspec.json.Decoder(dict[str, int]).decode
