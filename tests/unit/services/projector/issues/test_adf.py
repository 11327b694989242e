"""Documents become readable text, whatever is in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.issues.adf import _RENDERERS, MAX_DEPTH, readable


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def words(text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": list(marks)}


def paragraph(*texts: str) -> dict[str, Any]:
    return node("paragraph", *(words(text) for text in texts))


LINK = {"type": "link", "attrs": {"href": "https://x.test"}}

CASES: list[tuple[str, Any, str]] = [
    ("nothing", None, ""),
    ("plain text of version 2", "h1. Title\n{code}x{code}", "h1. Title\n{code}x{code}"),
    ("paragraphs", node("doc", paragraph("One"), paragraph("Two")), "One\n\nTwo"),
    ("runs of text", node("doc", paragraph("bold", " and ", "plain")), "bold and plain"),
    ("heading", node("doc", node("heading", words("Title"), level=1), paragraph("Body")), "Title\n\nBody"),
    ("link", node("doc", node("paragraph", words("here", LINK))), "here (https://x.test)"),
    ("bare link", node("doc", node("paragraph", words("https://x.test", LINK))), "https://x.test"),
    ("line break", node("doc", node("paragraph", words("a"), node("hardBreak"), words("b"))), "a\nb"),
    (
        "nested bullets",
        node(
            "doc",
            node(
                "bulletList",
                node("listItem", paragraph("one"), node("bulletList", node("listItem", paragraph("inner")))),
                node("listItem", paragraph("two")),
            ),
        ),
        "- one\n  - inner\n- two",
    ),
    (
        "numbers",
        node("orderedList", node("listItem", paragraph("a")), node("listItem", paragraph("b")), order=3),
        "3. a\n4. b",
    ),
    (
        "tasks",
        node("taskList", node("taskItem", words("done"), state="DONE"), node("taskItem", words("open"), state="TODO")),
        "[x] done\n[ ] open",
    ),
    ("decisions", node("decisionList", node("decisionItem", words("go"))), "- go"),
    ("quote", node("blockquote", paragraph("said"), paragraph("she")), "> said\n> \n> she"),
    ("code", node("codeBlock", words("if x:\n    y()"), language="python"), "if x:\n    y()"),
    ("panel", node("panel", paragraph("Mind"), panelType="warning"), "Mind"),
    ("rule", node("doc", paragraph("a"), node("rule"), paragraph("b")), "a\n\n----\n\nb"),
    ("mention", node("paragraph", words("Ask "), node("mention", id="u1", text="@Ada")), "Ask @Ada"),
    ("mention without name", node("mention", id="u1"), "@u1"),
    ("emoji", node("paragraph", node("emoji", shortName=":smile:", text="😄")), "😄"),
    ("emoji without character", node("emoji", shortName=":party:"), ":party:"),
    ("date", node("date", timestamp="1767225600000"), "2026-01-01"),
    ("date that is none", node("date", timestamp="soon"), "soon"),
    ("date beyond the calendar", node("date", timestamp="9" * 30), "9" * 30),
    ("status", node("status", text="DONE", color="green"), "[DONE]"),
    (
        "cards",
        node("doc", node("inlineCard", url="https://a.test"), node("blockCard", data={"url": "https://b.test"})),
        "https://a.test\n\nhttps://b.test",
    ),
    ("embed", node("embedCard", url="https://c.test"), "https://c.test"),
    (
        "media",
        node("mediaSingle", node("media", id="1", alt="plan.png"), node("caption", words("The plan"))),
        "[attachment: plan.png]\n\nThe plan",
    ),
    ("media without name", node("mediaGroup", node("media", id="1")), "[attachment]"),
    (
        "table",
        node(
            "table",
            node("tableRow", node("tableHeader", paragraph("a")), node("tableHeader", paragraph("b"))),
            node("tableRow", node("tableCell", paragraph("1"), paragraph("2")), node("tableCell", paragraph("3"))),
        ),
        "a | b\n1 2 | 3",
    ),
    ("expand", node("expand", paragraph("inside"), title="More"), "More\ninside"),
    (
        "layout",
        node("layoutSection", node("layoutColumn", paragraph("l")), node("layoutColumn", paragraph("r"))),
        "l\n\nr",
    ),
    ("placeholder", node("placeholder", text="Type here"), "Type here"),
    ("macro", node("extension", extensionKey="toc"), "[toc]"),
    ("macro with text", node("bodiedExtension", paragraph("kept"), extensionKey="panel"), "kept"),
    ("unknown node", node("hologram", paragraph("kept"), text="also kept"), "also kept\nkept"),
    ("NUL", node("paragraph", words("a\x00b")), "ab"),
]


@pytest.mark.parametrize(("document", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_document_reads_as_text(document: Any, expected: str) -> None:
    assert readable(document) == expected


def test_a_document_nested_deeper_than_any_editor_keeps_its_words() -> None:
    document = paragraph("bottom")
    for _ in range(5000):
        document = node("bulletList", node("listItem", document))
    assert "bottom" in readable(document)


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
kinds = st.sampled_from([*_RENDERERS, "hologram", ""]) | scalars


@st.composite
def broken_nodes(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Nodes of known names whose parts may be of any type."""
    names = st.sampled_from(["text", "content", "attrs", "marks", "order", "timestamp", "url"])
    parts = draw(st.dictionaries(names, inner, max_size=4))
    return {"type": draw(kinds), **parts}


@settings(deadline=None)
@given(st.recursive(anything, lambda inner: st.lists(inner, max_size=3) | broken_nodes(inner), max_leaves=30))
def test_nothing_makes_it_raise(document: Any) -> None:
    assert isinstance(readable(document), str)


visible = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
BLOCKS = sorted(_RENDERERS.keys() - {"text", "hardBreak", "mention", "emoji", "date", "status", "rule", "media"})
LEAVES = {"mediaInline", "inlineCard", "blockCard", "embedCard"}
containers = st.sampled_from([*sorted(set(BLOCKS) - LEAVES), "hologram"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    if depth > 4 or draw(st.booleans()):
        return words(draw(visible))
    children = [draw(documents(depth=depth + 1)) for _ in range(draw(st.integers(1, 3)))]
    return node(draw(containers), *children)


def texts(document: dict[str, Any]) -> list[str]:
    if document["type"] == "text":
        return [document["text"]]
    return [text for child in document["content"] for text in texts(child)]


@settings(deadline=None)
@given(documents())
def test_every_text_is_kept_in_order_and_no_json_shows(document: dict[str, Any]) -> None:
    shown = readable(document)
    position = 0
    for text in texts(document):
        found = shown.find(text, position)
        assert found >= position, f"{text!r} is missing in {shown!r}"
        position = found + len(text)
    assert '"type"' not in shown


def test_depth_is_bounded_well_below_the_recursion_limit() -> None:
    assert MAX_DEPTH * 6 < 1000
