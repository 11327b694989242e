"""What ships is what is tested, to the version."""

from __future__ import annotations

import re

import pytest

from tests.deploy.manifests import ROOT, SERVICES


def pins(group: str) -> set[tuple[str, str]]:
    text = (ROOT / f"requirements/{group}.txt").read_text()
    return set(re.findall(r"^([a-z0-9_.-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("group", ["image", *SERVICES])
def test_an_image_holds_only_versions_that_the_tests_run_with(group: str) -> None:
    assert pins(group)
    assert pins(group) - pins("dev") == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_image_holds_what_each_service_needs(service: str) -> None:
    assert pins(service) <= pins("image")
