"""What is proved of a project, as the API shows it."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

import msgspec
import strawberry

from libs.events import IDS_TOLD, ProjectKey
from libs.read_tables import NEVER, PROVED_ENTITIES, Standing, census, standing, standing_of_all
from services.graphql.api.context import Info
from services.graphql.api.syncs.proofs import CENSUS, HERE, KEYS, PROOFS
from services.graphql.api.syncs.queries import STATES
from services.graphql.execution.errors import bad_input
from services.graphql.reading.from_row import EMPTY_IS_NULL, from_row, moment_or_none
from services.graphql.reading.reader import Row

Entity = Annotated[
    str | None, strawberry.argument(description="Only of this kind: issue, comment or worklog; left out: all three.")
]


def _value(name: str, description: str) -> Any:
    return strawberry.enum_value(name, description=description)


@strawberry.enum(description="What may be said of what is stored of a project.")
class CompletenessStatus(enum.Enum):
    NEVER_SYNCED = _value("NEVER_SYNCED", "No sync has succeeded yet: nobody knows what there is.")
    NEVER_PROVED = _value(
        "NEVER_PROVED", "It was synced, and never compared with what Jira lists; or Jira does not say how many it has."
    )
    PROVED = _value("PROVED", "What Jira lists is here, and nothing else.")
    DIFFERENT = _value("DIFFERENT", "Jira and we differ, and the reasons are known.")
    UNEXPLAINED = _value("UNEXPLAINED", "Jira and we differ, and nobody knows why.")
    HELD_BACK = _value("HELD_BACK", "So much seems gone that a person has to say whether it may go; it is shown.")
    FAILED = _value("FAILED", "The last census failed and proved nothing.")
    STALE = _value("STALE", "It was proved, longer ago than three times the interval between two censuses.")


@strawberry.enum(description="Why something is in Jira and not here, or here and not in Jira.")
class DifferenceCause(enum.Enum):
    LATE = _value("LATE", "Jira has it, and its search does not list it: not yet, or because it is archived.")
    OWED = _value("OWED", "It could not be read, and is asked for again.")
    QUARANTINED = _value("QUARANTINED", "It was read and could not be understood: see `quarantine`.")
    RESTRICTED = _value("RESTRICTED", "Jira counts it and does not show it to our account.")
    HELD_BACK = _value("HELD_BACK", "It seems gone; a person has to say whether so much may go at once.")
    UNEXPLAINED = _value("UNEXPLAINED", "Nobody knows; it was asked for anew.")


@strawberry.type(description="Records that are on one side only, for one cause.")
class Difference:
    site: strawberry.Private[str]
    cause: DifferenceCause = strawberry.field(description="Why.")
    number: int = strawberry.field(description="How many.")
    ids: list[strawberry.ID] = strawberry.field(
        description=f"The first of them, {IDS_TOLD} at most: Jira's ids; of comments and worklogs, of their issues."
    )

    @strawberry.field(description="The keys of those of these issues that are shown here, in the same order.")
    async def keys(self, info: Info) -> list[str]:
        rows = [await info.context.loaders.one(KEYS, (self.site, issue_id)) for issue_id in self.ids]
        return [row["key"] for row in rows if row is not None]


@strawberry.type(description="How what is stored of one kind of a project's entities compares with Jira.")
class Completeness:
    project: strawberry.Private[ProjectKey]
    entity: str = strawberry.field(description="issue, comment or worklog.")
    status: CompletenessStatus = strawberry.field(description="What may be said of it.")
    in_jira: int | None = strawberry.field(
        description="How many the last census found in Jira; null before the first, and where Jira did not say."
    )
    here_then: int | None = strawberry.field(
        description="How many were stored and not gone when that census ended. Compare `inJira` with this one."
    )
    proved_at: datetime | None = strawberry.field(
        description="When a census last proved it. One that was held back or failed proves nothing."
    )
    differences: list[Difference] = strawberry.field(description="What differed then, by cause.")

    @strawberry.field(description="How many are stored and shown, counted now: changes since then are among them.")
    async def here(self, info: Info) -> int:
        row = await info.context.loaders.one(HERE[self.entity], self.project)
        return 0 if row is None else int(row["number"])


@strawberry.type(description="How many issues a census found gone, for one reason.")
class GoneNumber:
    reason: str = strawberry.field(description="DELETED, MOVED, HIDDEN, POLICY or UNTRACKED.")
    number: int = strawberry.field(description="How many.")


@strawberry.type(description="Why a census failed.")
class CensusError:
    code: str = strawberry.field(description="The classified cause, as of a sync: AUTH_EXPIRED.")
    message: str = strawberry.field(description="What happened.")
    advice: str = strawberry.field(description="What to do about it.")
    at: datetime = strawberry.field(description="When.")
    failures: int = strawberry.field(description="Censuses in a row that failed, this one included.")


@strawberry.type(
    description="What the last census of a project did: all ids that Jira lists of it, compared with what is stored."
)
class Census:
    status: CompletenessStatus = strawberry.field(description="What may be said of the project: the worst of it.")
    every_seconds: int = strawberry.field(description="Between two censuses; 0: there are none but by request.")
    taken_at: datetime | None = strawberry.field(description="When the last one that was completed ended.")
    proved_at: datetime | None = strawberry.field(
        description="When the last one ended that proved what is shown: completed, and nothing was held back."
    )
    run_id: str | None = strawberry.field(description="Its id in Temporal.")
    counted: int | None = strawberry.field(description="Issues by Jira's own count, which may be a little out of date.")
    gone: list[GoneNumber] = strawberry.field(description="Issues that it recorded as gone: see `absences`.")
    returned: int = strawberry.field(description="Issues that had been gone and are shown again.")
    fetched: int = strawberry.field(description="Issues that Jira listed and that were not here.")
    held_back: int = strawberry.field(description="Issues that seem gone and were not removed.")
    brake: str | None = strawberry.field(
        description="Why nothing was removed; null where nothing was held back. `proveProject` with `accept` removes.",
        metadata=EMPTY_IS_NULL,
    )
    accepted_by: str | None = strawberry.field(description="Who had accepted that so much went.")
    requests: int = strawberry.field(description="HTTP requests to Jira.")
    seconds: float | None = strawberry.field(description="How long it took.")
    error: CensusError | None = strawberry.field(description="Why the last one failed; null unless it did.")
    requested_at: datetime | None = strawberry.field(description="When somebody last asked for one.")
    requested_by: str | None = strawberry.field(description="Who.")
    accepting: bool = strawberry.field(description="Whether they accepted what had been held back.")


_NONE_TAKEN: Final[Row] = {
    **dict.fromkeys(column.name for column in census.c),
    **dict.fromkeys(("returned", "fetched", "held_back", "requests"), 0),
    "gone": "[]",
    "accepting": False,
}


class Known:
    """What the read tables know of the completeness of one project."""

    def __init__(self, project: ProjectKey, taken: Row | None, proofs: list[Row], states: list[Row]) -> None:
        self.project, self.taken = project, taken
        self.proofs = {row["entity"]: row for row in proofs}
        self._synced = {row["entity"] for row in states if row["last_sync_time"] != NEVER}

    @classmethod
    async def of(cls, info: Info, project: ProjectKey) -> Self:
        loaders = info.context.loaders
        return cls(
            project,
            await loaders.one(CENSUS, project),
            await loaders.many(PROOFS, project),
            await loaders.many(STATES, project),
        )

    def standings(self, every: float, now: datetime) -> dict[str, Standing]:
        return {
            entity: standing(self.taken, self.proofs.get(entity), synced=entity in self._synced, every=every, now=now)
            for entity in PROVED_ENTITIES
        }


async def completeness_of(info: Info, project: ProjectKey, entity: str | None = None) -> list[Completeness]:
    """What is proved of a project, by entity.

    Raises:
        GraphQLError: there is no such entity.
    """
    if entity is not None and entity not in PROVED_ENTITIES:
        raise bad_input(f"entity: {entity!r} is not compared; {', '.join(PROVED_ENTITIES)} are")
    known = await Known.of(info, project)
    standings = known.standings(info.context.census_seconds, datetime.now(UTC))
    return [
        _compared(project, name, standings[name], known.proofs.get(name))
        for name in PROVED_ENTITIES
        if entity in (None, name)
    ]


async def census_of(info: Info, project: ProjectKey) -> Census:
    """What the last census of a project did."""
    known, every = await Known.of(info, project), info.context.census_seconds
    status = CompletenessStatus(standing_of_all(known.standings(every, datetime.now(UTC))).value)
    row = known.taken or _NONE_TAKEN
    return from_row(
        Census,
        row,
        status=status,
        every_seconds=round(every),
        gone=[GoneNumber(**each) for each in msgspec.json.decode(row["gone"])],
        error=_error(row),
    )


def _compared(project: ProjectKey, entity: str, found: Standing, row: Row | None) -> Completeness:
    told = [] if row is None else msgspec.json.decode(row["differences"])
    return Completeness(
        project=project,
        entity=entity,
        status=CompletenessStatus(found.value),
        in_jira=None if row is None else row["in_jira"],
        here_then=None if row is None else row["here"],
        proved_at=None if row is None else moment_or_none(row["proved_at"]),
        differences=[
            Difference(
                site=project.site,
                cause=DifferenceCause(each["cause"]),
                number=each["number"],
                ids=[strawberry.ID(one) for one in each["ids"]],
            )
            for each in told
        ],
    )


def _error(row: Row) -> CensusError | None:
    failed_at = moment_or_none(row["failed_at"])
    if row["error_code"] is None or failed_at is None:
        return None
    return CensusError(
        code=row["error_code"],
        message=row["error_message"] or "",
        advice=row["error_advice"] or "",
        at=failed_at,
        failures=row["failures"],
    )
