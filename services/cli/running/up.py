"""`jdi up`: the whole system against the Jira of the environment, until Ctrl-C."""

import os
from collections.abc import Mapping

from rich.console import Console

from libs.embedded.children.log_stream import LogStream
from libs.embedded.environment import TEMPORAL_ACCESS
from libs.embedded.stack import Stack, StackPlan
from libs.runtime.stop import Stop
from services.cli.running.foreground import ready, run_stack
from services.cli.settings import DEFAULT_PORT, UpSettings


def up(settings: UpSettings, console: Console, level: str, *, temporal_ui: bool) -> None:
    """Run until Ctrl-C."""
    plan = StackPlan(
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        site=settings.site,
        temporal_namespace=settings.temporal_namespace,
        temporal_address=settings.temporal_address,
        temporal_ui=temporal_ui,
        nats_url=settings.nats_url,
        graphql_port=settings.port or DEFAULT_PORT,
        graphql_port_is_fixed=True,
        jira_base_url=settings.jira_base_url,
        admin_token=settings.admin_token,
        environ=_environ(settings),
    )

    async def wait(stack: Stack, stream: LogStream, stop: Stop) -> None:
        await ready(stack, stream, plan.admin_token, plan.data_dir)
        stream.say("ready; Ctrl-C ends it")
        await stop.wait()

    run_stack(plan, wait, console, level)


def _environ(settings: UpSettings) -> Mapping[str, str]:
    """Ours; a Temporal server of our own asks for nothing, and speaks no TLS."""
    if settings.temporal_address is not None:
        return os.environ
    return {name: value for name, value in os.environ.items() if not name.startswith(TEMPORAL_ACCESS)}
