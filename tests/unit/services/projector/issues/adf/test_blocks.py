"""Documents become readable text, whatever is in them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.read_tables import mention
from services.projector.issues.adf.blocks import _RENDERERS, MAX_DEPTH, readable


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def words(text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": list(marks)}


def paragraph(*texts: str) -> dict[str, Any]:
    return node("paragraph", *(words(text) for text in texts))


def inside(kind: str, node: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A paragraph with a node amid its words."""
    return {"type": kind, "content": [words("a "), {**node, **changed}, words(" b")]}


def card(kind: str = "blockCard", **attrs: Any) -> dict[str, Any]:
    return node("doc", node(kind, **attrs))


LINK = {"type": "link", "attrs": {"href": "https://x.test"}}
STRIKE = {"type": "strike"}
SUP = {"type": "subsup", "attrs": {"type": "sup"}}
SUB = {"type": "subsup", "attrs": {"type": "sub"}}
STRONG = {"type": "strong"}
IMAGE = {"type": "media", "attrs": {"type": "file", "id": "i", "collection": "", "alt": "map.png"}}
SEARCH = {"id": "d8b75300", "parameters": {"cloudId": "c", "jql": "project = X"}, "views": [{"type": "table"}]}

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
    ("tasks within tasks", node("taskList", node("taskList", node("taskItem", words("a"), state="DONE"))), "  [x] a"),
    ("a task without its list", node("doc", node("taskItem", words("a"), state="done")), "[x] a"),
    ("a task with blocks", node("taskList", node("blockTaskItem", paragraph("a"), paragraph("b"))), "[ ] a\n  b"),
    ("decisions", node("decisionList", node("decisionItem", words("go"))), "- go"),
    ("decided", node("decisionList", node("decisionItem", words("go"), state="DECIDED")), "- [DECIDED] go"),
    ("quote", node("blockquote", paragraph("said"), paragraph("she")), "> said\n> \n> she"),
    ("code", node("codeBlock", words("if x:\n    y()"), language="python"), "if x:\n    y()"),
    ("panel", node("panel", paragraph("Mind"), panelType="warning"), "Mind"),
    ("rule", node("doc", paragraph("a"), node("rule"), paragraph("b")), "a\n\n----\n\nb"),
    ("mention", node("paragraph", words("Ask "), node("mention", id="u1", text="@Ada")), "Ask @Ada"),
    ("mention without name", node("paragraph", words("Ask "), node("mention", id="u1")), f"Ask {mention('u1')}"),
    ("mention with an empty name", node("mention", id="u1", text="@"), mention("u1")),
    ("mention by the id", node("mention", id="u1", text="@u1"), mention("u1")),
    ("mention whose name is none", node("mention", id=7, text=None), mention("7")),
    ("mention of nobody", node("mention"), ""),
    ("emoji", node("paragraph", node("emoji", shortName=":smile:", text="😄")), "😄"),
    ("emoji without character", node("emoji", shortName=":party:"), ":party:"),
    ("date", node("date", timestamp="1767225600000"), "2026-01-01"),
    ("date that is none", node("date", timestamp="soon"), "soon"),
    ("date beyond the calendar", node("date", timestamp="9" * 30), "9" * 30),
    ("date as a number", node("date", timestamp=1767225600000), "2026-01-01"),
    ("date with a fraction", node("date", timestamp=1767225600000.0), "2026-01-01"),
    ("date in year 51502", node("date", timestamp=1563025420000000), "1563025420000000"),
    ("date of no type", node("date", timestamp={"a": 1}), ""),
    ("status", node("status", text="DONE", color="green"), "[DONE]"),
    ("status without text", node("status", color="green"), ""),
    (
        "cards",
        node("doc", node("inlineCard", url="https://a.test"), node("blockCard", data={"url": "https://b.test"})),
        "https://a.test\n\nhttps://b.test",
    ),
    ("embed", node("embedCard", url="https://c.test"), "https://c.test"),
    ("card with a name", card(data={"name": "Plan", "url": "https://b.test"}), "Plan (https://b.test)"),
    ("card with a name only", card("inlineCard", data={"name": "Plan"}), "Plan"),
    ("card of a search", card(datasource=SEARCH), "project = X"),
    ("card of a search with an address", card(url="https://j.test/?jql=a", datasource=SEARCH), "https://j.test/?jql=a"),
    ("card of assets", card(datasource={"parameters": {"aql": "Name = x"}}), "Name = x"),
    ("card of odd types", card(url=None, data=["x"], datasource={"parameters": 3}), ""),
    (
        "media",
        node("mediaSingle", node("media", id="1", alt="plan.png"), node("caption", words("The plan"))),
        "[attachment: plan.png]\n\nThe plan",
    ),
    ("media without name", node("mediaGroup", node("media", id="7c9f-1", type="file")), "[attachment]"),
    ("image without name", node("mediaSingle", node("media", id="7c9f-1", type="file", width=1, height=2)), "[image]"),
    ("image in a line", node("paragraph", words("a "), node("mediaInline", id="7c9f-1", type="image")), "a [image]"),
    ("media without id", node("media", type="file", alt=""), "[attachment]"),
    ("media without anything", node("media"), "[attachment]"),
    ("media elsewhere", node("media", type="external", url="https://i.test"), "[attachment: https://i.test]"),
    ("media elsewhere with a name", node("media", url="https://i.test", alt="i"), "[attachment: i (https://i.test)]"),
    (
        "image with a link",
        node("mediaSingle", {**IMAGE, "marks": [LINK]}, node("caption", words("The map"))),
        "[attachment: map.png] (https://x.test)\n\nThe map",
    ),
    (
        "frame of an image with a link",
        {**node("mediaSingle", IMAGE, node("caption", words("The map"))), "marks": [LINK]},
        "[attachment: map.png] (https://x.test)\n\nThe map",
    ),
    (
        "image and its frame with the same link",
        {**node("mediaSingle", {**IMAGE, "marks": [LINK]}), "marks": LINK},
        "[attachment: map.png] (https://x.test)",
    ),
    (
        "image in a line with a link",
        inside("paragraph", IMAGE, type="mediaInline", marks=[LINK]),
        "a [attachment: map.png] (https://x.test) b",
    ),
    ("struck out", inside("paragraph", words("Monday", STRIKE)), "a ~~Monday~~ b"),
    ("struck out with space", node("paragraph", words("a"), words(" b ", STRIKE), words("c")), "a ~~b~~ c"),
    ("struck out space", node("paragraph", words("a"), words(" ", STRIKE), words("c")), "a c"),
    ("struck out, partly bold", node("paragraph", words("Mon", STRIKE, STRONG), words("day", STRIKE)), "~~Monday~~"),
    ("struck out mention", inside("paragraph", node("mention", id="u", text="@Ada"), marks=[STRIKE]), "a ~~@Ada~~ b"),
    ("struck out cell", node("tableRow", node("tableCell", node("paragraph", words("x", STRIKE)))), "~~x~~"),
    ("superscript", node("paragraph", words("x"), words("2", SUP), words(" + y")), "x^2 + y"),
    ("superscript of a number", node("paragraph", words("10"), words("-3", SUP), words(" m")), "10^-3 m"),
    ("superscript of more", node("paragraph", words("x"), words("n + 1", SUP)), "x^(n + 1)"),
    ("subscript", node("paragraph", words("H"), words("2", SUB), words("O")), "H_2O"),
    ("neither", node("paragraph", words("x"), words("2", {"type": "subsup", "attrs": {"type": 7}})), "x2"),
    (
        "marks within marks",
        node("paragraph", words("x", LINK, STRIKE), words("2", SUP, STRIKE, LINK), words(" done", LINK)),
        "~~x^2~~ done (https://x.test)",
    ),
    ("link of a mention", inside("paragraph", node("mention", text="@Ada"), marks=[LINK]), "a @Ada (https://x.test) b"),
    ("link of nothing", node("paragraph", words("", LINK)), "https://x.test"),
    ("marks of odd types", node("paragraph", words("a", None, 3, {"type": ["strike"]}, {"type": "link"})), "a"),  # type: ignore[arg-type]
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
    ("unknown node in a sentence", inside("paragraph", node("chip", text="x")), "a x b"),
    ("unknown node with words elsewhere", node("chip", title="Kept", url="https://u.test"), "Kept https://u.test"),
    (
        "a node without a type",
        node("doc", node("paragraph", {"text": "a"}, {"text": "b", "marks": [STRIKE]})),
        "a~~b~~",
    ),
    (
        "unsupported block",
        node("doc", paragraph("a"), node("unsupportedBlock", originalValue=node("newPanel", paragraph("kept")))),
        "a\n\nkept",
    ),
    (
        "unsupported inline",
        inside("paragraph", node("unsupportedInline", originalValue=node("newStatus", text="OK"))),
        "a OK b",
    ),
    (
        "unsupported, wrapped as JSON in text",
        node("doc", node("unsupportedBlock", originalValue=json.dumps(node("x", paragraph("kept"))))),
        "kept",
    ),
    ("unsupported, wrapped as text", node("unsupportedBlock", originalValue="kept"), "kept"),
    ("unsupported with its own text", {"type": "unsupportedBlock", "text": "kept"}, "kept"),
    ("content as an object", {"type": "doc", "content": paragraph("kept")}, "kept"),
    ("content as text", {"type": "paragraph", "content": "kept"}, "kept"),
    ("content as a number", {"type": "paragraph", "content": 3}, "3"),
    ("text in a block itself", {"type": "paragraph", "text": "kept"}, "kept"),
    ("lists within lists", {"type": "doc", "content": [[paragraph("a")], [[paragraph("b"), None]]]}, "a\n\nb"),
    ("content in a leaf", {"type": "status", "attrs": {"text": "A"}, "content": [words("kept")]}, "[A]\nkept"),
    ("numbers from an odd one", node("orderedList", node("listItem", paragraph("a")), order=10**5000), "1. a"),
    ("a number without end", words(10**5000), ""),  # type: ignore[arg-type]
    ("NUL", node("paragraph", words("a\x00b")), "ab"),
]


