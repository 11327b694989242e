"""What is taken for the reason of an end."""

import pytest

from libs.embedded.children.last_words import NOTHING, LastWords

TRACE = ("", "goroutine 1 [running]:", "main.main()", "\t/src/main.go:12 +0x1d", "exit status 2")


@pytest.mark.parametrize(
    ("lines", "heard"),
    [
        ((), NOTHING),
        (("", "  "), NOTHING),
        (("starts", "PORT: wrong", ""), "PORT: wrong"),
        (("starts", "panic: no room", *TRACE), "panic: no room"),
        (("starts", "fatal error: out of memory", *TRACE), "fatal error: out of memory"),
        (("panic: the first", *TRACE, "panic: while it ended", *TRACE), "panic: the first"),
        (("no panic: all is well", "bye"), "bye"),
    ],
)
def test_the_last_line_is_the_reason_unless_an_earlier_one_begins_as_go_does(
    lines: tuple[str, ...], heard: str
) -> None:
    words = LastWords()
    for line in lines:
        words.hear(line)
    assert words.text == heard
