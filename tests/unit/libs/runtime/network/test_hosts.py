"""Which names a page of the internet cannot have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.network.hosts import is_nobodys_page


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3:8081", "[::1]:8081", "[fd00::1]", "localhost:8081", "LOCALHOST", "ingestor:8081",
     "my_ingestor:8081", "ingestor.jdi.svc:8081", "ingestor.jdi.svc.cluster.local", "a.localhost", "vm.internal:8081",
     "jdi.example:9000", "JDI.example."],
)  # fmt: skip
def test_addresses_words_and_what_is_named_are_let_in(host: str) -> None:
    assert is_nobodys_page(host, named=("jdi.example",))


@pytest.mark.parametrize(
    "host",
    ["", ":8081", "evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example",
     "svc.example", "jdi.example.evil.example", "evil.example.", "a b", "[::", "10.1.2.3.nip.io", "1.2.3", "evil.local",
     "xn--bcher-kva.example"],
)  # fmt: skip
def test_names_that_can_be_bought_are_not(host: str) -> None:
    assert not is_nobodys_page(host, named=("jdi.example",))


@given(st.text())
def test_no_text_breaks_it(host: str) -> None:
    is_nobodys_page(host)
