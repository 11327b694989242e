"""The whole system while Jira fails: the embedded stack, a simulated Jira, a mail server and doubles of channels."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
from rich.console import Console
from temporalio.client import Client, ScheduleDescription, ScheduleHandle

from libs.embedded.children.log_stream import LogStream
from libs.embedded.stack import StackPlan, running
from libs.embedded.stack_file import StackFile
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal import names
from libs.temporal.connect import connect
from services.cli.migrations import migrate
from tests.doubles.mail_server import MailServer, mail_server
from tests.doubles.slack import SlackDouble, slack_double
from tests.doubles.whatsapp import WhatsAppDouble, whatsapp_double
from tests.eventually import until
from tests.servers.addresses import free_port

SITE: Final = "acme"
ADMIN: Final = "an-administrators-token"
EVERY_MINUTE: Final = "* * * * *"
CAP: Final = 61
"""Seconds: the shortest back-off that a schedule of every minute can have, so that a test sees a real probe."""

T = TypeVar("T")

JOB: Final = """query Job($id: ID!) { project(projectId: $id) {
  syncJob {
    status running lastResult cronSchedule timezone nextRunAt
    backoff { level code failures seconds nextRunAt }
  }
  syncStates { entity status error { code advice attempts } }
  alerts { id code category severity status advice count }
} }"""


@dataclass(frozen=True)
class Doubles:
    """What the notifier speaks to."""

    mail: MailServer
    slack: SlackDouble
    whatsapp: WhatsAppDouble


@dataclass(frozen=True)
class World:
    """A running system, and everything around it."""

    jira: Simulator
    doubles: Doubles
    stack: StackFile
    temporal: Client

    @property
    def url(self) -> str:
        return self.stack.graphql_url

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What GraphQL answers an administrator."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        body = {"query": query, "variables": variables}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self.url}/graphql", json=body) as answer,
        ):
            found = await answer.json()
        assert "errors" not in found, found
        data: dict[str, Any] = found["data"]
        return data

    async def register(self, project: str, cron: str = EVERY_MINUTE) -> None:
        """Register a project, and wait until its first sync has succeeded."""
        await self._command("registerProject", "key: $id, cron: $cron", project, cron=cron)
        await until(lambda: self.job(project), lambda job: job["lastResult"] == "SUCCESS" and not job["running"])

    async def sync(self, project: str) -> None:
        """Ask for a sync, and wait until it has ended."""
        query = "query Runs($id: ID!) { syncRuns(projectId: $id, limit: 200) { id result } }"
        ended = len(await self._ended(query, project))
        await self._command("triggerProjectSync", "projectId: $id", project)
        await until(lambda: self._ended(query, project), lambda runs: len(runs) > ended)

    async def _ended(self, query: str, project: str) -> list[Any]:
        runs = (await self.ask(query, id=project))["syncRuns"]
        return [run for run in runs if run["result"] != "RUNNING"]

    async def pause(self, project: str, reason: str) -> None:
        await self._command("pauseProjectSync", "projectId: $id, reason: $reason", project, reason=reason)

    async def unregister(self, project: str) -> None:
        await self._command("unregisterProject", "projectId: $id", project)

    async def _command(self, name: str, arguments: str, project: str, **variables: str) -> None:
        declared = "".join(f", ${variable}: String" for variable in variables)
        kind = "String!" if name == "registerProject" else "ID!"
        query = f"mutation Do($id: {kind}{declared}) {{ {name}({arguments}) {{ userErrors {{ code message }} }} }}"
        answer = await self.ask(query, id=project, **variables)
        assert not answer[name]["userErrors"], answer

    async def project(self, project: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask(JOB, id=project))["project"]
        return found

    async def job(self, project: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.project(project))["syncJob"]
        return found

    def schedule(self, project: str) -> ScheduleHandle:
        return self.temporal.get_schedule_handle(names.schedule_id(SITE, project))

    async def described(self, project: str) -> ScheduleDescription:
        return await self.schedule(project).describe()

    def notified(self) -> dict[str, int]:
        """How many messages each channel has taken."""
        doubles = self.doubles
        return {
            "mail": len(doubles.mail.mails),
            "slack": len(doubles.slack.taken),
            "whatsapp": len(doubles.whatsapp.taken),
        }

    async def messages(self) -> dict[str, int]:
        return self.notified()

    def fail(self, *faults: Fault) -> None:
        """Jira answers every request so from now on."""
        self.jira.faults.clear()
        self.jira.faults.add(*faults)

    def heal(self) -> None:
        self.jira.faults.clear()


@asynccontextmanager
async def world(folder: Path, projects: tuple[str, ...], issues: int = 10) -> AsyncIterator[World]:
    """Start everything, with so many issues for each project; nothing is registered yet."""
    data = Dataset.generate(projects=projects, issues=issues * len(projects))
    async with AsyncExitStack() as started:
        channels = started.enter_context(doubles())
        jira = await started.enter_async_context(serve(data))
        plan = _plan(folder, jira, channels)
        migrate(plan.database_url)
        stream = started.enter_context(closing(LogStream(Console(file=io.StringIO()), folder / "logs")))
        stack = await started.enter_async_context(running(plan, stream))
        temporal = await connect(stack.file.temporal_address)
        yield World(jira, channels, stack.file, temporal)


@contextmanager
def doubles() -> Iterator[Doubles]:
    with mail_server() as mail, slack_double() as slack, whatsapp_double() as whatsapp:
        yield Doubles(mail, slack, whatsapp)


def _plan(folder: Path, jira: Simulator, channels: Doubles) -> StackPlan:
    ours = {
        "JIRA_EMAIL": jira.email,
        "JIRA_API_TOKEN": jira.token,
        "JIRA_ALLOW_INSECURE": "1",
        "JIRA_RETRY_BASE_SECONDS": "0.02",
        "JIRA_CONFIRM_SECONDS": "0.1,0.1",
        "SYNC_JITTER_SECONDS": "0",
        "BACKOFF_CAP_SECONDS": str(CAP),
        "JIRA_PATIENCE_SECONDS": "2",
        "NOTIFY_ALLOW_INSECURE": "1",
        "NOTIFY_GROUP_WAIT_SECONDS": "1",
        "NOTIFY_CRITICAL_WAIT_SECONDS": "1",
        "NOTIFY_GROUP_INTERVAL_SECONDS": "1",
        "SMTP_URL": channels.mail.url,
        "NOTIFY_EMAIL_TO": "ops@example.com",
        "SLACK_WEBHOOK_URL": channels.slack.url,
        "WHATSAPP_TO": "+4915112345678",
        **channels.whatsapp.environ,
    }
    return StackPlan(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'jdi.db'}",
        site=SITE,
        temporal_namespace="default",
        graphql_port=free_port(),
        graphql_port_is_fixed=True,
        jira_base_url=jira.base_url,
        admin_token=ADMIN,
        environ={**os.environ, **ours},
    )
