"""How a service process runs: settings, logs, signals, exit code.

Exit codes: 0 stopped as asked, 1 crashed (the log says why), 2 a setting is wrong or a port is taken (one line on
stderr says which).
"""

import asyncio
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import structlog

from libs.runtime.environ import SettingsError, read_settings
from libs.runtime.leave import STOP_SECONDS, Deadline, flush, leave
from libs.runtime.logs import configure
from libs.runtime.metrics import BUILD_INFO
from libs.runtime.stop import Stop
from libs.runtime.tracing import MakeProvider, endpoint, tracing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")

GARBAGE: Final = 50_000
"""Objects between two looks for garbage in circles: a page or a batch makes that many, and hardly one is."""

EXIT_OK: Final = 0
EXIT_CRASHED: Final = 1
EXIT_MISCONFIGURED: Final = 2

log = structlog.get_logger(__name__)


def run_service(
    name: str,
    settings_cls: type[S],
    main: Callable[[S, Stop], Awaitable[None]],
    *,
    make_tracer_provider: MakeProvider | None = None,
    stop_seconds: Callable[[S], float] = lambda _: STOP_SECONDS,
) -> NoReturn:
    """Read the settings, run `main` until it returns, exit. SIGTERM and SIGINT set the `Stop`; a second one kills.

    What has not ended `stop_seconds` after the first signal, because something hangs, ends then.

    Args:
        name: of the service, in logs, metrics and traces.
        settings_cls: what it reads from the environment.
        main: what it does.
        make_tracer_provider: for a service whose spans need more than the usual provider.
        stop_seconds: how long its stop may take; nothing that is interrupted is lost, only done again.
    """
    gc.freeze()  # what is imported stays
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    try:
        configure(name, os.environ.get("JDI_LOG_LEVEL") or "info")
        settings = read_settings(settings_cls)
        endpoint()
    except ValueError as error:
        for line in error.lines if isinstance(error, SettingsError) else (str(error),):
            print(f"{name}: {line}", file=sys.stderr)  # noqa: T201 - there is no log before there are settings
        sys.exit(EXIT_MISCONFIGURED)
    BUILD_INFO.labels(service=name, version=version("jira-data-integrator")).set(1)
    with tracing(name, make_tracer_provider):
        code = asyncio.run(_run(name, settings, main, Deadline(stop_seconds(settings), _say_what_hangs)))
    leave(code)


async def _run(name: str, settings: S, main: Callable[[S, Stop], Awaitable[None]], deadline: Deadline) -> int:
    stop = Stop()
    _listen(stop, deadline)
    log.info("started", pid=os.getpid())
    try:
        await main(settings, stop)
    except Exception as error:
        if (taken := _taken_port(error)) is not None:
            print(f"{name}: {taken.strerror}; set another port", file=sys.stderr)  # noqa: T201 - one line for a person
            return EXIT_MISCONFIGURED
        log.exception("crashed")
        return EXIT_CRASHED
    finally:
        stop.set()  # for threads that wait for it: the interpreter would wait for them
    log.info("stopped")
    return EXIT_OK


def _taken_port(error: Exception) -> OSError | None:
    """The error that says so, alone or in the group of those tasks that it has ended."""
    if isinstance(error, ExceptionGroup):
        return next((found for one in error.exceptions if (found := _taken_port(one)) is not None), None)
    return error if isinstance(error, OSError) and error.errno == errno.EADDRINUSE else None


def _say_what_hangs() -> None:
    hanging = sorted(thread.name for thread in threading.enumerate() if not thread.daemon)
    log.warning("ended without waiting any longer for what hangs", threads=hanging)
    flush()


def _listen(stop: Stop, deadline: Deadline) -> None:
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        for listened in (
            signal.SIGTERM,
            signal.SIGINT,
        ):  # the second signal takes its default: the process ends at once
            loop.remove_signal_handler(listened)
            signal.signal(listened, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    deadline.listen(signal.SIGTERM, signal.SIGINT)
