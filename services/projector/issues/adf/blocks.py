"""Atlassian's document format to readable text.

The walker is tolerant, because documents come from many editors and apps: a node it does not know keeps its words, a
node of the wrong shape counts as empty. It never raises and never shows raw JSON. A plain string (Server and
version 2 of the API) passes through.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from services.projector.issues.adf.leaves import LEAVES, own_words, unknown
from services.projector.issues.adf.marks import PLAIN, Marks, joined, marked, marks_of
from services.projector.issues.adf.nodes import Node, attrs, kind, nodes, written
from services.projector.tables.text import storable

MAX_DEPTH: Final = 50
"""Editors nest a dozen deep at most. What lies deeper keeps its words and loses its layout."""


def readable(document: Any) -> str:
    """The text of a document, a node, a list of nodes or a plain string; empty for None."""
    if isinstance(document, str):
        return storable(document)
    text = _one_paragraph(document) if isinstance(document, dict) else None
    return storable((_blocks(document, 0) if text is None else text).strip("\n"))


def _one_paragraph(document: Node) -> str | None:
    """What a document says that is one such paragraph as `_one_text` knows: most comments are."""
    inside = document.get("content")
    if (
        document.get("type") == "doc"
        and document.keys() <= _OF_DOCUMENTS
        and isinstance(inside, list)
        and len(inside) == 1
        and isinstance(block := inside[0], dict)
        and block.get("type") == "paragraph"
    ):
        return _one_text(block)
    return None


def _blocks(value: Any, depth: int, between: str = "\n\n", *, sentence: bool = False) -> str:
    """Nodes below one another; neighbours that are inline stay on one line."""
    parts: list[str] = []
    line: list[tuple[str, Marks]] = []
    for node in nodes(value):
        name = kind(node)
        if name == "text" and (text := _bare(node)) is not None:
            line.append((text, PLAIN))
        elif name == "paragraph" and not line and depth < MAX_DEPTH and (text := _one_text(node)) is not None:
            parts.append(text)
        elif name in _INLINE or _joins_in(node, sentence=sentence):
            line.append((_unmarked(node, depth), marks_of(node)))
        else:
            if line:
                parts.append(joined(line))
                line = []
            parts.append(_render(node, depth))
    if line:
        if not parts:
            return joined(line)
        parts.append(joined(line))
    return between.join(filter(None, parts))


def _bare(node: Node) -> str | None:
    """What a text node says that has a type, a text and nothing else; None for every other."""
    text = node.get("text")
    return text if isinstance(text, str) and len(node) == 2 and node.get("type") == "text" else None


def _one_text(block: Node) -> str | None:
    """What a paragraph says that holds one such node: nearly all do, so these are spared the way of all others."""
    inside = block.get("content")
    if len(block) == 2 and isinstance(inside, list) and len(inside) == 1 and isinstance(inside[0], dict):
        return _bare(inside[0])
    return None


def _joins_in(node: Node, *, sentence: bool) -> bool:
    """A node that is not known counts as part of the sentence that it stands in, unless it holds others."""
    if kind(node) in _RENDERERS or node.get("content"):
        return False
    return sentence or bool(written(node.get("text")))


def _render(node: Node, depth: int) -> str:
    text = _unmarked(node, depth)
    return marked(text, marks_of(node)) if "marks" in node else text


def _unmarked(node: Node, depth: int) -> str:
    if depth > MAX_DEPTH:
        return " ".join(_words(node))
    return _RENDERERS.get(kind(node), _unknown)(node, depth + 1)


def _leaf(says: Callable[[Node], str]) -> Callable[[Node, int], str]:
    def render(node: Node, depth: int) -> str:
        inside = node.get("content")  # nothing belongs there; what is there all the same is kept
        return _lines(says(node), _blocks(inside, depth)) if inside else says(node)

    return render


def _content(node: Node, depth: int) -> str:
    """What a block holds: inline nodes side by side, blocks below one another."""
    return _with_text(node, _blocks(node.get("content"), depth))


def _sentence(node: Node, depth: int) -> str:
    """What a block holds whose nodes are inline by rights."""
    return _with_text(node, _blocks(node.get("content"), depth, sentence=True))


def _with_text(node: Node, inner: str) -> str:
    """A text belongs into a node of its own, not into a block; it is kept all the same."""
    return _lines(written(node["text"]), inner) if "text" in node else inner


def _unknown(node: Node, depth: int) -> str:
    """Its own words, those of the node that an editor has wrapped because it did not know it, and its content."""
    return _lines(unknown(node), _blocks(_wrapped(node), depth), _blocks(node.get("content"), depth))


def _wrapped(node: Node) -> Any:
    """The node inside an `unsupportedBlock` or `unsupportedInline`, which is JSON or JSON in text."""
    value = attrs(node).get("originalValue")
    if not isinstance(value, str):
        return value
    try:
        decoded = msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return value
    return decoded if isinstance(decoded, dict | list) else value


def _bullets(node: Node, depth: int) -> str:
    return "\n".join(f"- {_indented(_render(item, depth))}" for item in nodes(node.get("content")))


def _numbers(node: Node, depth: int) -> str:
    first = attrs(node).get("order")
    start = first if isinstance(first, int) and 0 <= first <= _MAX_NUMBER else 1
    items = enumerate(nodes(node.get("content")), start)
    return "\n".join(f"{number}. {_indented(_render(item, depth))}" for number, item in items)


def _tasks(node: Node, depth: int) -> str:
    return "\n".join(_task_or_more(item, depth) for item in nodes(node.get("content")))


def _task_or_more(node: Node, depth: int) -> str:
    text = _render(node, depth)
    return f"  {_indented(text)}" if kind(node) == "taskList" else text


def _task(node: Node, depth: int) -> str:
    box = "[x]" if written(attrs(node).get("state")).upper() == "DONE" else "[ ]"
    return f"{box} {_indented(_adjacent(node, depth))}"


def _decision(node: Node, depth: int) -> str:
    state = written(attrs(node).get("state"))
    return f"[{state}] {_adjacent(node, depth)}" if state else _adjacent(node, depth)


def _adjacent(node: Node, depth: int) -> str:
    """What an item of a list holds, on adjacent lines."""
    return _with_text(node, _blocks(node.get("content"), depth, "\n", sentence=True))


def _quote(node: Node, depth: int) -> str:
    return "\n".join(f"> {line}" for line in _content(node, depth).split("\n"))


def _table(node: Node, depth: int) -> str:
    return "\n".join(_render(row, depth) for row in nodes(node.get("content")))


def _row(node: Node, depth: int) -> str:
    return " | ".join(" ".join(_render(cell, depth).split()) for cell in nodes(node.get("content")))


def _expand(node: Node, depth: int) -> str:
    return _lines(written(attrs(node).get("title")), _content(node, depth))


def _extension(node: Node, depth: int) -> str:
    """An app's macro: its own text and content when it has some, else the name of the macro."""
    name = written(attrs(node).get("extensionKey"))
    return _unknown(node, depth) or (f"[{name}]" if name else "")


