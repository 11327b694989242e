"""How a field asks the ingestor, and what a refusal becomes."""

from __future__ import annotations

from libs.temporal.commands import JiraRefusedError
from libs.temporal.messages import AnyQuestion, Options
from services.graphql.api.context import Info
from services.graphql.execution.errors import coded
from services.graphql.ingestor import NOT_DONE


async def answer(info: Info, question: AnyQuestion) -> Options:
    """The answer; what Jira refuses is an error with the classified code and the advice.

    Raises:
        GraphQLError: there is none.
    """
    try:
        return await info.context.discovery.ask(question)
    except JiraRefusedError as error:
        raise coded(error.code, str(error), advice=error.advice) from error
    except NOT_DONE as error:
        raise coded(error.code, str(error)) from error
