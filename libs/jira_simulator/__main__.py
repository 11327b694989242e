"""Run a simulated Jira until interrupted: ``python -m libs.jira_simulator --issues 1000 --port 8095``."""

from __future__ import annotations

import argparse
import asyncio
import errno
import signal
import sys
from collections.abc import Sequence

from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import EMAIL, LOCAL_NAMES, TOKEN, serve
from libs.jira_simulator.site.dataset import Dataset


def parser() -> argparse.ArgumentParser:
    """The command line, also shown by ``jdi simulate --help``."""
    line = argparse.ArgumentParser(prog="jdi simulate", description="Run a simulated Jira Cloud on loopback.")
    line.add_argument("--issues", type=int, default=1000, help="issues in all projects together (default 1000)")
    line.add_argument("--seed", type=int, default=1, help="equal seeds give equal data (default 1)")
    line.add_argument(
        "--project", action="append", metavar="KEY", help="key of a project, may be repeated (default DEMO)"
    )
    line.add_argument("--comments-per-issue", type=float, default=3, help="average (default 3)")
    line.add_argument("--worklogs-per-issue", type=float, default=2, help="average (default 2)")
    line.add_argument("--exact", action="store_true", help="exactly that many, not on average")
    line.add_argument("--hot-issues", type=int, default=0, help="issues with 250 comments and 60 worklogs (default 0)")
    line.add_argument("--latency-ms", type=float, default=0, help="every answer waits so long (default 0)")
    line.add_argument("--index-lag-ms", type=float, default=0, help="search sees a change so much later (default 0)")
    line.add_argument("--odd", type=int, metavar="SEED", help="show a part of all records oddly, by this seed")
    line.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    line.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    line.add_argument("--email", default=EMAIL, help=f"user that may log in (default {EMAIL})")
    line.add_argument("--token", default=TOKEN, help=f"that user's API token (default {TOKEN})")
    line.add_argument("--no-compress", action="store_true", help="send plain answers even to clients that accept gzip")
    return line


def main(argv: Sequence[str] | None = None) -> None:
    """Run until SIGINT or SIGTERM. Exit code 2, with one line, for a bad argument and a port that is taken."""
    asked = parser().parse_args(argv)
    try:
        dataset = Dataset.generate(
            projects=tuple(asked.project or ("DEMO",)),
            issues=asked.issues,
            seed=asked.seed,
            comments_per_issue=asked.comments_per_issue,
            worklogs_per_issue=asked.worklogs_per_issue,
            hot_issues=asked.hot_issues,
            exact=asked.exact,
        )
    except ValueError as error:
        _give_up(str(error))
    try:
        asyncio.run(_serve(dataset, asked))
    except OSError as error:
        reason = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        _give_up(f"cannot listen on {asked.host}:{asked.port}: {reason}; choose another port with --port")


async def _serve(dataset: Dataset, asked: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = serve(
        dataset,
        asked.host,
        asked.port,
        asked.latency_ms,
        index_lag_ms=asked.index_lag_ms,
        email=asked.email,
        token=asked.token,
        compress=not asked.no_compress,
        only_here=asked.host in LOCAL_NAMES,
    )
    async with running as simulator:
        simulator.conditions.odd = None if asked.odd is None else Odd(asked.odd)
        projects = ",".join(dataset.directory.projects)
        line = (
            f"simulated Jira: {simulator.base_url} email={simulator.email} token={simulator.token} projects={projects}"
        )
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        await stop.wait()


def _give_up(reason: str) -> None:
    sys.stderr.write(f"simulated Jira: {reason}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
