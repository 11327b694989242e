"""Before the list: the token is proved, the project is proved to be ours, and Jira counts its issues."""

from __future__ import annotations

import msgspec

from libs.events import Append
from libs.jira_client import (
    AuthExpired,
    JiraClient,
    JiraError,
    NotFoundOrHidden,
    Project,
    ProjectStanding,
    RequestCount,
)
from libs.temporal.census import CensusSurvey, Standing, SurveyProject
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.absences.another_past import refuse_another
from services.ingestor.sync.asking import renames
from services.ingestor.sync.plan import full_jql
from services.ingestor.sync.step import ONE_SICK

UNTOLD: tuple[type[JiraError], ...] = (AuthExpired, *ONE_SICK)
"""What Jira answers to one who may not know of policies."""


async def surveyed(jira: JiraClient, log: EventLog, message: SurveyProject, requests: RequestCount) -> Append:
    """What Jira says of the project as a whole.

    Raises:
        NotFoundOrHidden: there is none, as Jira says; to be asked again before it is believed.
        BadResponse: it is another Jira than the one that we know.
    """
    project = project_of(message)
    await jira.verify_credentials()
    known = await renames.known_project(log, project)
    try:
        shown = await _shown(jira, known.key if known else project.key, known.id if known else None)
    except NotFoundOrHidden:
        if not message.refused:
            raise
        standing = await under_policy(jira, known.id if known else "", Standing.HIDDEN)
        survey = CensusSurvey(standing=standing, jira_id=known.id if known else "", key=known.key if known else "")
        return _answered(survey, requests)
    standing = _standing(shown, known.id if known else None)
    if standing in (Standing.SHOWN, Standing.REPLACED):
        await refuse_another(jira, log, project)
    remembered: dict[str, bytes] = {}
    if standing is Standing.SHOWN and known is not None and known.key != shown.project.key:
        remembered = await renames.remembered(log, project, shown.project)
    ours = known if known and standing is Standing.REPLACED else shown.project
    survey = CensusSurvey(standing=standing, jira_id=ours.id, key=ours.key)
    if standing is Standing.SHOWN:
        survey = await _counted(jira, survey, shown.project, message.plan.tracked)
    return _answered(survey, requests, remembered)


async def under_policy(jira: JiraClient, jira_id: str, standing: Standing) -> Standing:
    """POLICY, where a data policy closes the project; else the standing as it is.

    Jira tells of policies to apps alone, so that a refusal to answer says nothing.
    """
    try:
        return Standing.POLICY if jira_id and await jira.blocked_by_policy(jira_id) else standing
    except UNTOLD:
        return standing


async def count_of(jira: JiraClient, jql: str) -> int | None:
    """As Jira counts; None where it does not."""
    try:
        counted = await jira.approximate_count(jql)
    except ONE_SICK:
        return None
    return counted if counted >= 0 else None


async def _shown(jira: JiraClient, key: str, known_id: str | None) -> ProjectStanding:
    """The project, by its id where its key is gone.

    Where its key has passed to another project, that one: a project with the id may be there as well, but the ids are
    much the same on every site, and this may be a Jira that is not ours. A sync follows a project to a new key.
    """
    try:
        return await jira.project_standing(key)
    except NotFoundOrHidden:
        if known_id is None:
            raise
        return await jira.project_standing(known_id)


def _standing(shown: ProjectStanding, known_id: str | None) -> Standing:
    project = shown.project
    if known_id is not None and project.id != known_id:
        return Standing.REPLACED
    if project.archived:
        return Standing.ARCHIVED
    if project.deleted:
        return Standing.TRASHED
    return Standing.SHOWN if shown.browsable else Standing.HIDDEN


async def _counted(jira: JiraClient, survey: CensusSurvey, project: Project, tracked: tuple[str, ...]) -> CensusSurvey:
    total = project.insight.total_issue_count if project.insight else None
    counted = await count_of(jira, full_jql(survey.key, tracked))
    visible = await count_of(jira, full_jql(survey.key)) if tracked and total is not None else None
    return msgspec.structs.replace(survey, counted=counted, visible=visible, total=total)


def _answered(survey: CensusSurvey, requests: RequestCount, checkpoints: dict[str, bytes] | None = None) -> Append:
    survey = msgspec.structs.replace(survey, requests=requests.sent)
    return Append(checkpoints=checkpoints or {}, outcome=msgspec.json.encode(survey))
