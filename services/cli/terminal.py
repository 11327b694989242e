"""All that `jdi` writes for people goes through here: text of Jira must not steer the terminal that shows it."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from libs.runtime import printable


def say(text: str, *, err: bool = False) -> None:
    """Write one line, on stderr with `err`."""
    click.echo(printable(text), err=err)


class Terminal(Console):
    """A console of `rich` that escapes every text as `say` does, in tables, too, and takes no text for markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As of `Console`. A text that must be escaped loses the colours of its parts: their places have moved."""
        if isinstance(renderable, Text) and (safe := printable(renderable.plain)) != renderable.plain:
            renderable = renderable.blank_copy(safe)
        return super().render(renderable, options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As of `Console`."""
        return super().render_str(printable(text), **options)
