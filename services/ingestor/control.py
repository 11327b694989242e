"""What people ask for, carried out: the event first, then Temporal, each step repeatable after a crash."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from croniter import croniter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from libs.events import (
    Append,
    Change,
    Event,
    ProjectRegistered,
    SiteRegistered,
    SyncRequested,
    stream_id,
)
from libs.temporal import names as temporal_names
from libs.temporal.commands import UNKNOWN_PROJECT
from libs.temporal.messages import RegisterProject, RequestSync
from services.ingestor.cursors import MarkNames, PendingRequest
from services.ingestor.journal import Journal
from services.ingestor.schedules import ProjectSchedule, ScheduleGateway, fold_schedule


class ControlActivities:
    """The steps of the control workflows of one site."""

    def __init__(self, journal: Journal, gateway: ScheduleGateway, base_url: str) -> None:
        self._journal = journal
        self._gateway = gateway
        self._base_url = base_url

    @activity.defn
    async def record_registration(self, message: RegisterProject) -> None:
        """Store that the project is registered; a second registration changes nothing."""
        if not croniter.is_valid(message.cron) or len(message.cron.split()) != 5:
            raise ApplicationError(
                f"{message.cron!r} is no cron expression of five fields, e.g. */15 * * * *", non_retryable=True
            )
        now = datetime.now(UTC)
        site = SiteRegistered(
            stream_id=stream_id(message.site, "control", message.site),
            site=message.site,
            project="",
            occurred_at=now,
            cause=message.actor,
            base_url=self._base_url,
        )
        await self._journal.append(Append(changes=[Change(event=site)], once=f"site:{message.site}"))
        project = ProjectRegistered(
            stream_id=stream_id(message.site, "control", message.project),
            site=message.site,
            project=message.project,
            occurred_at=now,
            cause=message.actor,
            key=message.project,
            cron=message.cron,
            timezone=message.timezone,
            schedule_id=temporal_names.schedule_id(message.site, message.project),
            workflow_id=temporal_names.sync_workflow_id(message.site, message.project),
        )
        await self._journal.append(
            Append(changes=[Change(event=project)], once=f"project:{message.site}/{message.project}")
        )

    @activity.defn
    async def apply_schedule(self, message: RegisterProject) -> None:
        """Make Temporal hold the schedule that the log describes."""
        await self._gateway.ensure(await self._schedule(message.site, message.project))

    @activity.defn
    async def record_sync_request(self, message: RequestSync) -> None:
        """Store the request; the next run of the project takes it up."""
        await self._schedule(message.site, message.project)
        marks = MarkNames(message.site, message.project)
        request = PendingRequest(
            request_id=message.request_id,
            full=message.full,
            account_ids=message.account_ids,
            reason=message.reason or f"requested by {message.actor}",
        )
        event = SyncRequested(
            stream_id=stream_id(message.site, "control", message.project),
            site=message.site,
            project=message.project,
            occurred_at=datetime.now(UTC),
            cause=message.actor,
            request_id=message.request_id,
            full=message.full,
            account_ids=message.account_ids,
            reason=message.reason,
        )
        await self._journal.append(
            Append(
                changes=[Change(event=event)],
                marks={f"{marks.requests}{message.request_id}": msgspec.json.encode(request)},
                once=f"request:{message.request_id}",
            )
        )

    @activity.defn
    async def trigger_schedule(self, message: RequestSync) -> None:
        """Start a run for the request; at worst, after a crash, one more than needed."""
        if not await self._gateway.trigger(message.site, message.project):
            created = await self._gateway.ensure(await self._schedule(message.site, message.project))
            if not created:
                await self._gateway.trigger(message.site, message.project)

    async def _schedule(self, site: str, project: str) -> ProjectSchedule:
        events: list[Event] = await self._journal.stream(stream_id(site, "control", project))
        schedule = fold_schedule(events)
        if schedule is None:
            raise ApplicationError(
                f"Project {project} of site {site} is not registered. Register it first: jdi register {project}",
                type=UNKNOWN_PROJECT,
                non_retryable=True,
            )
        return schedule
