"""Documents in Atlassian's format (ADF), of every kind of node that people produce."""

import random
from typing import Any, Final

Node = dict[str, Any]

WORDS: Final = [
    "the",
    "release",
    "login",
    "page",
    "fails",
    "after",
    "timeout",
    "when",
    "user",
    "opens",
    "dashboard",
    "on",
    "mobile",
    "please",
    "check",
    "logs",
    "again",
    "deploy",
    "rollback",
    "cache",
    "invalidated",
    "schema",
    "migration",
    "später",
    "geprüft",
    "überarbeitet",
    "検索",
    "索引",
    "исправить",
    "מחדש",
    "résumé",
    "naïve",
    "zażółć",
    "🚀",
    "👩\u200d👩\u200d👧",
    "é",
    "ﬁne",
]


def sentence(rng: random.Random, low: int = 4, high: int = 12) -> str:
    """A few words in several scripts, some of them combined characters or written from right to left."""
    return " ".join(rng.choices(WORDS, k=rng.randint(low, high)))


def text(value: str, *marks: Node) -> Node:
    return {"type": "text", "text": value, **({"marks": list(marks)} if marks else {})}


def paragraph(*content: Node) -> Node:
    return {"type": "paragraph", "content": list(content)}


def document(*content: Node) -> Node:
    return {"type": "doc", "version": 1, "content": list(content)}


def plain(value: str) -> Node:
    """A document of one paragraph."""
    return document(paragraph(text(value)))


def _mention(rng: random.Random, people: list[tuple[str, str]]) -> Node:
    account, name = rng.choice(people)
    return paragraph(
        {"type": "mention", "attrs": {"id": account, "text": f"@{name}", "accessLevel": ""}},
        text(" " + sentence(rng)),
        {"type": "emoji", "attrs": {"shortName": ":thumbsup:", "id": "1f44d", "text": "👍"}},
    )


def _list(rng: random.Random) -> Node:
    items = [{"type": "listItem", "content": [paragraph(text(sentence(rng)))]} for _ in range(3)]
    return {"type": rng.choice(["bulletList", "orderedList"]), "content": items}


def _table(rng: random.Random) -> Node:
    def row(kind: str) -> Node:
        return {
            "type": "tableRow",
            "content": [{"type": kind, "attrs": {}, "content": [paragraph(text(sentence(rng, 1, 3)))]} for _ in "ab"],
        }

    return {"type": "table", "attrs": {"layout": "default"}, "content": [row("tableHeader"), row("tableCell")]}


def _code(rng: random.Random) -> Node:
    return {"type": "codeBlock", "attrs": {"language": "python"}, "content": [text(f"raise {sentence(rng, 1, 2)}")]}


def _panel(rng: random.Random) -> Node:
    return {"type": "panel", "attrs": {"panelType": "info"}, "content": [paragraph(text(sentence(rng)))]}


def _link(rng: random.Random) -> Node:
    return paragraph(
        text(sentence(rng, 1, 3), {"type": "link", "attrs": {"href": "https://example.com/x"}}, {"type": "strong"}),
        {"type": "hardBreak"},
        {"type": "inlineCard", "attrs": {"url": "https://example.com/card"}},
        {"type": "date", "attrs": {"timestamp": "1767225600000"}},
    )


def _media(_: random.Random) -> Node:
    return {
        "type": "mediaSingle",
        "attrs": {"layout": "center"},
        "content": [{"type": "media", "attrs": {"id": "m", "type": "file", "collection": "", "alt": "screen.png"}}],
    }


def _heading(rng: random.Random) -> Node:
    return {"type": "heading", "attrs": {"level": 2}, "content": [text(sentence(rng, 1, 3))]}


RARE: Final = (_list, _table, _code, _panel, _link, _media, _heading)


def body(rng: random.Random, people: list[tuple[str, str]]) -> Node:
    """A comment or description: mostly a paragraph, sometimes everything that the editor offers."""
    content = [paragraph(text(sentence(rng)))]
    if rng.random() < 0.15:
        content.append(_mention(rng, people))
    if rng.random() < 0.15:
        content.append(rng.choice(RARE)(rng))
    return document(*content)
