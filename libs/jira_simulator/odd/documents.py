"""Rich text that is broken: a document of Atlassian's format that is not as the format says, or none at all."""

from __future__ import annotations

import json
import random
from typing import Any, Final

from libs.jira_simulator.odd.kinds import Change
from libs.jira_simulator.odd.values import HALF_EMOJI

DEEPEST: Final = 400
"""Levels of nesting. Python's own encoder gives up near 1,000."""
ABYSS: Final = '"an abyss of blocks"'
"""Stands in JSON for what nothing of ours can encode: see `abyss`."""


def beside(document: Any, rng: random.Random) -> Any:
    """The document with an odd node more; all its words are still there."""
    if not isinstance(document, dict) or not isinstance(document.get("content"), list):
        return document
    node = rng.choice(ODD_NODES)
    document["content"].insert(rng.randint(0, len(document["content"])), node)
    return document


def nested(document: Any, rng: random.Random) -> Any:
    """The document inside many quotes."""
    if not isinstance(document, dict):
        return document
    inner = {"type": "blockquote", "content": document.get("content")}
    for _ in range(rng.choice((40, 150, DEEPEST))):
        inner = {"type": "blockquote", "content": [inner]}
    return document | {"content": [inner]}


def bottomless(document: Any, _: random.Random) -> Any:
    """A document that is nested beyond what decoders go along with."""
    right = document if isinstance(document, dict) else {"type": "doc", "version": 1}
    return right | {"content": [json.loads(ABYSS)]}


def abyss(levels: int = 3000) -> str:
    """JSON of as many blocks, one inside the other."""
    return '{"type":"blockquote","content":[' * levels + "]}" * levels


def ruined(document: Any, rng: random.Random) -> Any:
    """No document that could be read whole."""
    right = document if isinstance(document, dict) else {"type": "doc", "version": 1}
    return rng.choice(
        (None, "plain text", 7, [], {}, {"content": None}, right | {"content": None}, right | {"content": {}})
    )


def at(key: str, change: Change) -> Change:
    """A change of the document under a key of a record."""

    def changed(record: Any, rng: random.Random) -> Any:
        if isinstance(record, dict):
            record[key] = change(record.get(key), rng)
        return record

    return changed


ODD_NODES: Final[tuple[Any, ...]] = (
    None,
    "no node",
    17,
    [],
    {},
    {"type": None},
    {"type": "paragraph", "content": None},
    {"type": "paragraph", "content": [None, {"type": "text"}, {"type": "text", "text": None}]},
    {"type": "paragraph", "content": [{"type": "text", "text": 5, "marks": None}]},
    {"type": "text", "text": f"half {HALF_EMOJI}", "marks": [{"type": None}, None, {"type": "link", "attrs": None}]},
    {"type": "heading", "attrs": {"level": "three"}, "content": [{"type": "text", "text": "heading"}]},
    {"type": "orderedList", "attrs": {"order": None}, "content": [{"type": "listItem"}]},
    {"type": "table", "content": [{"type": "tableRow", "content": [None]}]},
    {"type": "mention", "attrs": None},
    {"type": "date", "attrs": {"timestamp": "99999999999999999999"}},
    {"type": "emoji", "attrs": {"shortName": None}},
    {"type": "taskList", "content": [{"type": "taskItem", "attrs": {"state": 3}}]},
    {"type": "inventedNode", "attrs": {"x": 1}, "content": [{"type": "text", "text": "new"}]},
    {"type": "unsupportedBlock", "attrs": {"originalValue": {"type": "x", "content": None}}},
)
