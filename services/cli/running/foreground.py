"""Run a stack in the foreground: locked, migrated, ended by Ctrl-C or by a part that is beyond help."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from rich.console import Console

from libs.embedded import lock
from libs.embedded.log_stream import LogStream
from libs.embedded.stack import Stack, StackPlan, running
from libs.embedded.stack_file import StackFile
from libs.runtime import Stop
from services.cli.migrations import migrate
from services.cli.tokens import MAKE_ONE, console_address, sign_in_address, token_store

Work = Callable[[Stack, LogStream, Stop], Awaitable[None]]


def run_stack(plan: StackPlan, work: Work, console: Console, level: str) -> bool:
    """Start the stack, do `work` in it, stop it. False when a signal ended it before the work was done.

    The first Ctrl-C (or SIGTERM) stops everything in order; the second kills.

    Raises:
        StackError: the stack cannot start, or a part of it died for good.
    """
    with lock.holding(plan.data_dir) as locked:
        stream = LogStream(console, plan.data_dir / "logs", level)
        if (why := lock.exposed(plan.data_dir)) is not None:
            stream.say(f"the data folder is not safe from others: {why}")
        try:
            migrate(plan.database_url)
            return asyncio.run(_until_interrupted(plan, work, stream, locked))
        finally:
            stream.close()


async def _until_interrupted(plan: StackPlan, work: Work, stream: LogStream, locked: int) -> bool:
    stop = Stop()
    task = asyncio.ensure_future(_in_stack(plan, work, stream, stop, locked))
    with _signals(lambda: _interrupt(task, stream, stop)):
        try:
            await task
        except asyncio.CancelledError:
            return False
    return True


async def _in_stack(plan: StackPlan, work: Work, stream: LogStream, stop: Stop, locked: int) -> None:
    async with running(plan, stream, locked) as stack:
        await _announce(plan, stack, stream)
        working = asyncio.ensure_future(work(stack, stream, stop))
        failing = asyncio.ensure_future(stack.failed())
        waited: set[asyncio.Future[Any]] = {working, failing}
        try:
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stop.set()  # ends the threads that follow the log
            for task in waited:
                task.cancel()
            await asyncio.gather(*waited, return_exceptions=True)


async def _announce(plan: StackPlan, stack: Stack, stream: LogStream) -> None:
    for line in await asyncio.to_thread(console_lines, stack.file, plan.admin_token):
        stream.say(line)
    stream.say(f"GraphQL   {stack.file.graphql_url}/graphql")
    if stack.file.temporal_ui:
        stream.say(f"Temporal  {stack.file.temporal_ui}")
    stream.say(f"data      {plan.data_dir}")


def console_lines(file: StackFile, admin_token: str | None) -> tuple[str, ...]:
    """Where the console is, and how to get in: the first time by an address that signs in, which is not shown again."""
    address = console_address(file.graphql_url)
    with token_store(file.database_url, given=admin_token) as tokens:
        secret = tokens.first_admin()
    if secret is not None:
        how = "the address signs you in as an administrator; it is shown this once"
        return f"console   {sign_in_address(address, secret)}", f"          {how}"
    if admin_token is not None:
        return f"console   {address}", "          sign in with JDI_ADMIN_TOKEN or another API token"
    return f"console   {address}", f"          sign in with an API token; {MAKE_ONE} makes one"


def _interrupt(task: "asyncio.Future[None]", stream: LogStream, stop: Stop) -> None:
    if not stop.is_set():
        stream.say("stopping; Ctrl-C again kills")
    stop.set()
    task.cancel()


@contextlib.contextmanager
def _signals(callback: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
