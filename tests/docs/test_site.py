"""The pages hang together: links lead somewhere, and the site's navigation has every page once."""

from __future__ import annotations

import re
import tomllib
from typing import Any
from urllib.parse import unquote

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links

SITE: dict[str, Any] = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]


def _in_navigation(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    return [page for item in (part.values() if isinstance(part, dict) else part) for page in _in_navigation(item)]


def test_the_navigation_has_every_page_once() -> None:
    assert sorted(_in_navigation(SITE["nav"])) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_to_files_that_exist(page: str) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith(("https://", "http://127.0.0.1")), link
            continue
        path, _, anchor = unquote(link).partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert target.is_file(), f"{page} leads to {link}"
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), f"{page} leads to {link}"
        if page.startswith("docs/"):
            assert target.is_relative_to(DOCS), f"{link} is not part of the site: name the file without a link"


def test_the_site_asks_nobody_else_for_anything() -> None:
    """No web fonts; and no plugin that fetches a script (`offline` does)."""
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"].keys() == {"search"}