@pytest.mark.parametrize(("document", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_document_reads_as_text(document: Any, expected: str) -> None:
    assert readable(document) == expected


DEEP = 10_000


def test_a_document_nested_deeper_than_any_editor_keeps_its_words() -> None:
    document = paragraph("bottom")
    for _ in range(DEEP):
        document = node("bulletList", node("listItem", document))
    assert "bottom" in readable(document)


@pytest.mark.parametrize("kind", [*_RENDERERS, "hologram"])
def test_any_node_nested_in_itself_keeps_what_it_says_at_the_bottom(kind: str) -> None:
    bottom = node("paragraph", node("status", text="LOW"), words("gone", STRIKE), node("mention", id="u1"))
    document = bottom
    for _ in range(4 * MAX_DEPTH):
        document = node(kind, document)
    shown = readable(document)
    assert [part in shown for part in ("[LOW]", "~~gone~~", mention("u1"))] == [True, True, True]


def test_wrapped_nodes_and_lists_may_be_nested_as_deep() -> None:
    wrapped: Any = paragraph("bottom")
    listed: Any = paragraph("bottom")
    for _ in range(DEEP):
        wrapped, listed = node("unsupportedBlock", originalValue=wrapped), [listed]
    assert readable(wrapped) == readable({"type": "doc", "content": listed}) == "bottom"
    assert isinstance(readable(node("unsupportedBlock", originalValue="[" * DEEP)), str)


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
kinds = st.sampled_from([*_RENDERERS, "unsupportedBlock", "hologram", "", "link", "strike", "subsup"]) | scalars


@st.composite
def broken_nodes(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Nodes and marks of known names whose parts may be of any type."""
    parts = draw(st.dictionaries(st.sampled_from(PARTS), inner, max_size=4))
    return {"type": draw(kinds), **parts}


PARTS = [
    *("text", "content", "attrs", "marks", "order", "timestamp", "url", "href", "data", "datasource", "parameters"),
    *("originalValue", "jql", "state", "id", "alt", "shortName", "title"),
]
shapes = st.recursive(anything, lambda inner: st.lists(inner, max_size=3) | broken_nodes(inner), max_leaves=30)


@settings(deadline=None)
@given(shapes)
def test_nothing_makes_it_raise(document: Any) -> None:
    shown = readable(document)
    assert isinstance(shown, str)
    assert "\x00" not in shown
    assert readable(deepcopy(document)) == shown, "equal documents read equal"


visible = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
containers = st.sampled_from([*sorted(_RENDERERS.keys() - {"text"}), "unsupportedBlock", "hologram"])
marks: st.SearchStrategy[list[dict[str, Any]]] = st.lists(st.sampled_from([STRIKE, SUP, SUB, LINK, STRONG]), max_size=2)


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    if depth > 4 or draw(st.booleans()):
        return words(draw(visible), *draw(marks))
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
