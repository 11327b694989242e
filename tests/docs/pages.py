"""The pages of the documentation as they are written: their blocks of code, their links, their inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("README.md", "ARCHITECTURE.md", *sorted(str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md")))

_MARK = re.compile(r"<!--\s*(?P<name>[a-z ]+?)(?::\s*(?P<value>.*?))?\s*-->", re.DOTALL)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A fenced block, and what the comment right above it says about its run."""

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    """`not run`, `file`, `background` or `shows`; see `tests.docs.running`."""
    value: str = ""
    """What the mark says more: a reason, a name."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def tokens(page: str) -> tuple[Token, ...]:
    markdown = MarkdownIt("commonmark").enable("table")
    return tuple(markdown.parse((ROOT / page).read_text(encoding="utf-8")))


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """In the order of the page."""
    return tuple(_blocks(page))


def _blocks(page: str) -> Iterator[Block]:
    mark: re.Match[str] | None = None
    for token in tokens(page):
        if token.type == "html_block":
            mark = _MARK.fullmatch(token.content.strip())
            continue
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            yield Block(
                page=page,
                line=token.map[0] + 1,
                language=token.info.strip(),
                text=token.content,
                mark=mark["name"] if mark else "",
                value=mark["value"] or "" if mark else "",
            )
        mark = None


def links(page: str) -> list[str]:
    """Where a page leads to and which pictures it shows."""
    inline = [child for token in tokens(page) for child in token.children or ()]
    found = [child.attrGet("href") or child.attrGet("src") for child in inline if child.type in ("link_open", "image")]
    return [str(target) for target in found if target]


def inline_code(page: str) -> list[str]:
    """What stands between backticks in its text."""
    return [child.content for token in tokens(page) for child in token.children or () if child.type == "code_inline"]


def anchors(page: str) -> set[str]:
    """The anchors of its headings, as GitHub and the site both make them of plain words."""
    tokens_of_page = tokens(page)
    headings = [
        tokens_of_page[index + 1].content for index, token in enumerate(tokens_of_page) if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w -]", "", heading.replace("`", "")).strip().lower().replace(" ", "-") for heading in headings}
