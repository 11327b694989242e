"""What Jira calls a project now: its key may have changed since it was registered, its id stays.

The registration keeps its key, and with it its schedule and its history; only Jira is asked by the current one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from libs.events import Append, ProjectKey
from libs.jira_client import BadRequest, JiraClient, JiraError, NotFoundOrHidden, Project
from services.ingestor.checkpoints import CheckpointNames, registered_checkpoint
from services.ingestor.event_log import EventLog
from services.ingestor.sync.plan import full_run

T = TypeVar("T")


class Known(msgspec.Struct, frozen=True):
    """A project as Jira showed it last."""

    id: str
    key: str


async def known_project(log: EventLog, project: ProjectKey) -> Known | None:
    """What is remembered of a project; None before it was first read."""
    stored = await log.checkpoint(CheckpointNames(project).jira_project)
    return msgspec.json.decode(stored, type=Known) if stored else None


async def current_key(log: EventLog, project: ProjectKey) -> str:
    """The key by which Jira knows the project, as far as we know."""
    known = await known_project(log, project)
    return known.key if known else project.key


async def shown_now(jira: JiraClient, log: EventLog, project: ProjectKey) -> Project:
    """The project as Jira shows it now, by its id where its key has passed to another project or is gone.

    Raises:
        JiraError: as `JiraClient.project`.
    """
    known = await known_project(log, project)
    if known is None:
        return await jira.project(project.key)
    try:
        shown = await jira.project(known.key)
    except NotFoundOrHidden:
        return await jira.project(known.id)
    if shown.id == known.id:
        return shown
    try:
        return await jira.project(known.id)
    except NotFoundOrHidden:
        return shown  # deleted and made anew under the same key


async def remembered(log: EventLog, project: ProjectKey, shown: Project) -> dict[str, bytes]:
    """The checkpoints that remember a project, and ask for a full run where it has another key than before.

    Its issues have other keys then, and no change of theirs says so.
    """
    names = CheckpointNames(project)
    checkpoints = {names.jira_project: msgspec.json.encode(Known(shown.id, shown.key))}
    if await current_key(log, project) != shown.key:
        checkpoints |= full_run(names, f"renamed to {shown.key}", f"{project.key} is called {shown.key} now")
    return checkpoints


async def by_current_key(jira: JiraClient, log: EventLog, project: ProjectKey, ask: Callable[[str], Awaitable[T]]) -> T:
    """What Jira answers about the project by its current key, which is looked up where Jira does not know it any more.

    Args:
        jira: asked for the project when `ask` is refused.
        log: remembers the key.
        project: as it was registered.
        ask: asks Jira, given a key.

    Raises:
        JiraError: that of `ask`, with the newest key that there is.
    """
    known = await known_project(log, project)
    key = known.key if known else project.key
    try:
        return await ask(key)
    except (BadRequest, NotFoundOrHidden) as refusal:
        try:
            shown = await jira.project(known.id if known else key)
        except NotFoundOrHidden as why:
            # One that Jira shows, archived or in the trash, says so itself.
            raise (why if why.evidence.status == 200 else refusal) from None
        except JiraError:
            raise refusal from None
        if shown.key == key or (known is not None and shown.id != known.id):
            raise
        await log.append(Append(checkpoints=await remembered(log, project, shown)))
        return await ask(shown.key)


async def registered_keys(log: EventLog, site: str) -> set[str]:
    """The keys of all registered projects of the site."""
    prefix = registered_checkpoint(ProjectKey(site, ""))
    return {name.removeprefix(prefix) for name in await log.checkpoints(prefix)}
