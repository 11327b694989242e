"""The page about failures says what the rules say."""

from pathlib import Path

from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES

PAGE = Path(__file__).parents[5] / "docs" / "failures.md"


def rows() -> dict[str, list[str]]:
    """Cells of the table of codes, by the code."""
    lines = (line for line in PAGE.read_text().splitlines() if line.startswith("| `"))
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {code.strip("`"): rest for code, *rest in cells}


def expected(code: ErrorCode) -> list[str]:
    rule = RULES[code]
    advice = f"{rule.advice} [Read on]({rule.docs})" if rule.docs else rule.advice
    return [rule.origin, rule.severity, rule.category, "yes" if rule.retryable else "no", advice]


def test_every_code_stands_on_the_page_with_what_its_rule_says() -> None:
    found = rows()
    assert set(found) == set(ErrorCode)
    for code, (happened, *rest) in found.items():
        assert happened.endswith("."), code
        assert rest == expected(ErrorCode(code)), code


def test_every_link_is_a_public_page_of_atlassian() -> None:
    for rule in RULES.values():
        assert rule.docs == "" or rule.docs.split("/")[2].endswith(".atlassian.com")
        assert rule.docs == "" or rule.docs.startswith("https://")


def test_the_files_that_the_page_names_exist() -> None:
    for name in (
        "libs/jira_client/failures/match_answer.py",
        "libs/jira_client/failures/match_exception.py",
        "tests/unit/libs/jira_client/failures/corpus/unknown.json",
    ):
        assert name in PAGE.read_text()
        assert (PAGE.parents[1] / name).is_file()
