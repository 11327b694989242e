import io

import pytest
from rich.console import Group
from rich.table import Table
from rich.text import Text

from services.cli.terminal import Terminal, say

NAME = "Ops\x1b]0;owned\x07\nFAKE ok\u202e [red]x[/red] :bomb:"
SAFE = r"Ops\u001b]0;owned\u0007\nFAKE ok\u202e [red]x[/red] :bomb:"


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"project {NAME}")
    say(NAME, err=True)
    assert capsys.readouterr() == (f"project {SAFE}\n", f"{SAFE}\n")


def test_texts_are_escaped_wherever_they_stand() -> None:
    table = Table("name", box=None)
    table.add_row(NAME)
    table.add_row(Text(NAME))
    written = io.StringIO()
    shown = Terminal(file=written, width=100, force_terminal=True, color_system=None)
    shown.print(NAME)
    shown.print(Group(Text("a ") + Text(NAME, style="bold"), table))
    # A cell may be wrapped; rich leaves the bell out by itself.
    text = "".join(written.getvalue().split())
    assert text.replace(r"\u0007", "").count("".join(SAFE.replace(r"\u0007", "").split())) == 4
    assert not set(written.getvalue()) & set("\x1b\x07\u202e")
