"""What `jdi` understands. Each command reads its settings and hands over to the module that does it.

Exit codes: 0 done, 1 failed (the line says why and what to do), 2 a setting or an argument is wrong.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from libs.embedded.errors import StackError
from libs.runtime import SettingsError, Stop, leave, read_settings
from services.cli import settings as cli_settings
from services.cli.terminal import Terminal, say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")
WITH_TEMPORAL_UI = click.option(
    "--temporal-ui", is_flag=True, help="Show Temporal's own web UI; it lets in every process and page of this machine."
)
INTERRUPTED = 130
LEVELS = ("debug", "info", "warning", "error")
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
ROLES = ("reader", "operator", "admin")
SLIM = ("up", "demo", "simulate")
"""Commands that ask nothing of libraries which log: they run for long, and stay small."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jira-data-integrator", prog_name="jdi")
@click.pass_context
def cli(context: click.Context) -> None:
    """Jira Data Integrator: copies Jira projects as events and serves them by GraphQL."""
    if context.invoked_subcommand not in SLIM:
        from libs.runtime.logs import plain_lines

        plain_lines("jdi", sys.stderr)


@cli.command()
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
@WITH_TEMPORAL_UI
def up(log_level: str, temporal_ui: bool) -> None:
    """Run the whole stack against the Jira of the environment, until Ctrl-C."""
    from services.cli.running.up import up as run

    run(read_settings(cli_settings.UpSettings), _stderr(), log_level, temporal_ui=temporal_ui)


@cli.command()
@click.option("--exit", "leave", is_flag=True, help="End after the first sync; the last line says how it went.")
@click.option(
    "--issues", default=1000, show_default=True, type=click.IntRange(1), help="Size of the simulated project."
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same data.")
@click.option("--latency-ms", default=20, show_default=True, type=click.IntRange(0), help="Of each answer of Jira.")
@click.option("--log-level", type=click.Choice(LEVELS), default="warning", show_default=True)
@WITH_TEMPORAL_UI
def demo(leave: bool, issues: int, seed: int, latency_ms: int, log_level: str, temporal_ui: bool) -> None:
    """Run the whole stack against a simulated Jira and show one sync from request to GraphQL answer."""
    from services.cli.running.demo import SimulatedJira
    from services.cli.running.demo import demo as run

    jira = SimulatedJira(issues=issues, seed=seed, latency_ms=latency_ms)
    settings = read_settings(cli_settings.DemoSettings)
    sys.exit(run(settings, jira, _stderr(), log_level, leave=leave, temporal_ui=temporal_ui))


@cli.command()
def migrate() -> None:
    """Create or update the tables of the event log and of the read side."""
    from services.cli.migrations import migrate as run

    run(_here(cli_settings.DatabaseSettings).database_url)
    say("the tables are up to date")


@cli.command()
@click.argument("project")
@click.option("--cron", help="Schedule of its syncs, five fields; default SYNC_DEFAULT_CRON.")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the cron expression.")
def register(project: str, cron: str | None, timezone: str) -> None:
    """Register a Jira project by its key; its first sync starts at once."""
    from services.cli.asking import register as run

    asyncio.run(run(_here(cli_settings.SiteSettings), project, cron, timezone))
    say(f"{project} is registered; its first sync starts now")


@cli.command()
@click.argument("project")
@click.option("--full", is_flag=True, help="Read every issue, not only those changed since the last sync.")
@click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="Only issues of this account; may be repeated."
)
@click.option("--wait", is_flag=True, help="Show progress, and return when the result can be read.")
def sync(project: str, full: bool, accounts: tuple[str, ...], wait: bool) -> None:
    """Sync a registered project now."""
    from libs.events import SyncSucceeded
    from services.cli import asking

    settings = _here(cli_settings.SiteSettings)
    if not wait:
        request_id = asyncio.run(asking.sync(settings, project, full=full, account_ids=accounts))
        say(f"sync of {project} requested, request {request_id}")
        return
    end = asking.sync_and_wait(settings, project, full=full, account_ids=accounts, console=_stderr())
    say(f"sync {project}: {asking.described(end)}" if end else f"sync {project}: interrupted")
    sys.exit(0 if isinstance(end, SyncSucceeded) else 1)


