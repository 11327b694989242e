"""Marks on nodes: those that change what a text means are written out, those that only change its looks are left out.

    struck out     ~~Monday~~
    superscript    x^2, x^(n + 1)
    subscript      H_2
    link           here (https://...)

A mark reaches over all neighbours that have it, so a struck-out line with a bold word in it is struck out once.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from services.projector.issues.adf.nodes import Node, attrs, kind, nodes, written


class Marks(NamedTuple):
    """What the marks of a node mean, the outermost first; empty where there is no such mark."""

    link: str = ""
    """The address."""
    struck: str = ""
    script: str = ""
    """^ or _"""


PLAIN: Final = Marks()
SCRIPTS: Final = {"sup": "^", "sub": "_"}
ONE_WORD: Final = re.compile(r"[-+\N{MINUS SIGN}]?\w+")


def marks_of(node: Node) -> Marks:
    if not node.get("marks"):
        return PLAIN
    link = struck = script = ""
    for mark in nodes(node["marks"]):
        match kind(mark):
            case "link":
                link = link or written(attrs(mark).get("href"))
            case "strike":
                struck = "~~"
            case "subsup":
                script = SCRIPTS.get(written(attrs(mark).get("type")), "")
    return Marks(link, struck, script)


def marked(text: str, marks: Marks) -> str:
    """The text with its marks written out."""
    return text if marks is PLAIN else joined([(text, marks)])


def joined(parts: Sequence[tuple[str, Marks]]) -> str:
    """Neighbours on one line."""
    if len(parts) == 1 and parts[0][1] is PLAIN:
        return parts[0][0]
    for _, marks in parts:
        if marks is not PLAIN:
            return _written_out(parts, 0)
    return "".join([text for text, _ in parts])


def _written_out(parts: Iterable[tuple[str, Marks]], level: int) -> str:
    if level == len(_WRITE):
        return "".join(text for text, _ in parts)
    shown = ""
    for mark, same in groupby(parts, key=lambda part: part[1][level]):
        text = _written_out(same, level + 1)
        shown += _WRITE[level](text, mark) if mark else text
    return shown


def _link(text: str, address: str) -> str:
    """The address stands behind the first paragraph: behind an image, not behind its caption."""
    paragraph, gap, rest = text.partition("\n\n")
    shown, space = _without_end(paragraph)
    if shown == address or shown.endswith(f"({address})"):
        return text
    return f"{shown} ({address}){space}{gap}{rest}" if shown else f"{address}{text}"


def _strike(text: str, sign: str) -> str:
    shown, space = _without_end(text)
    start = shown.lstrip()
    return f"{shown[: len(shown) - len(start)]}{sign}{start}{sign}{space}" if start else text


def _script(text: str, sign: str) -> str:
    shown, space = _without_end(text)
    if not shown:
        return text
    return f"{sign}{shown}{space}" if ONE_WORD.fullmatch(shown) else f"{sign}({shown}){space}"


def _without_end(text: str) -> tuple[str, str]:
    """The text, and the white space it ends with: that stays outside of a mark."""
    shown = text.rstrip()
    return shown, text[len(shown) :]


_WRITE: Final[tuple[Callable[[str, str], str], ...]] = (_link, _strike, _script)
