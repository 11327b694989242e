"""What people ask for, carried out: the event first, then Temporal, each step repeatable after a crash."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from temporalio import activity

from libs.events import (
    Append,
    Change,
    ControlEvent,
    ProjectKey,
    SchedulePaused,
    ScheduleResumed,
    SiteRegistered,
    StreamMovedError,
)
from libs.temporal.messages import AnyCommand, Done, ProjectRef, ProveProject, RegisterProject, Trigger
from services.ingestor.census.remembered import CensusNames, Last
from services.ingestor.checkpoints import CheckpointNames, registered_checkpoint
from services.ingestor.control.census_schedules import CensusSchedules
from services.ingestor.control.decisions import Decision, decide
from services.ingestor.control.known_states import KnownStates
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.refusals import RefusedError, refusal
from services.ingestor.control.schedules import ObservedSchedule, ScheduleGateway, Schedules, agrees
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import control_entity, project_of

ROUNDS = 10
"""Times a schedule is written before giving up: each time another writer was at it meanwhile."""

INGESTOR = "ingestor"
"""The actor of what an ingestor records on its own."""

TEMPORAL = "temporal"
"""The actor of what somebody did in Temporal's own console."""


class ControlActivities:
    """The steps of the control workflows; of several sites, where their ingestors share a log.

    `base_url` is the address of `site`; without `site`, of whatever site a command names. Without `censuses`, no
    schedules of censuses are kept.
    """

    def __init__(
        self,
        log: EventLog,
        gateway: ScheduleGateway,
        base_url: str,
        proofs: Proofs,
        *,
        site: str | None = None,
        censuses: CensusSchedules | None = None,
    ) -> None:
        self._log = log
        self._proofs = proofs
        self._gateway = gateway
        self._censuses = censuses
        self._base_url = base_url
        self._site = site
        self._state = KnownStates(log).now
        self._locks: defaultdict[ProjectKey, asyncio.Lock] = defaultdict(asyncio.Lock)

    @activity.defn
    async def adopt_schedule(self, project: ProjectRef) -> None:
        """Record a pause that was set or lifted in Temporal's own console, so that no later write undoes it."""
        key = project_of(project)
        async with self._locks[key]:
            while not await self._adopted(key, await self._gateway.observe(key)):
                pass

    async def _adopted(self, project: ProjectKey, observed: ObservedSchedule | None) -> bool:
        """Record what hands have done to a schedule that looks so. False: the log has moved on, look again."""
        state = await self._state(project)
        # A version that the log does not have is of another log, whose schedule this one has yet to replace.
        if observed is None or observed.version is None or observed.version > state.length or not state.registered:
            return True
        # Where the log has moved on to another pause or resume since it was written, that is the newer word.
        if observed.paused == state.paused or observed.version < state.pause_version:
            return True
        kind = SchedulePaused if observed.paused else ScheduleResumed
        event = kind(
            **ControlEvent.envelope(project.key, project, occurred_at=datetime.now(UTC), cause=TEMPORAL),
            reason=observed.note or "in Temporal's own console",
        )
        append = Append(
            changes=[Change(event=event)],
            idempotency_key=f"adopt:{project.site}/{project.key}:{state.version}",
            expect={event.stream_id: state.length},
        )
        try:
            await self._log.append(append)
        except StreamMovedError:
            return False
        return True

    async def register(self, command: RegisterProject) -> Trigger | None:
        """Register a project, and make the schedule of its syncs; what starts the first of them, if that was new.

        It is what a workflow would do in more steps, for those projects that the ingestor itself asks for as it starts.
        `apply_schedule` has the rest to do. What a crash has left undone the next call makes up for, or `keep`.
        """
        project = project_of(command)
        done = await self.record_command(command)
        if done.request_id is None:
            return None
        trigger = Trigger(site=project.site, project=project.key, request_id=done.request_id)
        if not await self._waits(trigger):
            return None
        async with self._locks[project]:
            desired = await self._state(project)
            if desired.registered and await self._gateway.observe(project) is None:
                await self._gateway.write(project, desired, None)
        return trigger

    @activity.defn
    async def record_command(self, command: AnyCommand) -> Done:
        """Store what a command comes to; the same command id again stores nothing and gets the same answer."""
        try:
            await self._proofs.check(command)
        except RefusedError as error:
            raise refusal(error) from error
        idempotency_key, project = f"command:{command.command_id}", project_of(command)
        async with self._locks[project]:
            for _ in range(ROUNDS):
                if (stored := await self._log.outcome(idempotency_key)) is not None:
                    return await self._again(stored)
                state = await self._state(project)
                try:
                    decision = decide(command, state, datetime.now(UTC), await self._held_back(command))
                except RefusedError as error:
                    raise refusal(error) from error
                if isinstance(command, RegisterProject):
                    await self.record_site(command.site, command.actor)
                # Telemetry, or another ingestor, may write meanwhile: what was decided on an older state is void.
                with contextlib.suppress(StreamMovedError):
                    return await self._record(command, decision, state, idempotency_key)
        raise RuntimeError(f"The settings of {command.project} are being changed by others all the time.")

    async def _record(self, command: AnyCommand, decision: Decision, state: ControlState, idempotency_key: str) -> Done:
        after = fold_control(decision.events, state)
        result = await self._log.append(
            Append(
                changes=[Change(event=event) for event in decision.events],
                checkpoints=_checkpoints(command, decision, after),
                forget=_forgotten(command, after),
                idempotency_key=idempotency_key,
                expect={_control_stream(project_of(command)): state.length},
                outcome=msgspec.json.encode(Done(position=0, request_id=decision.request_id)),
            )
        )
        if result.repeated:
            return await self._again(result.outcome)
        done = msgspec.json.decode(result.outcome, type=Done)
        return msgspec.structs.replace(done, position=max(result.positions, default=0))

    async def _held_back(self, command: AnyCommand) -> int:
        """Issues of the command's project that wait for a person to let them go; only who asks for that needs them."""
        if not isinstance(command, ProveProject) or not command.accept:
            return 0
        stored = await self._log.checkpoint(CensusNames(project_of(command)).last)
        return msgspec.json.decode(stored, type=Last).held_back if stored else 0

    async def _again(self, outcome: bytes) -> Done:
        """The answer to a command that was stored before; the log has reached at least its place."""
        return msgspec.structs.replace(msgspec.json.decode(outcome, type=Done), position=await self._log.head())

    async def record_site(self, site: str, actor: str) -> None:
        """Record the address of a site, once; of another one than ours only its own ingestor knows it."""
        if self._site not in (None, site):
            return
        event = SiteRegistered(
            **ControlEvent.envelope(site, ProjectKey(site, ""), occurred_at=datetime.now(UTC), cause=actor),
            base_url=self._base_url,
        )
        await self._log.append(Append(changes=[Change(event=event)], idempotency_key=f"site:{site}"))

    @activity.defn
    async def apply_schedule(self, project: ProjectRef) -> None:
        """Make Temporal hold the schedule that the log describes.

        The log is read again after every write: of two writers the later may have written the older state, and then
        sees the newer one here. A write takes effect only on the schedule as it was looked at, hands included.
        """
        key = project_of(project)
        async with self._locks[key]:
            for _ in range(ROUNDS):
                observed = await self._gateway.observe(key)
                if not await self._adopted(key, observed):
                    continue
                desired = await self._state(key)
                if agrees(desired, observed):
                    await self._apply_census(key, desired)
                    return
                await self._gateway.write(key, desired, observed)
        raise RuntimeError(f"The schedule of {key.key} is being written by others all the time.")

    async def _apply_census(self, project: ProjectKey, desired: ControlState) -> None:
        if self._censuses is None:
            return
        for _ in range(ROUNDS):
            observed = await self._censuses.observe(project)
            if self._censuses.agrees(desired, observed):
                return
            await self._censuses.write(project, desired, observed)
        raise RuntimeError(f"The schedule of the censuses of {project.key} is being written by others all the time.")

    @activity.defn
    async def trigger_schedule(self, trigger: Trigger) -> None:
        """Start a run for a request, unless one has served it already."""
        project = project_of(trigger)
        gateway: Schedules = self._censuses if trigger.census and self._censuses else self._gateway
        while await self._waits(trigger):
            if await gateway.trigger(project, trigger.request_id):
                return
            await self.apply_schedule(ProjectRef(site=trigger.site, project=trigger.project))

    async def _waits(self, trigger: Trigger) -> bool:
        """Whether no run has served the request yet."""
        project = project_of(trigger)
        requests = CensusNames(project).requests if trigger.census else CheckpointNames(project).requests
        return await self._log.checkpoint(f"{requests}{trigger.request_id}") is not None

    async def keep(self, site: str) -> None:
        """Once over all registered projects: adopt what was paused by hand, re-create what was deleted."""
        prefix = registered_checkpoint(ProjectKey(site, ""))
        checkpoints = await self._log.checkpoints(prefix)
        if checkpoints:
            # Another site's ingestor may have registered our projects.
            await self.record_site(site, INGESTOR)
        for checkpoint in checkpoints:
            project = ProjectRef(site=site, project=checkpoint.removeprefix(prefix))
            await self.adopt_schedule(project)
            await self.apply_schedule(project)
            await self._prove_first(project_of(project))

    async def _prove_first(self, project: ProjectKey) -> None:
        """The first census of a project that was synced does not wait for its turn, which may be hours away."""
        state = await self._state(project)
        if self._censuses is None or not self._censuses.by_themselves or not state.registered or state.paused:
            return
        synced = await self._log.checkpoint(CheckpointNames(project).watermarks)
        if synced is not None and await self._log.checkpoint(CensusNames(project).last) is None:
            # Once an hour: what fails, as while Jira is away, is no reason to ask at each look.
            await self._censuses.trigger(project, f"first-census:{datetime.now(UTC):%Y-%m-%dT%H}")


def _control_stream(project: ProjectKey) -> UUID:
    return ControlEvent.stream_of(project.site, control_entity(project))


def _checkpoints(command: AnyCommand, decision: Decision, after: ControlState) -> dict[str, bytes]:
    """What the syncs and the censuses read of the project's state."""
    if not command.project:
        return {}
    project = project_of(command)
    names = CheckpointNames(project)
    checkpoints = {names.tracked: msgspec.json.encode(after.tracked)}
    if after.registered:
        checkpoints[registered_checkpoint(project)] = b""
    if (request := decision.request) is not None:
        checkpoints[f"{names.requests}{request.request_id}"] = msgspec.json.encode(request)
    if (census := decision.census) is not None:
        checkpoints[f"{CensusNames(project).requests}{census.request_id}"] = msgspec.json.encode(census)
    return checkpoints


def _forgotten(command: AnyCommand, after: ControlState) -> list[str]:
    if after.registered or not command.project:
        return []
    project = project_of(command)
    names = CheckpointNames(project)
    return [registered_checkpoint(project), f"{names.requests}*", f"{CensusNames(project).all}*"]
