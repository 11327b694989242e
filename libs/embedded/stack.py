"""The whole system on one machine: servers, the simulated Jira if wanted, and the services.

async with running(plan, stream) as stack:
    ...          # everything is ready; stack.file says where it is
    await stack.failed()

Servers and simulated Jira begin side by side; meanwhile the nursery imports what the services share. The first services
to start are those that bring data, so that the others do so while data come.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from libs.embedded import environment, ports, probes, servers, stack_file
from libs.embedded.children.births import Nursery
from libs.embedded.children.child import ChildSpec
from libs.embedded.children.log_stream import LogStream
from libs.embedded.children.supervisor import Supervisor
from libs.embedded.errors import StackError
from libs.embedded.stack_file import StackFile

SERVICE_READY_SECONDS: Final = 90.0
MISCONFIGURED: Final = 2
"""The exit code of whatever is ours and finds a setting or an argument wrong."""
OF_DATABASES: Final = ("libs.access", "libs.events", "libs.read_tables", "libs.runtime.sqlite.engine")
COMMON_MODULES: Final = (
    *("aiohttp.web", "libs.runtime.health", "libs.runtime.service", "nats"),
    *("libs.temporal.commands", "libs.temporal.connect", "temporalio.worker"),
)
"""What most services import, and before that what the making of the tables needs; the nursery does so for all."""


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """What to start. `environ` is ours; children get their part of it (see `environment`)."""

    data_dir: Path
    database_url: str
    site: str
    temporal_namespace: str
    graphql_port: int
    graphql_port_is_fixed: bool
    """True: a taken port is an error. False: the next free one is taken instead."""
    jira_base_url: str
    """Empty when the simulated Jira is to be started: it is the base URL then."""
    admin_token: str | None
    """An administrator's token for the API; None: there are only those of the database."""
    environ: Mapping[str, str]
    simulator: Sequence[str] | None = None
    """Arguments of the simulated Jira without its port; None: no simulated Jira."""
    temporal_address: str | None = None
    """A Temporal server to use; None starts one."""
    nats_url: str | None = None
    """A NATS server to use; None starts one."""
    temporal_ui: bool = False
    """Show the web UI of a Temporal server of our own. It lets in every process and page of this machine."""
    services: tuple[str, ...] = environment.SERVICES


class Stack:
    """A stack that runs, or begins to."""

    def __init__(self, plan: StackPlan, file: StackFile, supervisor: Supervisor, nursery: Nursery) -> None:
        self.file, self.supervisor = file, supervisor
        self._plan, self._nursery = plan, nursery
        self._grounds = asyncio.Event()
        self._starting: asyncio.Task[None] | None = None

    async def grounds(self) -> None:
        """Wait until servers and tables are there, on which everything else stands."""
        await self._grounds.wait()

    async def ready(self) -> None:
        """Wait until all of it is ready.

        Raises:
            StackError: a child refuses to run, or a vital one is not ready in time.
        """
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def failed(self) -> None:
        """Wait until a part of it is beyond help.

        Raises:
            StackError: always.
        """
        await self.ready()
        await self.supervisor.failed()

    async def run(self, argv: Sequence[str], on_line: Callable[[str], None], **environ: str) -> int:
        """Run a module of ours that ends by itself: `python -m argv`. When we are cancelled it is ended, too.

        Args:
            argv: the module and its arguments.
            on_line: gets what it prints.
            environ: what it needs beside the addresses of this stack and what is ordinary.

        Returns:
            its exit code, negative for a signal.
        """
        given = environment.ordinary(self._plan.environ) | self.file.environ(self._plan.data_dir) | environ
        return await self.supervisor.run(
            ChildSpec(
                name=argv[0], argv=(sys.executable, "-m", *argv), environ=given, ready=probes.at_once, of_nursery=True
            ),
            on_line,
        )

    async def settle(self) -> None:
        """Nothing else will begin: let what was needed for the start end."""
        await self._nursery.close()

    def start(self, tables: Callable[["Stack"], Awaitable[None]], secret: str) -> None:
        self._starting = asyncio.create_task(self._start(tables, secret), name="start the stack")

    async def stop(self) -> None:
        """Stop everything in the opposite order, whatever happens."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        self._nursery.kill()
        try:
            await _stopped(self.supervisor)
        finally:
            await self._nursery.close()

    async def _start(self, tables: Callable[["Stack"], Awaitable[None]], secret: str) -> None:
        """Tables come before the servers: whose data lie beside no event log, that one is taken for lost."""
        await self._nursery.open()
        await tables(self)
        simulators = [_simulator(self._plan, self.file)] if self._plan.simulator is not None else []
        await _together(self.supervisor.start(simulators), self._start_servers_and_services(secret))

    async def _start_servers_and_services(self, secret: str) -> None:
        await self.supervisor.start(_servers(self._plan, self.file, secret))
        self._grounds.set()
        for number, stage in enumerate(environment.STAGES):
            specs = [_service(name, self._plan, self.file) for name in stage if name in self._plan.services]
            await self.supervisor.start(specs, stops_with_last=number > 0)


def graphql_port(plan: StackPlan) -> int:
    """The port for GraphQL.

    Raises:
        StackError: it is taken, and no other may be used.
    """
    if ports.is_free(plan.graphql_port):
        return plan.graphql_port
    if plan.graphql_port_is_fixed:
        raise StackError(f"port {plan.graphql_port} is taken; set JDI_PORT to a free one", exit_code=2)
    return ports.next_free(plan.graphql_port)


@contextlib.asynccontextmanager
async def running(
    plan: StackPlan,
    stream: LogStream,
    locked: int | None = None,
    disk: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[Stack]:
    """Start everything, and give control when all of it is ready. Arguments as those of `beginning`.

    The caller has created the tables.
    """
    async with beginning(plan, stream, _there_already, locked, disk) as stack:
        await stack.ready()
        await stack.settle()
        yield stack


@contextlib.asynccontextmanager
async def beginning(
    plan: StackPlan,
    stream: LogStream,
    tables: Callable[[Stack], Awaitable[None]],
    locked: int | None = None,
    disk: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[Stack]:
    """Begin to start everything, give control at once, and stop it in the opposite order, whatever happens.

    Args:
        plan: what to start.
        stream: gets what is said.
        tables: creates the tables; no service starts before.
        locked: the caller holds the lock of the data folder, and this is what `lock.holding` yields.
        disk: says why there is no room in that folder; None while there is.

    Raises:
        StackError: a port is taken, or a program is missing.
    """
    secret = secrets.token_urlsafe(32)  # of NATS, for as long as this stack runs
    file = _addresses(plan, secret)
    inherited = () if locked is None else (locked,)
    nursery = Nursery((OF_DATABASES, COMMON_MODULES), environment.of_nursery(plan.environ), inherited)
    supervisor = Supervisor(
        stream.line, lambda: _remember(plan.data_dir, file, supervisor), inherited, disk, stream.tell, nursery
    )
    stack = Stack(plan, file, supervisor, nursery)
    try:
        stack.start(tables, secret)
        yield stack
    finally:
        await stack.stop()
        with contextlib.suppress(OSError):  # the disk may be full: the next start finds ports of its own
            _remember(plan.data_dir, file, supervisor)


async def _there_already(_stack: Stack) -> None:
    """The tables were made before."""


async def _together(*works: Awaitable[None]) -> None:
    """All at once; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stopped(supervisor: Supervisor) -> None:
    """A cancelled stop must not leave children behind."""
    stopping = asyncio.ensure_future(supervisor.stop())
    try:
        await asyncio.shield(stopping)
    except asyncio.CancelledError:
        supervisor.kill()
        await stopping
        raise