@cli.command()
@click.argument("project")
@click.option("--accept", is_flag=True, help="Let go what the last census has held back; look at it first.")
@click.option("--wait", is_flag=True, help="Return when the census has ended; exit 1 unless the project is proved.")
def prove(project: str, accept: bool, wait: bool) -> None:
    """Compare a project with Jira now, id by id: fetch what is missing, let go what is gone, and say what differs."""
    from services.cli import asking
    from services.cli.syncs.prove import described, is_proved

    settings = _here(cli_settings.SiteSettings)
    if not wait:
        request_id = asyncio.run(asking.prove(settings, project, accept=accept))
        say(f"census of {project} requested, request {request_id}")
        return
    end = asking.prove_and_wait(settings, project, accept=accept)
    say(f"census {project}: {described(end)}" if end else f"census {project}: interrupted")
    sys.exit(0 if is_proved(end) else 1)


@cli.command()
def rebuild() -> None:
    """Build the read tables anew from the event log; the old ones serve until the new ones are complete."""
    from services.cli.damage.lost_log import check_log_is_there

    check_log_is_there(_here(cli_settings.DatabaseSettings).database_url)
    environ = os.environ | cli_settings.environ_here()
    finished = subprocess.run([sys.executable, "-m", "services.projector", "rebuild"], env=environ, check=False)
    sys.exit(finished.returncode)


@cli.command()
@click.option("--after", default=0, show_default=True, help="Begin behind this position.")
@click.option("--follow", "live", is_flag=True, help="Go on with new events, until Ctrl-C.")
@click.option("--topic", "topics", multiple=True, help="Only events of this type, e.g. SyncFailed; may be repeated.")
@click.option("--project", help="Only events of this project.")
def events(after: int, live: bool, topics: tuple[str, ...], project: str | None) -> None:
    """Print the event log, one JSON object a line."""
    from libs.events import open_store
    from libs.runtime import event_database
    from services.cli.damage.lost_log import check_log_is_there
    from services.cli.events import event_lines

    url = _here(cli_settings.DatabaseSettings).database_url
    check_log_is_there(url)
    store = open_store(event_database(url))
    try:
        for line in event_lines(store, after, topics=topics, project=project, live=live, stop=Stop()):
            say(line)
    except BrokenPipeError:  # `jdi events | head`, which is no failure; click would make it one
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - flushed when the process ends


@cli.command()
def status() -> None:
    """Show how the syncs of every project stand, and whether all of it is here."""
    from libs.runtime import engine, read_database
    from services.cli.syncs.status import status as report

    settings = _here(cli_settings.StatusSettings)
    tables = engine(read_database(settings.database_url), read_only=True)
    Terminal().print(report(tables, settings.census_seconds))


@cli.group()
def token() -> None:
    """Make, list and revoke the API tokens by which people and programs are known."""


@token.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the token allows.")
@click.option("--project", "projects", multiple=True, metavar="KEY", help="It reaches this project; may be repeated.")
@click.option("--expires", metavar="TIME", help="When it ends: 30m, 12h, 90d, 2w; without it, never.")
@click.option("--print-url", is_flag=True, help="Print the console's address with the token in it: it signs in.")
def create_token(name: str, role: str, projects: tuple[str, ...], expires: str | None, print_url: bool) -> None:
    """Make a token for NAME, whom the settings history will name, and print it: it is not shown again."""
    from services.cli import tokens
    from services.cli.running import signing_in

    settings = _here(cli_settings.TokenSettings)
    made, secret = tokens.create(settings.database_url, name, role, projects, expires)
    say(f"token {made.id} of {made.name} is made; it is shown this once", err=True)
    address = signing_in.console_address(f"http://127.0.0.1:{settings.port}")
    say(signing_in.sign_in_address(address, secret) if print_url else secret)


@token.command("first", hidden=True)
def first_token() -> None:
    """Make a first administrator's token where there is no administrator, and print it."""
    from services.cli import tokens

    secret = tokens.first_admin(_here(cli_settings.DatabaseSettings).database_url)
    if secret is not None:
        say(secret)


@token.command("list")
def list_tokens() -> None:
    """List the tokens that there are and were."""
    from services.cli import tokens

    Terminal().print(tokens.listed(_here(cli_settings.TokenSettings).database_url))


