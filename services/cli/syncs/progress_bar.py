"""A sync as a bar on the terminal. Where there is no terminal, nothing is drawn."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Reached(Protocol):
    """How far a sync is."""

    @property
    def pages(self) -> int: ...
    @property
    def pages_total(self) -> int | None: ...
    @property
    def issues(self) -> int: ...


@contextlib.contextmanager
def progress_bar(console: Console, project: str) -> Iterator[Callable[[Reached], None]]:
    """Show a bar while the block runs; the yielded function moves it, from any thread."""
    bar = Progress(
        TextColumn("sync {task.fields[project]}"),
        BarColumn(),
        TextColumn("page {task.fields[pages]}"),
        TextColumn("{task.fields[issues]} issues"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None, project=project, pages="?", issues=0)

        def move(progress: Reached) -> None:
            total = progress.pages_total
            pages = f"{progress.pages}/{total}" if total is not None else str(progress.pages)
            bar.update(task, completed=progress.pages, total=total, pages=pages, issues=progress.issues)

        yield move
