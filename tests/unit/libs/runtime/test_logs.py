import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from libs.runtime import Secret, configure, redact_text
from libs.runtime.logs import redact


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    "key", ["token", "admin_token", "Authorization", "password", "client_secret", "api_key", "apiKey"]
)
def test_values_are_struck_out_by_key(key: str) -> None:
    assert redact(None, "info", {key: "hush"}) == {key: "***"}


def test_values_are_struck_out_at_any_depth_and_by_type() -> None:
    event = {"request": {"headers": [{"authorization": "x"}], "user": Secret("hush")}, "count": 3}
    assert redact(None, "info", event) == {
        "request": {"headers": [{"authorization": "***"}], "user": "***"},
        "count": 3,
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("sent Bearer abc.def-123 to Jira", "sent Bearer *** to Jira"),
        ("Basic dXNlcjpwdw==", "Basic ***"),
        ("token ATATT3xFfGF0-abc_def=1A2B refused", "token *** refused"),
        (f"open /console/#token=jdi_0123456789ab_{'x-_' * 14}x", "open /console/#token=jdi_0123456789ab_***"),
        ("postgresql://jdi:geheim@db/jdi", "postgresql://jdi:***@db/jdi"),
        ("https://hooks.slack.com/services/T0/B-0/abc: 404", "https://hooks.slack.com/services/***: 404"),
        ("xoxb-123456-abcdef expired", "*** expired"),
        (f"token EAA{'b7Z' * 20} expired", "token *** expired"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_values_are_struck_out_by_shape(text: str, kept: str) -> None:
    assert redact_text(text) == kept


def test_a_line_is_json_with_service_and_without_the_secret_in_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("tester", json_lines=True)
    try:
        int("refused Bearer abc123")
    except ValueError:
        structlog.get_logger("part").exception("failed", attempt=1)
    line = json.loads(capsys.readouterr().err)
    assert (line["service"], line["event"], line["attempt"], line["level"]) == ("tester", "failed", 1, "error")
    assert "abc123" not in line["exception"]


def test_lines_of_libraries_pass_the_same_processors(capsys: pytest.CaptureFixture[str]) -> None:
    configure("tester", json_lines=True)
    logging.getLogger("somelibrary").warning("header %s", "Bearer abc123")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "header Bearer ***"
    assert line["logger"] == "somelibrary"


@pytest.mark.parametrize("json_lines", [True, False])
def test_what_strangers_wrote_neither_steers_a_terminal_nor_forges_a_line(
    json_lines: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("tester", json_lines=json_lines)
    structlog.get_logger("part").warning("set aside", name="Ops\x1b]0;owned\u202e\x9b\nFAKE", of={"\x1bkey": ["\x1bx"]})
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert not set(written) & set("\u202e\x9b")
    assert r"Ops\u001b]0;owned\u202e\u009b\nFAKE" in written
    if json_lines:
        assert json.loads(written)["name"] == "Ops\x1b]0;owned\u202e\x9b\nFAKE"


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="JDI_LOG_LEVEL"):
        configure("tester", "loud")