_OF_DOCUMENTS: Final = frozenset({"type", "version", "content"})
"""What every document has; one that has more may say something by it."""
_MAX_NUMBER: Final = 2**31 - 1
"""Of a list's first item."""

_INLINE: Final = frozenset(
    {"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline", "inlineExtension"}
    | {"placeholder", "unsupportedInline"}
)
_RENDERERS: Final[dict[str, Callable[[Node, int], str]]] = {
    **{name: _leaf(says) for name, says in LEAVES.items()},
    "doc": _content,
    "paragraph": _sentence,
    "heading": _sentence,
    "bulletList": _bullets,
    "orderedList": _numbers,
    "decisionList": _bullets,
    "taskList": _tasks,
    "listItem": _adjacent,
    "taskItem": _task,
    "blockTaskItem": _task,
    "decisionItem": _decision,
    "blockquote": _quote,
    "codeBlock": _sentence,
    "panel": _content,
    "expand": _expand,
    "nestedExpand": _expand,
    "layoutSection": _content,
    "layoutColumn": _content,
    "table": _table,
    "tableRow": _row,
    "tableHeader": _content,
    "tableCell": _content,
    "mediaSingle": _content,
    "mediaGroup": _content,
    "caption": _sentence,
    "extension": _extension,
    "bodiedExtension": _extension,
    "inlineExtension": _extension,
}


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _words(node: Node) -> Iterator[str]:
    """What every node below a node says, in order, without recursion."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if text := marked(own_words(found), marks_of(found)):
            yield text
        waiting.extend(reversed(nodes([_wrapped(found), found.get("content")])))
