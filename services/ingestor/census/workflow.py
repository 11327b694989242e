"""The order of the steps of a census, nothing else: what each does stands in `activities`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from libs.temporal import names
    from libs.temporal.census import (
        Asked,
        BeginCensus,
        CensusInput,
        CensusPlan,
        CensusResult,
        CensusSurvey,
        CompareIssues,
        Comparison,
        CompleteCensus,
        ConfirmMissing,
        FailCensus,
        ListingPart,
        ListIssues,
        ReadLacking,
        Standing,
        SurveyProject,
    )
    from libs.temporal.messages import Failure, RunFields

from services.ingestor.workflows import failure_of, jira_step, store_step

NOT_SHOWN = "NOT_FOUND_OR_HIDDEN"

STORE_TRY = timedelta(minutes=2)
"""For one try of a step that compares a whole project with the log."""

T = TypeVar("T")


@workflow.defn(name=names.CENSUS_WORKFLOW)
class ProveProjectWorkflow:
    """One census of one project. The next tick is the retry of one that failed."""

    @workflow.init
    def __init__(self, census: CensusInput) -> None:
        self._run: RunFields = {"site": census.site, "project": census.project, "run_id": workflow.info().run_id}
        self._started_at: datetime | None = None
        self._requests = 0

    @workflow.run
    async def run(self, _census: CensusInput) -> CensusResult:
        try:
            return await self._prove()
        except (ActivityError, ApplicationError) as error:
            if is_cancelled_exception(error):
                raise  # nobody needs to know: nothing was proved, and nothing removed
            failure = failure_of(error)
            await self._record_failed(failure)
            raise ApplicationError(failure["message"], type=failure["code"], non_retryable=True) from error

    async def _prove(self) -> CensusResult:
        plan = await self._store_step("begin_census", BeginCensus(**self._run), CensusPlan)
        self._started_at = plan.started_at
        survey = await self._survey(plan)
        if survey.standing is Standing.SHOWN:
            survey = await self._list(plan, survey)
        compare = CompareIssues(**self._run, plan=plan, survey=survey)
        comparison = await self._store_step("compare_issues", compare, Comparison)
        for page in range(comparison.lacking):
            lacking = ReadLacking(**self._run, plan=plan, page=page)
            self._requests += (await self._jira_step("read_lacking", lacking, Asked)).requests
        for page in range(comparison.missing):
            missing = ConfirmMissing(**self._run, plan=plan, survey=survey, page=page)
            self._requests += (await self._jira_step("confirm_missing", missing, Asked)).requests
        end = CompleteCensus(**self._run, plan=plan, survey=survey, comparison=comparison, requests=self._requests)
        return await self._jira_step("complete_census", end, CensusResult)

    async def _survey(self, plan: CensusPlan) -> CensusSurvey:
        """Whether Jira shows the project. That it does not is believed when it has said so time and again."""
        message = SurveyProject(**self._run, plan=plan)
        try:
            survey = await self._jira_step("survey_project", message, CensusSurvey)
        except ActivityError as error:
            if is_cancelled_exception(error) or failure_of(error)["code"] != NOT_SHOWN:
                raise
            message = msgspec.structs.replace(message, refused=True)
            survey = await self._jira_step("survey_project", message, CensusSurvey)
        self._requests += survey.requests
        return survey

    async def _list(self, plan: CensusPlan, survey: CensusSurvey) -> CensusSurvey:
        """Have all issues listed; the survey, with the count as it is then."""
        done = False
        while not done:
            message = ListIssues(**self._run, plan=plan, survey=survey)
            part = await self._jira_step("list_issues", message, ListingPart)
            self._requests += part.requests
            done, survey = part.done, msgspec.structs.replace(survey, counted=part.counted)
        return survey

    async def _record_failed(self, failure: Failure) -> None:
        message = FailCensus(**self._run, failure=failure, requests=self._requests, started_at=self._started_at)
        await self._store_step("record_census_failed", message, type(None))

    async def _jira_step(self, activity: str, message: object, result: type[T]) -> T:
        return await jira_step(self._run["site"], activity, message, result)

    async def _store_step(self, activity: str, message: object, result: type[T]) -> T:
        return await store_step(activity, message, result, at_most=STORE_TRY)
