"""Alerts and silences, as the API shows them."""

import enum
from datetime import datetime

import strawberry

from services.graphql.api.alerts.notifications import Notification
from services.graphql.api.context import Info
from services.graphql.api.issues.types import moment, moment_or_none
from services.graphql.api.syncs.types import uid
from services.graphql.reading.reader import Row


@strawberry.enum(description="Whether somebody has to act on an alert.")
class AlertStatus(enum.Enum):
    OPEN = strawberry.enum_value("OPEN", description="Nobody is at it yet.")
    ACKNOWLEDGED = strawberry.enum_value("ACKNOWLEDGED", description="Somebody is: no more reminders.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="It is over.")


@strawberry.type(description="What people should know of a project, from when it was seen until it is over.")
class Alert:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="Of this episode; trouble that comes back is another alert.")
    site: str = strawberry.field(description="Short name of the Jira site.")
    project_key: str = strawberry.field(description="Key of the project.")
    project_uid: strawberry.ID = strawberry.field(description="<site>:<project key>.")
    fingerprint: str = strawberry.field(description="The same for the same trouble of a project, in every episode.")
    code: str = strawberry.field(description="The classified cause, such as SUSPENDED_PAYMENT.")
    category: str = strawberry.field(
        description="Whom it concerns: billing, access, limits, network, jira, contract, storage, latency or other."
    )
    severity: str = strawberry.field(description="critical (nothing is synced until somebody acts), warning or info.")
    message: str = strawberry.field(description="What happened, as it was last seen.")
    advice: str = strawberry.field(description="What to do about it.")
    docs: str | None = strawberry.field(description="An address where to read on.")
    status: AlertStatus = strawberry.field(description="OPEN, ACKNOWLEDGED or RESOLVED.")
    first_seen: datetime = strawberry.field(description="When a run first showed it.")
    last_seen: datetime = strawberry.field(description="When a run last showed it.")
    count: int = strawberry.field(description="How many runs showed it.")
    run_id: str | None = strawberry.field(description="The last of them.")
    acknowledged_by: str | None = strawberry.field(description="Who is at it.")
    acknowledged_at: datetime | None = strawberry.field(description="Since when.")
    acknowledgement: str | None = strawberry.field(description="What they said.")
    resolved_at: datetime | None = strawberry.field(description="When it was over.")
    resolved_by: str | None = strawberry.field(description="Who resolved it by hand.")
    resolution: str | None = strawberry.field(
        description="RECOVERED, SUPERSEDED by another alert of the project, BY_HAND, or UNREGISTERED."
    )
    resolution_note: str | None = strawberry.field(description="What was said about that.")
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this one.")

    @strawberry.field(description="Until when nobody is told of it; null when it is not silenced.")
    async def silenced_until(self, info: Info) -> datetime | None:
        silences = await info.context.loaders.silences.load((self.row["site"], self.row["project_key"]))
        return max((moment(row["until"]) for row in silences if row["code"] in ("", self.code)), default=None)

    @strawberry.field(description="The notices about it, newest first; at most 20.")
    async def notifications(self, info: Info) -> list[Notification]:
        rows = await info.context.loaders.notifications_of_alerts.load((self.row["site"], self.row["alert_id"]))
        return [Notification.of(row) for row in rows]

    @classmethod
    def of(cls, row: Row) -> "Alert":
        return cls(
            row=row,
            id=strawberry.ID(row["alert_id"]),
            site=row["site"],
            project_key=row["project_key"],
            project_uid=strawberry.ID(uid(row["site"], row["project_key"])),
            fingerprint=row["fingerprint"],
            code=row["code"],
            category=row["category"],
            severity=row["severity"],
            message=row["message"],
            advice=row["advice"],
            docs=row["docs"] or None,
            status=AlertStatus(row["status"]),
            first_seen=moment(row["first_seen"]),
            last_seen=moment(row["last_seen"]),
            count=row["count"],
            run_id=row["run_id"],
            acknowledged_by=row["acknowledged_by"],
            acknowledged_at=moment_or_none(row["acknowledged_at"]),
            acknowledgement=row["acknowledgement"],
            resolved_at=moment_or_none(row["resolved_at"]),
            resolved_by=row["resolved_by"],
            resolution=row["resolution"],
            resolution_note=row["resolution_note"],
            cursor=str(row["raised_position"]),
        )


@strawberry.type(description="Alerts of a project of which nobody is told for a while.")
class Silence:
    code: str | None = strawberry.field(description="Only alerts of this code; null: all of them.")
    until: datetime = strawberry.field(description="When it ends.")
    by: str = strawberry.field(description="Who wanted it.")
    reason: str | None = strawberry.field(description="Why.")

    @classmethod
    def of(cls, row: Row) -> "Silence":
        return cls(code=row["code"] or None, until=moment(row["until"]), by=row["by"], reason=row["reason"] or None)
