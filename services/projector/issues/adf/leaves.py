"""What a node says by itself, without the nodes in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from libs.read_tables import mention
from services.projector.issues.adf.nodes import Node, attrs, first, inside, kind, written


def own_words(node: Node) -> str:
    """Without its marks. A node that is not known keeps what is written in the usual places."""
    return LEAVES.get(kind(node), unknown)(node)


def unknown(node: Node) -> str:
    found = attrs(node)
    texts = (written(node.get("text")), *(written(found.get(name)) for name in _USUAL))
    return " ".join(dict.fromkeys(text for text in texts if text))


def _text(node: Node) -> str:
    return written(node.get("text"))


def _mention(node: Node) -> str:
    """The name that Jira wrote, else a token that is resolved when the text is read: names may be learnt later."""
    found = attrs(node)
    text, account = written(found.get("text")), written(found.get("id"))
    return text if text.strip("@ ") not in ("", account) or not account else mention(account)


def _emoji(node: Node) -> str:
    return first(attrs(node), "text", "shortName")


def _status(node: Node) -> str:
    text = written(attrs(node).get("text"))
    return f"[{text}]" if text else ""


def _date(node: Node) -> str:
    """Milliseconds since 1970, as text or a number, to a date; what is none stays as it is written."""
    timestamp = written(attrs(node).get("timestamp"))
    try:
        return datetime.fromtimestamp(float(timestamp) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return timestamp


def _card(node: Node) -> str:
    """A link as a card: its name and address, or the search whose results it shows."""
    found = attrs(node)
    data = inside(found, "data")
    search = inside(inside(found, "datasource"), "parameters")
    name = first(data, "name", "title")
    address = first(found, "url") or first(data, "url", "@id") or first(search, *_SEARCHES)
    return f"{name} ({address})" if name and address else name or address


def _media(node: Node) -> str:
    found = attrs(node)
    name, address = first(found, "alt", "__fileName"), first(found, "url")
    shown = f"{name} ({address})" if name and address else name or address
    if shown:
        return f"[attachment: {shown}]"
    # Its id is one of the media service, which no list of Jira shows.
    return "[image]" if found.get("type") == "image" or _SIZE & found.keys() else "[attachment]"


def _break(_node: Node) -> str:
    return "\n"


def _rule(_node: Node) -> str:
    return "----"


_SIZE: Final = {"width", "height"}
"""What is shown as a picture has these."""

_USUAL: Final = ("text", "title", "label", "name", "alt", "shortName", "url")
"""Attributes in which editors and apps write what a node shows."""

_SEARCHES: Final = ("jql", "aql", "searchString", "query")
"""Parameters of a card's data source in which its search stands."""

LEAVES: Final[dict[str, Callable[[Node], str]]] = {
    "text": _text,
    "hardBreak": _break,
    "mention": _mention,
    "emoji": _emoji,
    "date": _date,
    "status": _status,
    "placeholder": unknown,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
    "media": _media,
    "mediaInline": _media,
    "rule": _rule,
}
