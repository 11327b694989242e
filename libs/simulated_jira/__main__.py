"""Run a simulated Jira on loopback until interrupted."""

import argparse
import asyncio
import signal
import sys

from libs.simulated_jira.generate import Shape, generate
from libs.simulated_jira.server import EMAIL, TOKEN, serve


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="jdi simulate", description="Run a simulated Jira Cloud on loopback.")
    parser.add_argument("--issues", type=int, default=1000, help="issues in all projects together (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same data (default 1)")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait before every answer (default 0)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--project", action="append", help="key of a project, may be repeated (default DEMO)")
    parser.add_argument("--comments-per-issue", type=float, default=3, help="average (default 3)")
    parser.add_argument("--worklogs-per-issue", type=float, default=2, help="average (default 2)")
    parser.add_argument("--exact", action="store_true", help="exactly that many comments and worklogs per issue")
    parser.add_argument(
        "--hot-issues", type=int, default=3, help="issues with 250 comments and 60 worklogs (default 3)"
    )
    parser.add_argument("--compress", action="store_true", help="gzip answers, as Jira Cloud does")
    return parser.parse_args(argv)


async def run(args: argparse.Namespace) -> None:
    shape = Shape(
        issues=args.issues,
        seed=args.seed,
        projects=tuple(args.project or ["DEMO"]),
        comments_per_issue=args.comments_per_issue,
        worklogs_per_issue=args.worklogs_per_issue,
        exact=args.exact,
        hot_issues=args.hot_issues,
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(generate(shape), port=args.port, latency_ms=args.latency_ms, compress=args.compress) as simulator:
        line = f"simulated Jira: {simulator.base_url} email={EMAIL} token={TOKEN} projects={','.join(shape.projects)}"
        print(line, flush=True)  # noqa: T201 - the line its starter waits for
        await stop.wait()


def main() -> None:
    args = arguments()
    try:
        asyncio.run(run(args))
    except OSError as error:
        sys.exit(f"simulated Jira: port {args.port} is taken ({error.strerror}); choose another with --port")


if __name__ == "__main__":
    main()
