"""The parts of a document's nodes, whatever their types: what is of the wrong one counts as not there."""

from typing import Any

Node = dict[str, Any]


def nodes(value: Any) -> list[Node]:
    """A node or a list of them, flat; bare text and numbers are text nodes, everything else is none."""
    if isinstance(value, list) and (type(value[0]) is dict if len(value) == 1 else {*map(type, value)} == {dict}):
        return value  # as it should be
    if isinstance(value, dict):
        return [value]
    found: list[Node] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found.append(item)
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif text := written(item):
            found.append({"type": "text", "text": text})
    return found


def kind(node: Node) -> str:
    name = node.get("type")
    return name if isinstance(name, str) else written(name)


def attrs(node: Node) -> Node:
    return inside(node, "attrs")


def inside(node: Node, name: str) -> Node:
    """An object within the node; empty where there is none."""
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def written(value: Any) -> str:
    """Text, or a number as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of more than 4,300 digits
        return ""


def first(node: Node, *names: str) -> str:
    """The first of these parts that says something."""
    return next((text for name in names if (text := written(node.get(name)))), "")
