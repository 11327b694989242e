"""Opening the gate by hand."""

from __future__ import annotations

from typing import Annotated

import strawberry

from libs.temporal.commands import CommandRefusedError
from libs.temporal.messages import OpenGate
from services.graphql.api.commands import Reason
from services.graphql.api.context import Info
from services.graphql.api.jira.fields import Site
from services.graphql.api.jira.types import JiraClosing, OpenJiraGatePayload
from services.graphql.api.payloads import UserError, user_error
from services.graphql.api.roles import admin
from services.graphql.ingestor import NOT_DONE


@strawberry.type
class GateMutation:
    @strawberry.mutation(
        description="Let requests to Jira go out again before the pause that it asked for is over. Runs that wait go on"
        " at their time; those that begin now ask at once. The ingestor's log says who did it. For administrators whose"
        " reach has no bounds.",
        extensions=admin(),
    )
    async def open_jira_gate(
        self,
        info: Info,
        endpoint: Annotated[
            str | None, strawberry.argument(description="As `jiraClosings` names it; left out: the whole site.")
        ] = None,
        site: Site = None,
        reason: Reason = None,
    ) -> OpenJiraGatePayload:
        principal, site = info.context.principal, site or info.context.defaults.site
        if principal.projects is not None:
            message = "This token reaches some projects only; the gate is that of all projects of the site."
            return _not_done(user_error("FORBIDDEN", message))
        question = OpenGate(site=site, endpoint=endpoint, actor=principal.name, reason=(reason or "").strip())
        try:
            left = await info.context.ingestor.ask(question)
        except CommandRefusedError as error:
            return _not_done(user_error(error.code, str(error), error.field))
        except NOT_DONE as error:
            return _not_done(user_error(error.code, str(error)))
        return OpenJiraGatePayload(closings=[JiraClosing.of(one) for one in left.closings], user_errors=[])


def _not_done(error: UserError) -> OpenJiraGatePayload:
    return OpenJiraGatePayload(closings=[], user_errors=[error])
