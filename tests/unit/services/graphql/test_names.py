"""The package is called like a library it uses."""

from __future__ import annotations

from pathlib import Path

import graphql


def test_graphql_is_the_library_and_not_our_package() -> None:
    assert "site-packages" in Path(graphql.__file__).parts