@token.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke_token(token_id: str) -> None:
    """Revoke a token: from now on it opens nothing."""
    from services.cli import tokens

    revoked = tokens.revoke(_here(cli_settings.TokenSettings).database_url, token_id)
    say(f"token {revoked.id} of {revoked.name} is revoked")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the event log and the API tokens to FILE, while everything goes on."""
    from services.cli.copies.backup import back_up

    made = back_up(_here(cli_settings.DatabaseSettings).database_url, file)
    say(f"{file} holds the log up to event {made.position} and {made.tokens} API tokens")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--finish", "only_finish", is_flag=True, help="The data are in place already, as after pg_restore.")
def restore(file: Path | None, only_finish: bool) -> None:
    """Make the event log from a backup, and everything else follow it. Stop all services first."""
    from services.cli.copies.restore import restore as run

    if only_finish == (file is not None):
        raise click.UsageError("give the FILE of a backup, or --finish when its data are in place already")
    asyncio.run(run(read_settings(cli_settings.RestoreSettings), file, say))
    say("restored; start the services")


@cli.command()
def compact() -> None:
    """Compress what an older version stored, and give the room back. Stop all services first."""
    from services.cli.copies.compact import compact as run

    done = asyncio.run(run(_here(cli_settings.DatabaseSettings).database_url))
    say(f"the log has {done.after / 1e6:,.1f} MB; it had {done.before / 1e6:,.1f} MB")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(as_json: bool) -> None:
    """Check settings, databases, servers and Jira; exit 1 when something fails."""
    from services.cli.doctor import examine

    findings = asyncio.run(examine(cli_settings.environ_here()))
    for finding in findings:
        if as_json:
            say(json.dumps(finding.as_json()))
            continue
        advice = f"; {finding.advice}" if finding.advice else ""
        click.secho(f"{finding.state:<4} ", fg=COLOURS[finding.state], nl=False)
        say(f"{finding.name:<12} {finding.text}{advice}")
    sys.exit(1 if any(finding.failed for finding in findings) else 0)


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run a simulated Jira on loopback; its own --help lists its options."""
    os.execv(sys.executable, [sys.executable, "-m", "libs.jira_simulator", *arguments])  # noqa: S606


def main() -> None:
    """The console script: what goes wrong is one line for its reader, not a traceback."""
    try:
        code = cli(standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except SettingsError as error:
        code = _refused(error.lines, 2)
    except StackError as error:
        code = _refused((str(error),), error.exit_code)
    except _expected() as error:
        code = _refused((str(error),), 1)
    except _database_errors() as error:
        from services.cli.damage.trouble import sentence

        code = _refused((sentence(error),), 1)
    leave(code)


def _expected() -> tuple[type[Exception], ...]:
    """Failures whose text says what to do. Imported late: `jdi --help` needs none of this."""
    from libs.access import BadTokenError, NotCopiedError, UnknownTokenError
    from libs.events import StoreVersionError
    from libs.events.log.copies import CopyError
    from libs.read_tables import ReadTablesError
    from libs.temporal.commands import CommandFailedError, UnknownProjectError
    from services.cli.copies.at_work import AtWorkError
    from services.cli.copies.backup import BackupError
    from services.cli.copies.restore import RestoreError
    from services.cli.damage.lost_log import LostLogError
    from services.cli.events import UnknownTopicNameError
    from services.cli.syncs.watch import NoProgressError

    return (
        AtWorkError,
        BackupError,
        BadTokenError,
        CopyError,
        LostLogError,
        NotCopiedError,
        RestoreError,
        UnknownTokenError,
        StoreVersionError,
        ReadTablesError,
        CommandFailedError,
        UnknownProjectError,
        UnknownTopicNameError,
        NoProgressError,
    )


def _database_errors() -> tuple[type[Exception], ...]:
    import sqlite3

    import psycopg
    from eventsourcing.persistence import PersistenceError
    from sqlalchemy.exc import DBAPIError

    return PersistenceError, DBAPIError, psycopg.Error, sqlite3.Error


def _here(cls: type[S]) -> S:
    return read_settings(cls, cli_settings.environ_here())


def _refused(lines: tuple[str, ...], code: int) -> int:
    for line in lines:
        say(f"jdi: {line}", err=True)
    return code


def _stderr() -> Terminal:
    return Terminal(stderr=True)