def _addresses(plan: StackPlan, secret: str) -> StackFile:
    graphql = graphql_port(plan)
    earlier = stack_file.read(plan.data_dir)
    names = ["temporal", "nats", *(f"health-{name}" for name in plan.services)]
    shows_ui = plan.temporal_ui and plan.temporal_address is None
    if shows_ui:
        names.append("temporal-ui")
    if plan.simulator is not None:
        names.append("jira")
    chosen = ports.choose(names, earlier.ports if earlier is not None else {})
    host = ports.LOOPBACK
    return StackFile(
        site=plan.site,
        database_url=plan.database_url,
        temporal_address=plan.temporal_address or f"{host}:{chosen['temporal']}",
        temporal_namespace=plan.temporal_namespace,
        temporal_ui=f"http://{host}:{chosen['temporal-ui']}" if shows_ui else "",
        nats_url=plan.nats_url or servers.nats_url(chosen["nats"], secret),
        graphql_url=f"http://{host}:{graphql}",
        jira_base_url=plan.jira_base_url or f"http://{host}:{chosen['jira']}",
        ports=chosen,
    )


def _remember(data_dir: Path, file: StackFile, supervisor: Supervisor) -> None:
    stack_file.write(data_dir, msgspec.structs.replace(file, pids={"jdi": os.getpid(), **supervisor.pids()}))


def _servers(plan: StackPlan, file: StackFile, secret: str) -> list[ChildSpec]:
    environ = environment.of_server(plan.environ)
    started: list[ChildSpec] = []
    if plan.temporal_address is None:
        pair = file.ports["temporal"], file.ports.get("temporal-ui")
        started.append(servers.temporal_server(plan.data_dir, plan.temporal_namespace, *pair, environ))
    if plan.nats_url is None:
        started.append(servers.nats_server(plan.data_dir, file.ports["nats"], secret, environ))
    return started


def _simulator(plan: StackPlan, file: StackFile) -> ChildSpec:
    port = file.ports["jira"]
    argv = (sys.executable, "-m", "libs.jira_simulator", "--port", str(port), *(plan.simulator or ()))
    environ = environment.ordinary(plan.environ) | {"PYTHONUNBUFFERED": "1"}
    return ChildSpec(
        name="jira",
        argv=argv,
        environ=environ,
        ready=probes.listens(port),
        vital=True,
        refusal=MISCONFIGURED,
        of_nursery=True,
    )


def _service(name: str, plan: StackPlan, file: StackFile) -> ChildSpec:
    shared = file.environ(plan.data_dir) | {"JDI_HEALTH_PORT": str(file.ports[f"health-{name}"])}
    if name == "graphql":
        shared["JDI_FIRST_ADMIN"] = "0"  # its output is kept in a file; a first token is shown on the terminal alone
        if plan.admin_token is not None:
            shared["JDI_ADMIN_TOKEN"] = plan.admin_token
    if name == "notifier" and "NOTIFY_WATCH" not in plan.environ:
        others = (other for other in plan.services if other != name)
        shared["NOTIFY_WATCH"] = " ".join(
            f"{other}=http://{ports.LOOPBACK}:{_health_port(other, file)}/readyz" for other in others
        )
    return ChildSpec(
        name=name,
        argv=(sys.executable, "-m", environment.MODULES[name]),
        environ=environment.of_service(name, plan.environ, shared),
        ready=probes.readyz(_health_port(name, file)),
        ready_seconds=SERVICE_READY_SECONDS,
        refusal=MISCONFIGURED,
        of_nursery=True,
    )


def _health_port(name: str, file: StackFile) -> int:
    """GraphQL serves HTTP anyway: its health stands beside the API."""
    return int(file.graphql_url.rpartition(":")[2]) if name == "graphql" else file.ports[f"health-{name}"]
