"""Questions to Jira on behalf of people: which projects and users are there to choose from?

They are asked here because the site's credentials and rate limits are here. What the limits have closed is asked here,
too, and opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from libs.events import Append
from libs.jira_client import Closing, JiraClient, JiraError, NotFoundOrHidden, User
from libs.temporal import messages
from libs.temporal.commands import JIRA_REFUSED
from libs.temporal.messages import (
    AnyCommand,
    AnyQuestion,
    FindClosings,
    FindLateness,
    FindProjects,
    FindUsers,
    LateChanges,
    Lateness,
    OpenGate,
    Option,
    Options,
    RegisterProject,
    RequestSync,
    SetTrackedUsers,
    WhoAmI,
)
from services.ingestor.control.decisions import check_key
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.refusals import RefusedError, refusal
from services.ingestor.event_log import EventLog
from services.ingestor.failures import failure_from
from services.ingestor.sync.lateness.measuring import BUCKETS, overlap
from services.ingestor.sync.lateness.remembered import measured_on

NamesAccounts = RegisterProject | SetTrackedUsers | RequestSync

logger = structlog.get_logger()

USERS_SHOWN = 50
"""Of a page: Jira gives all that match at once, a person reads the first few."""


class DiscoveryActivities:
    """The steps that ask Jira while somebody waits."""

    def __init__(self, jira: JiraClient, log: EventLog, proofs: Proofs) -> None:
        self._jira, self._log, self._proofs = jira, log, proofs

    @activity.defn
    async def find_options(self, question: AnyQuestion) -> Options:
        """A page of projects or users of the site; or what we know of the site ourselves."""
        async with _refusals():
            match question:
                case FindProjects():
                    return await self._projects(question)
                case FindUsers():
                    return await self._users(question)
                case WhoAmI():
                    return Options(options=(await self._account(),))
                case FindClosings():
                    return self._closings()
                case OpenGate():
                    return await self._opened(question)
                case FindLateness():
                    return await self._lateness(question)

    async def _projects(self, question: FindProjects) -> Options:
        try:
            page = await self._jira.projects(question.search or None, question.start)
        except NotFoundOrHidden:
            return Options(options=())  # Jira's way to say that nothing matches
        options = (Option(id=project.id, key=project.key, name=project.name) for project in page.projects)
        return Options(options=tuple(options), next_start=page.next_start)

    async def _users(self, question: FindUsers) -> Options:
        users = await self._jira.assignable_users(question.project, question.search)
        users.sort(key=lambda user: (user.display_name or "").casefold())
        end = question.start + USERS_SHOWN
        shown = tuple(_option(user) for user in users[question.start : end])
        return Options(options=shown, next_start=end if end < len(users) else None)

    async def _account(self) -> Option:
        account = await self._jira.myself()
        return Option(id=account.account_id, name=account.display_name or account.account_id, active=account.active)

    def _closings(self) -> Options:
        now = datetime.now(UTC)
        return Options(closings=tuple(_closing(closing, now) for closing in self._jira.limits.closings()))

    async def _lateness(self, question: FindLateness) -> Options:
        measured = (await measured_on(self._log, question.site, datetime.now(UTC))).site
        return Options(
            lateness=Lateness(
                buckets=tuple(
                    LateChanges(up_to_seconds=end, number=number)
                    for end, number in zip(BUCKETS, measured.counts, strict=True)
                ),
                latest_seconds=measured.latest,
                overlap_seconds=overlap(measured).total_seconds(),
            )
        )

    async def _opened(self, question: OpenGate) -> Options:
        await self._proofs.check(question)
        idempotency_key = f"command:{question.command_id}"
        if await self._log.outcome(idempotency_key) is not None:
            return self._closings()
        where = question.endpoint or "the whole site"
        if not self._jira.limits.gate.open(question.endpoint):
            raise RefusedError("NOT_CLOSED", f"Nothing is closed for {where} (any more).", "endpoint")
        logger.warning(
            "gate to Jira opened by hand",
            site=question.site,
            endpoint=where,
            actor=question.actor,
            reason=question.reason,
        )
        await self._log.append(Append(idempotency_key=idempotency_key))
        return self._closings()

    @activity.defn
    async def check_with_jira(self, command: AnyCommand) -> None:
        """Refuse a command that names a project or accounts which Jira does not know."""
        async with _refusals():
            if isinstance(command, RegisterProject) and command.check:
                await self._check_project(command)
            if isinstance(command, NamesAccounts) and command.account_ids:
                await self._check_accounts(command)

    async def _check_project(self, command: RegisterProject) -> None:
        check_key(command.project)
        try:
            found = await self._jira.project(command.project)
        except NotFoundOrHidden as error:
            message = (
                f"Jira shows no project {command.project} to the account that we use. {error.message} {error.advice}"
            )
            raise RefusedError("UNKNOWN_JIRA_PROJECT", message, "key") from error
        if found.key != command.project:
            raise RefusedError("UNKNOWN_JIRA_PROJECT", f"Project {command.project} is called {found.key} now.", "key")

    async def _check_accounts(self, command: NamesAccounts) -> None:
        named = {account.strip() for account in command.account_ids}
        unknown = named - {user.account_id for user in await self._jira.users_bulk(sorted(named))}
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise RefusedError("UNKNOWN_ACCOUNT", f"Jira knows no account {listed}.", "accountIds")


def _closing(closing: Closing, now: datetime) -> messages.Closing:
    error, seconds = closing.error, closing.seconds
    return messages.Closing(
        endpoint=closing.endpoint,
        until=now + timedelta(seconds=seconds) if seconds else None,
        code=error.code.value,
        message=error.message,
        advice=error.advice,
    )


def _option(user: User) -> Option:
    return Option(
        id=user.account_id,
        name=user.display_name or user.account_id,
        active=user.active is not False,
        account_type=user.account_type or "unknown",
        avatar_url=user.avatar_url,
    )


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    """Somebody waits for the answer: what Jira refuses is reported at once: the client has tried three times."""
    try:
        yield
    except RefusedError as error:
        raise refusal(error) from error
    except JiraError as error:
        failure = failure_from(error, activity.info().attempt)
        raise ApplicationError(error.message, failure, type=JIRA_REFUSED, non_retryable=True) from error
