"""Keeps the webhooks of the OAuth app as they should be: at the start, every hour, and when projects come or go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from libs.events import Append
from libs.jira_client import ErrorCode, JiraClient, JiraError
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.places import Places
from services.ingestor.hints.registration.wanted import EVENTS, Known, Plan, filters, named_in, plan

log = structlog.get_logger(__name__)

EVERY: Final = timedelta(hours=1)
"""Between two looks at what Jira has, while nothing is to be changed."""
REFUSED_FOR: Final = timedelta(days=1)
"""A project that Jira refused is tried again no sooner."""
ROUNDS: Final = 3
"""Times it is tried with fewer projects, as Jira names those that it does not take."""
TO_BE_TOLD: Final = frozenset(
    {ErrorCode.FORBIDDEN, ErrorCode.BAD_REQUEST, ErrorCode.NOT_FOUND_OR_HIDDEN, ErrorCode.API_GONE}
)
"""Refusals that concern webhooks alone. Others end syncs as well, whose alerts tell of them."""


def registered_checkpoint(site: str) -> str:
    """Holds the webhooks that we have registered on a site, a list of `Known`."""
    return f"{site}/@webhooks"


class Registration:
    """The webhooks of one site."""

    def __init__(self, event_log: EventLog, jira: JiraClient, alerts: SiteAlerts, site: str, url: str) -> None:
        """It asks nothing by itself.

        Args:
            event_log: knows the projects, and what was registered.
            jira: signed in to as an app.
            alerts: of the site.
            site: its short name.
            url: where webhooks are to be sent; empty: there shall be none.
        """
        self._log, self._jira, self._alerts = event_log, jira, alerts
        self._places = Places(event_log)
        self._site, self._url = site, url
        self._looked: tuple[tuple[str, ...], datetime] | None = None
        """For which projects Jira was looked at last, and when."""
        self._refused: dict[str, tuple[datetime, str]] = {}
        """Projects that Jira did not take: since when, and why."""

    async def look(self, now: datetime) -> None:
        """Have Jira hold what is wanted; ask it only where something may have changed.

        Raises:
            StoreError: the log does not answer.
        """
        known = await self._known()
        if not (self._url or known):
            return
        keys = await self._projects()
        if self._looked is not None and self._looked[0] == tuple(keys) and now - self._looked[1] < EVERY:
            return
        refusals: list[str] | None
        try:
            refusals = await self._keep(self._taken(keys, now), known, self._jira.server_now or now)
        except JiraError as error:
            log.warning("webhooks could not be looked after", why=str(error))
            if error.retryable:
                return  # until the next look
            refusals = [error.message] if error.code in TO_BE_TOLD else None
        self._looked = (tuple(keys), now)
        await self._tell(refusals)

    async def _projects(self) -> list[str]:
        """Keys of the projects that are read, as Jira has them."""
        site = await self._places.of(self._site)
        found = await self._places.open(site, site.synced)
        return sorted({project.place.jira_key for project in found.values()})

    def _taken(self, keys: Sequence[str], now: datetime) -> list[str]:
        """The projects for which webhooks are wanted, and not lately refused."""
        self._refused = {
            key: refused for key, refused in self._refused.items() if key in keys and now - refused[0] < REFUSED_FOR
        }
        return [key for key in keys if key not in self._refused] if self._url else []

    async def _keep(self, keys: Sequence[str], known: dict[int, Known], now: datetime) -> list[str]:
        """Why some could not be registered."""
        shown = await self._jira.webhooks()
        to_do = plan(filters(keys), self._url, shown, known, now)
        if shown.cut:
            # What is not shown may well be there: only what is seen is kept alive.
            await self._refresh(to_do)
            return []
        if to_do.removes_first:
            await self._remove(to_do)
        created, refusals = await self._create(to_do, keys, now)
        await self._refresh(to_do)
        # Where nothing new came, what is there still tells of most projects.
        replaced = created or not to_do.create
        if replaced and not to_do.removes_first:
            await self._remove(to_do)
        if replaced:
            await self._store(known, [*to_do.kept, *created])
        return [*refusals, *(why for _, why in self._refused.values())]

    async def _create(self, to_do: Plan, keys: Sequence[str], now: datetime) -> tuple[list[Known], list[str]]:
        """Register what lacks, without the projects that Jira names in its refusals; and the other refusals."""
        created: list[Known] = []
        refusals: list[str] = []
        wanted: dict[str, list[str]] = {jql: [key for key in keys if f'"{key}"' in jql] for jql in to_do.create}
        for _ in range(ROUNDS):
            if not wanted:
                break
            answers = await self._jira.register_webhooks(self._url, [*wanted], EVENTS)
            again: dict[str, list[str]] = {}
            for (jql, of_it), answer in zip(wanted.items(), answers, strict=True):
                if answer.id is not None:
                    created.append(Known(answer.id, self._url, jql))
                    continue
                unseen = named_in(answer.errors, of_it)
                self._refused |= dict.fromkeys(unseen, (now, "; ".join(answer.errors)))
                if not unseen:
                    refusals += answer.errors
                elif rest := [key for key in of_it if key not in unseen]:
                    again |= dict.fromkeys(filters(rest), rest)
            wanted = again
        if created:
            log.info("webhooks registered", site=self._site, webhooks=[one.id for one in created])
        return created, refusals

    async def _refresh(self, to_do: Plan) -> None:
        if to_do.refresh:
            await self._jira.refresh_webhooks(to_do.refresh)
            log.info("webhooks refreshed", site=self._site, webhooks=list(to_do.refresh))

    async def _remove(self, to_do: Plan) -> None:
        if to_do.remove:
            await self._jira.remove_webhooks(to_do.remove)
            log.info("webhooks removed", site=self._site, webhooks=list(to_do.remove))

    async def _known(self) -> dict[int, Known]:
        stored = await self._log.checkpoint(registered_checkpoint(self._site))
        if stored is None:
            return {}
        return {one.id: one for one in msgspec.json.decode(stored, type=list[Known])}

    async def _store(self, before: dict[int, Known], now: Sequence[Known]) -> None:
        """Remember what is registered; what was, is removed, or ends by itself."""
        if {one.id: one for one in now} == before:
            return
        name = registered_checkpoint(self._site)
        await self._log.append(Append(checkpoints={name: msgspec.json.encode(now)}) if now else Append(forget=[name]))

    async def _tell(self, refusals: list[str] | None) -> None:
        """Raise the alert, or end it; None: nothing is known."""
        if refusals:
            said = "; ".join(dict.fromkeys(refusals))[:300]
            await self._alerts.raise_once(ErrorCode.WEBHOOKS_REFUSED, f"Jira does not register our webhooks: {said}")
        elif refusals is not None:
            await self._alerts.resolve(ErrorCode.WEBHOOKS_REFUSED)
