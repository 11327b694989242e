"""Run a stack in the foreground: locked, migrated, ended by Ctrl-C or by a part that is beyond help.

This process lives as long as the stack and does little: what needs the databases is done by others, who end.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from libs.embedded import lock
from libs.embedded.children.log_stream import LogStream
from libs.embedded.errors import StackError
from libs.embedded.stack import Stack, StackPlan, beginning
from libs.runtime.leave import STOP_SECONDS, Deadline
from libs.runtime.sqlite.room import no_room
from libs.runtime.stop import Stop
from services.cli.running.signing_in import MAKE_ONE, console_address, sign_in_address

INTERRUPTED: Final = 130

Work = Callable[[Stack, LogStream, Stop], Awaitable[None]]


def run_stack(plan: StackPlan, work: Work, console: Console, level: str) -> bool:
    """Begin to start the stack, do `work` in it, stop it. False when a signal ended it before the work was done.

    The first Ctrl-C (or SIGTERM) stops everything in order; the second kills. What hangs then is left behind in time:
    the children end with this process.

    Raises:
        StackError: the stack cannot start, or a part of it died for good.
    """
    with lock.holding(plan.data_dir) as locked:
        stream = LogStream(console, plan.data_dir / "logs", level)
        if (why := lock.exposed(plan.data_dir)) is not None:
            stream.say(f"the data folder is not safe from others: {why}")
        try:
            return asyncio.run(_until_interrupted(plan, work, stream, locked))
        finally:
            stream.close()


async def _until_interrupted(plan: StackPlan, work: Work, stream: LogStream, locked: int) -> bool:
    stop = Stop()
    task = asyncio.ensure_future(_in_stack(plan, work, stream, stop, locked))
    deadline = Deadline(STOP_SECONDS, code=INTERRUPTED)
    with _signals(lambda: _interrupt(task, stream, stop), deadline):
        try:
            await task
        except asyncio.CancelledError:
            return False
    return True


async def _in_stack(plan: StackPlan, work: Work, stream: LogStream, stop: Stop, locked: int) -> None:
    def disk() -> str | None:
        return no_room(plan.data_dir)

    async def tables(stack: Stack) -> None:
        await _make_tables(stack, stream, disk)

    async with beginning(plan, stream, tables, locked, disk) as stack:
        working = asyncio.ensure_future(work(stack, stream, stop))
        failing = asyncio.ensure_future(stack.failed())
        waited: set[asyncio.Future[Any]] = {working, failing}
        try:
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stop.set()
            for task in waited:
                task.cancel()
            await asyncio.gather(*waited, return_exceptions=True)


async def _make_tables(stack: Stack, stream: LogStream, disk: Callable[[], str | None]) -> None:
    """In a process of its own: what it imports is needed this once.

    Raises:
        StackError: they cannot be made.
    """
    lines: list[str] = []
    code = await stack.run(("services.cli", "migrate"), lines.append)
    said = [line.removeprefix("jdi: ") for line in lines if line.startswith("jdi: ")]
    if code == 0:
        for line in said:  # what was set aside
            stream.say(line)
        return
    if (full := disk()) is not None:
        raise StackError(f"{full}; make room and start again")
    raise StackError("; ".join(said) or "\n".join(lines) or f"the tables cannot be made: exit code {code}")


async def ready(stack: Stack, stream: LogStream, admin_token: str | None, data_dir: Path) -> None:
    """Wait until all of it is ready, and say where it is.

    Raises:
        StackError: it does not get ready.
    """
    await stack.ready()
    secret = await _first_admin(stack) if admin_token is None else None
    await stack.settle()
    for line in console_lines(stack.file.graphql_url, secret, given=admin_token is not None):
        stream.say(line)
    stream.say(f"GraphQL   {stack.file.graphql_url}/graphql")
    if stack.file.temporal_ui:
        stream.say(f"Temporal  {stack.file.temporal_ui}")
    stream.say(f"data      {data_dir}")


async def _first_admin(stack: Stack) -> str | None:
    """The token of a first administrator, who is made when there is none.

    Raises:
        StackError: the tokens cannot be looked at.
    """
    lines: list[str] = []
    if await stack.run(("services.cli", "token", "first"), lines.append) != 0:
        raise StackError("; ".join(line.removeprefix("jdi: ") for line in lines))
    return next((line for line in lines if line.startswith("jdi_")), None)


def console_lines(graphql_url: str, secret: str | None, *, given: bool) -> tuple[str, ...]:
    """Where the console is, and how to get in.

    Args:
        graphql_url: of the stack.
        secret: a first administrator's token, which is not shown again; None: there was one already.
        given: JDI_ADMIN_TOKEN is set.
    """
    address = console_address(graphql_url)
    if secret is not None:
        how = "the address signs you in as an administrator; it is shown this once"
        return f"console   {sign_in_address(address, secret)}", f"          {how}"
    if given:
        return f"console   {address}", "          sign in with JDI_ADMIN_TOKEN or another API token"
    return f"console   {address}", f"          sign in with an API token; {MAKE_ONE} makes one"


def _interrupt(task: "asyncio.Future[None]", stream: LogStream, stop: Stop) -> None:
    if not stop.is_set():
        stream.say("stopping; Ctrl-C again kills")
    stop.set()
    task.cancel()


@contextlib.contextmanager
def _signals(callback: Callable[[], None], deadline: Deadline) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, callback)
    deadline.listen(*numbers)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
