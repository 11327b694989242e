"""`jdi demo`: the whole system against a simulated Jira; one sync is shown from request to GraphQL answer."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from rich.console import Console

from libs.embedded.children.log_stream import LogStream
from libs.embedded.errors import StackError
from libs.embedded.stack import Stack, StackPlan
from libs.runtime.stop import Stop
from services.cli.running.foreground import ready, run_stack
from services.cli.running.place import EMAIL, PROJECT, SITE, TOKEN
from services.cli.running.told import Moved, Outcome, Said, Told
from services.cli.settings import DEFAULT_PORT, DemoSettings
from services.cli.syncs.progress_bar import Reached, progress_bar
from services.cli.terminal import say

FIRST_SYNC = "services.cli.running.first_sync"


@dataclass(frozen=True, kw_only=True)
class SimulatedJira:
    """How the simulated Jira is made; the same numbers make the same data."""

    issues: int
    seed: int
    latency_ms: int

    def arguments(self) -> tuple[str, ...]:
        return (
            *("--project", PROJECT, "--issues", str(self.issues), "--seed", str(self.seed)),
            *("--latency-ms", str(self.latency_ms), "--email", EMAIL, "--token", TOKEN),
        )


class Demo:
    """One run of the demo; `outcome` says how its sync went."""

    def __init__(self, plan: StackPlan, console: Console, *, leave: bool) -> None:
        self._plan = plan
        self._console = console
        self._leave = leave
        self._lines: list[str] = []
        self.outcome: Outcome | None = None

    async def __call__(self, stack: Stack, stream: LogStream, stop: Stop) -> None:
        with progress_bar(self._console, PROJECT) as move:
            syncing = asyncio.ensure_future(self._sync(stack, move))
            try:
                await asyncio.gather(ready(stack, stream, self._plan.admin_token, self._plan.data_dir), syncing)
            finally:
                syncing.cancel()
                await asyncio.gather(syncing, return_exceptions=True)
        for line in self._lines:
            stream.say(line)
        if not self._leave and self.outcome is not None:
            if not self.outcome.ok:
                stream.say(self.outcome.described)
            stream.say("still running, and syncing every 15 minutes; Ctrl-C ends it")
            await stop.wait()

    async def _sync(self, stack: Stack, move: Callable[[Reached], None]) -> None:
        """Have it asked for and watched while the rest of the stack still starts.

        Raises:
            StackError: nothing can be said of it.
        """
        await stack.grounds()
        last = ""

        def heard(line: str) -> None:
            nonlocal last
            last = line
            with contextlib.suppress(msgspec.DecodeError):
                self._hear(msgspec.json.decode(line, type=Told), move)

        code = await stack.run((FIRST_SYNC,), heard)
        if self.outcome is None:
            raise StackError(f"the sync of the demo ended with exit code {code}: {last}")
        if self.outcome.fatal:
            raise StackError(self.outcome.verdict)

    def _hear(self, told: Told, move: Callable[[Reached], None]) -> None:
        match told:
            case Said(text=text):
                self._lines.append(text)
            case Moved():
                move(told)
            case Outcome():
                self.outcome = told


def demo(
    settings: DemoSettings, jira: SimulatedJira, console: Console, level: str, *, leave: bool, temporal_ui: bool
) -> int:
    """Run the demo; the exit code. With `leave` it ends after the sync, and its last line on stdout says how."""
    plan = _plan(settings, jira, temporal_ui=temporal_ui)
    shown = Demo(plan, console, leave=leave)
    try:
        run_stack(plan, shown, console, level)
    except StackError as error:
        _last_line(f"failed STACK {error}")
        return error.exit_code
    if not leave and shown.outcome is not None:
        return 0
    outcome = shown.outcome or Outcome()
    _last_line(outcome.verdict)
    return 0 if outcome.ok else 1


def _last_line(text: str) -> None:
    say(f"demo: {' '.join(text.split())}")


def _plan(settings: DemoSettings, jira: SimulatedJira, *, temporal_ui: bool) -> StackPlan:
    database_url = f"sqlite:///{settings.data_dir / 'jdi.db'}"
    foreign = ("JIRA_", "DATABASE_URL", "NATS_URL", "TEMPORAL_", "JDI_PORT", "JDI_DATA_DIR")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return StackPlan(
        data_dir=settings.data_dir,
        database_url=database_url,
        site=SITE,
        temporal_namespace="default",
        temporal_ui=temporal_ui,
        graphql_port=settings.port or DEFAULT_PORT,
        graphql_port_is_fixed=settings.port is not None,
        jira_base_url="",
        admin_token=settings.admin_token,
        environ=ours | {"JIRA_EMAIL": EMAIL, "JIRA_API_TOKEN": TOKEN, "JIRA_ALLOW_INSECURE": "1"},
        simulator=jira.arguments(),
    )
