"""The steps of a census, in their order. Each may run again after a crash: it then finds what it has stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio import activity

from libs.events import Append, census_end_key
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.census import (
    Asked,
    BeginCensus,
    CensusPlan,
    CensusResult,
    CensusStep,
    CensusSurvey,
    CompareIssues,
    Comparison,
    CompleteCensus,
    ConfirmMissing,
    FailCensus,
    ListingPart,
    ListIssues,
    ReadLacking,
    SurveyProject,
)
from services.ingestor.census import ending, fetching, listing, plan, survey
from services.ingestor.census.missing import confirm
from services.ingestor.census.missing.brake import SHARE
from services.ingestor.event_log import EventLog
from services.ingestor.failures import CONFIRM, PATIENCE
from services.ingestor.sync.step import AskingJira, JiraSteps, asking_jira

T = TypeVar("T")
S = TypeVar("S", bound=CensusStep)


class CensusActivities(JiraSteps):
    """The steps of the censuses of one site."""

    def __init__(
        self,
        log: EventLog,
        jira: JiraClient,
        patience: timedelta = PATIENCE,
        confirm: Sequence[timedelta] = CONFIRM,
        *,
        share: float = SHARE,
    ) -> None:
        super().__init__(log, jira, patience, confirm)
        self._share = share

    @activity.defn
    async def begin_census(self, message: BeginCensus) -> CensusPlan:
        """Decide what the census does."""
        return await self._log.once(
            f"census-begin:{message.run_id}", CensusPlan, lambda: plan.begun(self._log, message)
        )

    @activity.defn
    async def survey_project(self, message: SurveyProject) -> CensusSurvey:
        """Prove the token and the project, and have Jira count its issues."""
        return await self._ask("survey", f"census-survey:{message.run_id}", CensusSurvey, survey.surveyed, message)

    @activity.defn
    async def list_issues(self, message: ListIssues) -> ListingPart:
        """List ids, 5,000 a request, each page stored as it comes; the step goes on from where the list stands."""
        await plan.check_still_valid(self._log, message)
        async with asking_jira("listing", self._patience, self._confirm) as requests:
            return await listing.listed(self._jira, self._log, message, requests)

    @activity.defn
    async def compare_issues(self, message: CompareIssues) -> Comparison:
        """Compare the list with what is stored."""
        await plan.check_still_valid(self._log, message)
        key = f"census-compare:{message.run_id}"
        return await self._log.once(key, Comparison, lambda: listing.compared_with_log(self._log, message))

    @activity.defn
    async def read_lacking(self, message: ReadLacking) -> Asked:
        """Read issues that Jira lists and we lack, with all their comments and worklogs."""
        key = f"census-read:{message.run_id}:{message.page}"
        return await self._ask("page", key, Asked, fetching.read, message)

    @activity.defn
    async def confirm_missing(self, message: ConfirmMissing) -> Asked:
        """Ask by id for issues that we show and Jira does not list."""
        key = f"census-confirm:{message.run_id}:{message.page}"
        return await self._ask("confirmation", key, Asked, confirm.confirmed, message)

    @activity.defn
    async def complete_census(self, message: CompleteCensus) -> CensusResult:
        """Mark what is gone, unless a person has to be asked first, and say what was proved."""
        key = census_end_key(message.run_id)

        async def complete(jira: JiraClient, log: EventLog, step: CompleteCensus, requests: RequestCount) -> Append:
            return await ending.completed(jira, log, step, requests, self._share)

        return await self._ask("end", key, CensusResult, complete, message)

    @activity.defn
    async def record_census_failed(self, message: FailCensus) -> None:
        """Say why the census failed. Nothing was removed."""
        await self._log.append(await ending.failed(self._log, message))

    async def _ask(self, step: str, key: str, answer: type[T], ask: AskingJira[S], message: S) -> T:
        """Take a step that asks Jira, once, as long as the census may go on."""
        if await self._log.outcome(key) is None:
            await plan.check_still_valid(self._log, message)
        return await self._once(step, key, answer, ask, message)
