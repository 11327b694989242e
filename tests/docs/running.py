"""Run the blocks of a page, one after the other, as its reader would.

Above a block may stand a comment that says how:

    <!-- not run: why -->       nobody runs it here; it must parse, and what it names must exist
    <!-- file: board.py -->     it is saved under this name; other blocks use it
    <!-- background -->         it goes on while the later blocks run; the next such block, or the page's end, ends it
    <!-- shows -->              of a `text` block: what the background block has shown by then, sooner or later

A `console` block has commands behind `$ ` and below each what it shows. In what is shown, `…` stands for any text of a
line, and alone on a line for any lines. What a shell block exports, the later ones of its page find.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Awaitable, Callable

from tests.docs.languages import is_schema, shell_session
from tests.docs.pages import Block
from tests.docs.stack import Stack
from tests.eventually import until

BLOCK_SECONDS = 120
"""A block that takes longer hangs."""


class Reader:
    """Somebody who follows a page from top to bottom."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._exports = stack.folder / ".exports"
        self._exports.write_text("")
        self._behind: asyncio.subprocess.Process | None = None
        self._shown = stack.folder / ".background"
        self._acts: dict[str, Callable[[str], Awaitable[object]]] = {
            "background": self._start,
            "shows": self._background_shows,
            "sh": self._run,
            "console": self._talk,
            "python": self._program,
            "graphql": self._ask,
        }

    async def follow(self, block: Block) -> None:
        """Do what the block says.

        Raises:
            AssertionError: it does not work, in words for the author of the page.
        """
        if block.mark == "not run":
            return
        if block.mark == "file":
            (self._stack.folder / block.value).write_text(self._here(block.text))
            return
        act = self._acts.get(block.mark or block.language)
        if act is not None:
            await act(self._here(block.text))

    async def close(self) -> None:
        """End what runs in the background."""
        if self._behind is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._behind.pid, signal.SIGKILL)
            await self._behind.wait()

    def _here(self, text: str) -> str:
        for named, real in self._stack.places.items():
            text = text.replace(named, real)
        return text

    async def _talk(self, session: str) -> None:
        for command, shown in shell_session(session):
            assert_shows((await self._ended(command))[1], shown)

    async def _program(self, text: str) -> None:
        (self._stack.folder / "block.py").write_text(text)
        await self._run("python block.py")

    async def _run(self, script: str) -> None:
        code, shown = await self._ended(f"set -euo pipefail\n{script}")
        assert code == 0, f"it ends with {code}:\n{shown[-2000:]}"

    async def _ended(self, script: str) -> tuple[int | None, str]:
        """Its exit code, and what it has shown."""
        full = f"source {self._exports}\n{script}\nexport -p > {self._exports}\n"
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", full),
            cwd=self._stack.folder,
            env=self._stack.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), BLOCK_SECONDS)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"it does not end within {BLOCK_SECONDS} s") from None
        return process.returncode, out.decode()

    async def _start(self, script: str) -> None:
        await self.close()
        with self._shown.open("wb") as out:
            self._behind = await asyncio.create_subprocess_exec(
                *("bash", "-c", f"source {self._exports}\n{script}"),
                cwd=self._stack.folder,
                env=self._stack.environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    async def _background_shows(self, expected: str) -> None:
        behind = self._behind
        assert behind is not None, "nothing runs in the background"
        with contextlib.suppress(AssertionError):  # what is missing is said better below
            await until(
                self._shown.read_text,
                lambda text: re.search(pattern(expected), text),
                hopeless=lambda: behind.returncode is not None,
                seconds=BLOCK_SECONDS,
            )
        assert_shows(self._shown.read_text(), expected, anywhere=True)

    async def _ask(self, query: str) -> None:
        if is_schema(query):
            return
        answer = await self._stack.ask(query)
        assert "errors" not in answer, json.dumps(answer["errors"])
        for name, result in (answer["data"] or {}).items():
            refused = result.get("userErrors") if isinstance(result, dict) else None
            assert not refused, f"{name}: {refused}"


def assert_shows(shown: str, expected: str, *, anywhere: bool = False) -> None:
    """Whether output is what the page promises."""
    found = re.search(pattern(expected), shown) if anywhere else re.fullmatch(pattern(expected), shown.rstrip() + "\n")
    assert expected == "" or found, f"the page promises\n{expected}\nand it shows\n{shown[-2000:]}"


def pattern(expected: str) -> str:
    """The regular expression of a promised output."""
    lines = [line.rstrip() for line in expected.rstrip().splitlines()]
    parts = [r"(?:.*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*?')}[ ]*\n" for line in lines]
    return "".join(parts)
