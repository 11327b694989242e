"""docs/reference/commands.md: what `jdi` understands, from the commands themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import click

from libs.jira_simulator.__main__ import parser as simulator
from services.cli.commands import cli
from tests.docs.reference.tables import code, table

INTRODUCTION = """# Commands

`jdi` is in `.venv/bin`, and in the image. `make reference` writes this page from the code; `jdi COMMAND --help` says
the same. Beside a running stack commands find its addresses by themselves, in the data folder; else they read
[settings](settings.md) from the environment.

Exit codes: 0 done, 1 failed (one line says why and what to do), 2 a setting or an argument is wrong.

"""


def page() -> str:
    rows = [
        (f"[`{name}`](#{name.replace(' ', '-')})", command.get_short_help_str(200)) for name, command in _commands()
    ]
    parts = [INTRODUCTION, table(("command", "does"), rows)]
    parts += [_section(name, command) for name, command in _commands()]
    return "".join(parts)


def _commands() -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(cli.commands.items()):
        if isinstance(command, click.Group):
            shown = ((each, inner) for each, inner in sorted(command.commands.items()) if not inner.hidden)
            yield from ((f"jdi {name} {each}", inner) for each, inner in shown)
        else:
            yield f"jdi {name}", command


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    help_text = " ".join((command.help or "").split())
    rows = (
        list(_simulator_rows())
        if name == "jdi simulate"
        else [
            (code(row[0]), row[1])
            for parameter in command.get_params(context)
            if (row := parameter.get_help_record(context)) is not None and "--help" not in row[0]
        ]
    )
    options = f"\n{table(('option', 'meaning'), rows)}" if rows else ""
    return f"\n## {name}\n\n{help_text}\n\n`{usage}`\n{options}"


def _simulator_rows() -> Iterator[tuple[str, str]]:
    for action in simulator()._actions:
        if not isinstance(action, argparse._HelpAction):
            value = action.metavar or action.dest.upper()
            yield code(action.option_strings[0] + (f" {value}" if action.nargs != 0 else "")), action.help or ""
