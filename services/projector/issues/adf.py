"""Atlassian's document format to readable text.

The walker is tolerant, because documents come from many editors and apps: a node it does not know keeps its text, a
node of the wrong shape counts as empty. It never raises and never shows raw JSON. A plain string (Server and
version 2 of the API) passes through.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from services.projector.tables.text import storable

Node = dict[str, Any]

MAX_DEPTH: Final = 50
"""Editors nest a dozen deep at most. What lies deeper keeps its words and loses its layout."""


def readable(document: Any) -> str:
    """The text of a document, a node, a list of nodes or a plain string; empty for None."""
    text = document if isinstance(document, str) else _blocks(document, 0).strip("\n")
    return storable(text)


def _blocks(value: Any, depth: int, between: str = "\n\n") -> str:
    """Nodes below one another; neighbours that are inline stay on one line."""
    parts: list[str] = []
    inline = False
    for node in _nodes(value):
        text = _render(node, depth)
        is_inline = _type(node) in _INLINE
        if inline and is_inline:
            parts[-1] += text
        elif text:
            parts.append(text)
            inline = is_inline
    return between.join(parts)


def _render(node: Node, depth: int) -> str:
    if depth > MAX_DEPTH:
        return " ".join(_words(node))
    render = _RENDERERS.get(_type(node), _unknown)
    return render(node, depth + 1)


def _content(node: Node, depth: int) -> str:
    """What a block holds: inline nodes side by side, blocks below one another."""
    return _blocks(node.get("content"), depth)


def _text(node: Node, _depth: int) -> str:
    text = _string(node.get("text"))
    for mark in _nodes(node.get("marks")):
        link = _string(_attrs(mark).get("href")) if _type(mark) == "link" else ""
        if link and link != text:
            return f"{text} ({link})"
    return text


def _unknown(node: Node, depth: int) -> str:
    """Keep whatever words an unknown node has: its text, its attribute `text`, its content."""
    parts = (_string(node.get("text")), _string(_attrs(node).get("text")), _content(node, depth))
    return "\n".join(part for part in parts if part)


def _bullets(node: Node, depth: int) -> str:
    return "\n".join(f"- {_indented(_item(item, depth))}" for item in _nodes(node.get("content")))


def _numbers(node: Node, depth: int) -> str:
    first = _attrs(node).get("order")
    start = first if isinstance(first, int) else 1
    items = enumerate(_nodes(node.get("content")), start)
    return "\n".join(f"{number}. {_indented(_item(item, depth))}" for number, item in items)


def _tasks(node: Node, depth: int) -> str:
    return "\n".join(_task(item, depth) for item in _nodes(node.get("content")))


def _task(node: Node, depth: int) -> str:
    if _type(node) == "taskList":
        return f"  {_indented(_render(node, depth))}"
    box = "[x]" if _attrs(node).get("state") == "DONE" else "[ ]"
    return f"{box} {_indented(_item(node, depth))}"


def _item(node: Node, depth: int) -> str:
    """What an item of a list holds, on adjacent lines; an item that is no item keeps its words."""
    if _type(node) in _ITEMS:
        return _blocks(node.get("content"), depth + 1, "\n") if depth < MAX_DEPTH else " ".join(_words(node))
    return _render(node, depth)


def _quote(node: Node, depth: int) -> str:
    return "\n".join(f"> {line}" for line in _content(node, depth).split("\n"))


def _table(node: Node, depth: int) -> str:
    return "\n".join(_render(row, depth) for row in _nodes(node.get("content")))


def _row(node: Node, depth: int) -> str:
    cells = (" ".join(_render(cell, depth).split()) for cell in _nodes(node.get("content")))
    return " | ".join(cells)


def _expand(node: Node, depth: int) -> str:
    parts = (_string(_attrs(node).get("title")), _content(node, depth))
    return "\n".join(part for part in parts if part)


def _mention(node: Node, _depth: int) -> str:
    attrs = _attrs(node)
    return _string(attrs.get("text")) or f"@{_string(attrs.get('id'))}"


def _emoji(node: Node, _depth: int) -> str:
    attrs = _attrs(node)
    return _string(attrs.get("text")) or _string(attrs.get("shortName"))


def _status(node: Node, _depth: int) -> str:
    return f"[{_string(_attrs(node).get('text'))}]"


def _date(node: Node, _depth: int) -> str:
    """Milliseconds since 1970, as text, to a date."""
    written = _string(_attrs(node).get("timestamp"))
    try:
        return datetime.fromtimestamp(int(written) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return written


def _card(node: Node, _depth: int) -> str:
    attrs = _attrs(node)
    data = attrs.get("data")
    found = data if isinstance(data, dict) else {}
    return _string(attrs.get("url")) or _string(found.get("url")) or _string(found.get("name"))


def _media(node: Node, _depth: int) -> str:
    attrs = _attrs(node)
    name = _string(attrs.get("alt")) or _string(attrs.get("url")) or _string(attrs.get("__fileName"))
    return f"[attachment: {name}]" if name else "[attachment]"


def _extension(node: Node, depth: int) -> str:
    """An app's macro: its own text and content when it has some, else the name of the macro."""
    name = _string(_attrs(node).get("extensionKey"))
    return _unknown(node, depth) or (f"[{name}]" if name else "")


def _rule(_node: Node, _depth: int) -> str:
    return "----"


def _break(_node: Node, _depth: int) -> str:
    return "\n"


_INLINE: Final = frozenset(
    {"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline", "inlineExtension"}
    | {"placeholder"}
)
_ITEMS: Final = frozenset({"listItem", "taskItem", "decisionItem", "blockTaskItem"})
_RENDERERS: Final[dict[str, Callable[[Node, int], str]]] = {
    "doc": _content,
    "paragraph": _content,
    "heading": _content,
    "text": _text,
    "hardBreak": _break,
    "mention": _mention,
    "emoji": _emoji,
    "date": _date,
    "status": _status,
    "placeholder": _unknown,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
    "bulletList": _bullets,
    "orderedList": _numbers,
    "decisionList": _bullets,
    "taskList": _tasks,
    "listItem": _content,
    "taskItem": _content,
    "decisionItem": _content,
    "blockquote": _quote,
    "codeBlock": _content,
    "panel": _content,
    "rule": _rule,
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
    "media": _media,
    "mediaInline": _media,
    "caption": _content,
    "extension": _extension,
    "bodiedExtension": _extension,
    "inlineExtension": _extension,
}


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _nodes(value: Any) -> list[Node]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, str | int | float):  # a bare value where a node should be is text as well
        return [{"type": "text", "text": value}]
    if not isinstance(value, list):
        return []
    return [node for item in value for node in (_nodes(item) if not isinstance(item, list) else ())]


def _type(node: Node) -> str:
    return _string(node.get("type"))


def _attrs(node: Node) -> Node:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _words(node: Node) -> Iterator[str]:
    """Every text below a node, in order, without recursion."""
    waiting: list[Any] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(reversed(current))
        elif isinstance(current, dict):
            text = _string(current.get("text"))
            if text:
                yield text
            waiting.append(current.get("content"))
