"""Rich text in the Atlassian Document Format, made from a seed.

A reader of Jira's rich text meets far more than paragraphs, so the bodies hold headings, lists, tables, task lists,
code, panels, quotes, media, cards, mentions, emoji, dates, links and marks, and texts in several scripts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Node = dict[str, Any]

SENTENCES = (
    "The importer stops after the first page.",
    "Steps to reproduce are in the attached log.",
    "It works on staging but not in production.",
    "We agreed to split this in two.",
    "The customer confirmed the fix on Tuesday.",
    "Rollback took four minutes, nothing was lost.",
    "Please have a look before the review.",
    "Blocked until the certificate is renewed.",
    "Latency is back to 120 ms at the 99th percentile.",
    "Die Prüfung schlägt fehl, wenn das Feld leer ist.",
    "L'écran reste figé après la mise à jour.",
    "La migración terminó sin errores.",
    "Проверили на тестовом стенде, ошибка осталась.",
    "次のスプリントで対応します。",
    "这个问题只在夜间出现。",
    "تم إصلاح الخطأ في الإصدار الأخير.",
    "הבעיה חוזרת רק אחרי אתחול.",
    "Cafe\u0301 and nai\u0308ve are spelled with combining marks here.",
    "Deployed 🚀 and watched 👩🏽\u200d💻 for an hour.",
    'Quotes "like these", back\\slashes and <tags> & entities survive.',
    "Line separators \u2028 and zero\u200bwidth spaces are in this one.",
)
CODE = 'def sync(project):\n    """Fetch, then record."""\n    return [record(page) for page in pages(project)]\n'
COLOURS = ("neutral", "purple", "blue", "red", "yellow", "green")
PANELS = ("info", "note", "warning", "success", "error")


def document(rng: random.Random, mentionable: Sequence[tuple[str, str]], blocks: int) -> msgspec.Raw:
    """A document of ``blocks`` blocks, encoded. ``mentionable``: (account id, display name) of users."""
    content: list[Node] = [_block(rng, mentionable) for _ in range(blocks)]
    return msgspec.Raw(msgspec.json.encode({"type": "doc", "version": 1, "content": content}))


def _block(rng: random.Random, people: Sequence[tuple[str, str]]) -> Node:
    # Most blocks of a real Jira are plain paragraphs; keeping them cheap keeps large data sets quick to make.
    if rng.random() < 0.7 or not people:
        return _paragraph(_text(rng))
    return rng.choice(_RICH)(rng, people)


def plain(text: str) -> msgspec.Raw:
    """A document of one paragraph that holds ``text``."""
    return msgspec.Raw(
        msgspec.json.encode({"type": "doc", "version": 1, "content": [_paragraph({"type": "text", "text": text})]})
    )


def _text(rng: random.Random, **mark: Any) -> Node:
    node: Node = {"type": "text", "text": rng.choice(SENTENCES)}
    if mark:
        node["marks"] = [mark]
    return node


def _paragraph(*content: Node) -> Node:
    return {"type": "paragraph", "content": list(content)}


def _heading(rng: random.Random, _: object) -> Node:
    return {"type": "heading", "attrs": {"level": rng.randint(1, 6)}, "content": [_text(rng)]}


def _list(rng: random.Random, _: object) -> Node:
    items = [{"type": "listItem", "content": [_paragraph(_text(rng))]} for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.5:
        return {"type": "bulletList", "content": items}
    return {"type": "orderedList", "attrs": {"order": rng.randint(1, 3)}, "content": items}


def _tasks(rng: random.Random, _: object) -> Node:
    tasks = [
        {
            "type": "taskItem",
            "attrs": {"localId": f"{rng.getrandbits(32):08x}", "state": rng.choice(("TODO", "DONE"))},
            "content": [_text(rng)],
        }
        for _ in range(2)
    ]
    return {"type": "taskList", "attrs": {"localId": f"{rng.getrandbits(32):08x}"}, "content": tasks}


def _table(rng: random.Random, _: object) -> Node:
    def row(cell: str) -> Node:
        return {
            "type": "tableRow",
            "content": [{"type": cell, "attrs": {}, "content": [_paragraph(_text(rng))]} for _ in range(2)],
        }

    attrs = {"isNumberColumnEnabled": False, "layout": "default"}
    return {"type": "table", "attrs": attrs, "content": [row("tableHeader"), row("tableCell")]}


def _mention(rng: random.Random, people: Sequence[tuple[str, str]]) -> Node:
    account, name = rng.choice(people)
    mention = {"type": "mention", "attrs": {"id": account, "text": f"@{name}", "accessLevel": ""}}
    return _paragraph(mention, {"type": "text", "text": " "}, _text(rng))


def _emoji(rng: random.Random, _: object) -> Node:
    known = {"type": "emoji", "attrs": {"shortName": ":grinning:", "id": "1f600", "text": "😀"}}
    custom = {"type": "emoji", "attrs": {"shortName": ":our-logo:", "id": "f0a1-logo"}}
    return _paragraph(_text(rng), known, {"type": "hardBreak"}, custom)


def _code(_: random.Random, __: object) -> Node:
    return {"type": "codeBlock", "attrs": {"language": "python"}, "content": [{"type": "text", "text": CODE}]}


def _link(rng: random.Random, _: object) -> Node:
    url = f"https://example.com/runbook/{rng.randint(1, 99)}?a=1&b=2"
    return _paragraph(_text(rng, type="link", attrs={"href": url}), {"type": "inlineCard", "attrs": {"url": url}})


def _marks(rng: random.Random, _: object) -> Node:
    strong, code = _text(rng, type="strong"), _text(rng, type="code")
    colour = _text(rng, type="textColor", attrs={"color": "#97a0af"})
    return _paragraph(strong, {"type": "hardBreak"}, code, colour)


def _media(rng: random.Random, _: object) -> Node:
    attrs = {"type": "file", "id": f"{rng.getrandbits(64):016x}", "collection": "", "width": 640, "height": 480}
    return {"type": "mediaSingle", "attrs": {"layout": "center"}, "content": [{"type": "media", "attrs": attrs}]}


def _panel(rng: random.Random, _: object) -> Node:
    return {"type": "panel", "attrs": {"panelType": rng.choice(PANELS)}, "content": [_paragraph(_text(rng))]}


def _quote(rng: random.Random, _: object) -> Node:
    return {"type": "blockquote", "content": [_paragraph(_text(rng))]}


def _expand(rng: random.Random, _: object) -> Node:
    return {"type": "expand", "attrs": {"title": "Details"}, "content": [_paragraph(_text(rng)), {"type": "rule"}]}


def _chips(rng: random.Random, _: object) -> Node:
    date = {"type": "date", "attrs": {"timestamp": str(1_700_000_000_000 + rng.randint(0, 500) * 86_400_000)}}
    status = {
        "type": "status",
        "attrs": {"text": "In review", "color": rng.choice(COLOURS), "localId": "s1", "style": ""},
    }
    return _paragraph(date, {"type": "text", "text": " "}, status)


_RICH: tuple[Callable[[random.Random, Sequence[tuple[str, str]]], Node], ...] = (
    _heading, _list, _tasks, _table, _mention, _emoji, _code, _link, _marks, _media, _panel, _quote, _expand, _chips,
)  # fmt: skip
