"""What the library shows to others, and what importing it costs them."""

import subprocess
import sys

import libs.jira_client
from libs.jira_client.failures.errors import ERRORS, ErrorCode, JiraError
from libs.jira_client.failures.rules import RULES


def test_every_exported_name_is_there() -> None:
    assert sorted(libs.jira_client.__all__) == libs.jira_client.__all__
    for name in libs.jira_client.__all__:
        assert getattr(libs.jira_client, name) is not None, name


def test_every_error_class_is_exported() -> None:
    kinds: list[type[JiraError]] = [JiraError, *ERRORS.values()]
    names = {kind.__name__ for kind in kinds}
    assert names <= set(libs.jira_client.__all__)


def test_classifier_and_models_need_no_http_library() -> None:
    program = (
        "import sys\n"
        "for name in ('httpx', 'httpcore', 'tenacity', 'brotli', 'zstandard', 'aiohttp'): sys.modules[name] = None\n"
        "from libs.jira_client.failures.classify import Answer, classify\n"
        "import libs.jira_client.failures.errors, libs.jira_client.models\n"
        "print(classify(Answer(status_code=401)).code, classify(TimeoutError()).code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["AUTH_EXPIRED", "TIMEOUT"]


def test_every_code_has_a_rule_with_one_line_of_advice() -> None:
    assert set(RULES) == set(ErrorCode)
    for rule in RULES.values():
        assert rule.advice.endswith(".")
        assert "\n" not in rule.advice
