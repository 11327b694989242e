"""How late the search of a site was measured to be, as it is remembered by project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from services.ingestor.checkpoints import late_checkpoints
from services.ingestor.event_log import EventLog
from services.ingestor.sync.lateness.measuring import Lateness, faded, lateness_of


class Measured(NamedTuple):
    """Of a site at a moment, faded."""

    by_project: Mapping[str, Lateness]

    @property
    def site(self) -> Lateness:
        return sum(self.by_project.values(), Lateness())


async def measured_on(log: EventLog, site: str, now: datetime) -> Measured:
    """What is remembered of a site."""
    prefix = late_checkpoints(site)
    stored = await log.checkpoints(prefix)
    return Measured({name.removeprefix(prefix): faded(lateness_of(value), now) for name, value in stored.items()})


def kept(site: str, project: str, before: Measured, run: Lateness, now: datetime) -> tuple[Measured, dict[str, bytes]]:
    """What is remembered after a run of a project, and the checkpoint that says so."""
    known = before.by_project.get(project)
    if known is None and not run.number:
        return before, {}
    after = faded(known or Lateness(), now) + run
    stored = {f"{late_checkpoints(site)}{project}": msgspec.json.encode(after)}
    return Measured({**before.by_project, project: after}), stored
