import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from libs.runtime import printable

TEXT = st.text(st.characters(codec=None))
"""Any characters, halves of surrogate pairs and those of no plane too."""


def test_what_steers_a_terminal_is_escaped() -> None:
    assert printable("a\x1b[2Jb\x9bm\x07\x7f") == r"a\u001b[2Jb\u009bm\u0007\u007f"
    assert printable("up\r\nroot: all is well") == r"up\r\nroot: all is well"
    assert printable("\u202egnp.exe \u2066x\u2069 \u2028 \U000e0041 \ud83d") == (
        r"\u202egnp.exe \u2066x\u2069 \u2028 \udb40\udc41 \ud83d"
    )


def test_what_people_write_stays() -> None:
    for text in ("Zoë 日本語", "\u0645\u06cc\u200c\u062e\u0648", "👨\u200d👩\u200d👧", "a\u00a0b", 'say "hi" C:\\temp'):
        assert printable(text) == text


@given(TEXT)
def test_nothing_but_one_line_of_characters_is_left(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not [one for one in shown if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")]
    assert printable(shown) == shown


@given(st.dictionaries(TEXT, TEXT))
def test_a_line_of_json_says_what_it_said(names: dict[str, str]) -> None:
    line = json.dumps(names, ensure_ascii=False)
    assert json.loads(printable(line)) == json.loads(json.dumps(names))
