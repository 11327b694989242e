import pytest

from libs.embedded import environment

OURS = {
    "PATH": "/bin",
    "HTTPS_PROXY": "http://proxy",
    "JIRA_EMAIL": "me@example.com",
    "JIRA_API_TOKEN": "hush",
    "JIRA_API_TOKEN_FILE": "/run/token",
    "JIRA_OAUTH_CLIENT_SECRET": "hush",
    "JIRA_OAUTH_REFRESH_TOKEN_FILE": "/run/refresh",
    "JIRA_WEBHOOK_URL": "https://jdi.example.com/hooks/acme/hush",
    "JIRA_PROXY": "http://me:hush@proxy.example.com:3128",
    "JIRA_HOOK_SECRET": "hush",
    "JIRA_HOOK_PATH_FILE": "/run/path",
    "JIRA_CA_FILE": "/etc/ca.pem",
    "JIRA_PROJECTS": "ALPHA",
    "JDI_ADMIN_TOKEN": "admin",
    "JDI_LOG_LEVEL": "debug",
    "DATABASE_URL": "sqlite:////elsewhere.db",
    "SLACK_WEBHOOK_URL": "https://hooks.example.com/x",
    "SMTP_URL": "smtp://user:pw@mail",
    "WHATSAPP_TOKEN": "EAAB",
    "NOTIFY_EMAIL_TO": "ops@example.com",
}
SHARED = {"DATABASE_URL": "sqlite:////data/jdi.db", "JIRA_SITE": "acme"}
CHANNELS = {"SLACK_WEBHOOK_URL", "SMTP_URL", "WHATSAPP_TOKEN", "NOTIFY_EMAIL_TO"}
HOOKS = {"JIRA_HOOK_SECRET", "JIRA_HOOK_PATH_FILE"}
OAUTH = {"JIRA_OAUTH_CLIENT_SECRET", "JIRA_OAUTH_REFRESH_TOKEN_FILE", "JIRA_WEBHOOK_URL"}
TO_JIRA = {"JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_API_TOKEN_FILE", "JIRA_PROXY"} | OAUTH
SECRETS = {"JDI_ADMIN_TOKEN"} | TO_JIRA | CHANNELS | HOOKS


@pytest.mark.parametrize(
    ("service", "secrets"),
    [
        ("ingestor", TO_JIRA),
        ("projector", set()),
        ("graphql", {"JIRA_PROXY"} | HOOKS),  # its token is given by the stack
        ("telemetry", set()),
        ("notifier", CHANNELS | {"JIRA_PROXY"}),
    ],
)
def test_a_service_sees_its_own_secrets_alone(service: str, secrets: set[str]) -> None:
    assert SECRETS & environment.of_service(service, OURS, SHARED).keys() == secrets


def test_the_addresses_of_the_stack_win_and_ordinary_variables_pass() -> None:
    environ = environment.of_service("projector", OURS, SHARED)
    assert environ["DATABASE_URL"] == "sqlite:////data/jdi.db"
    assert environ["HTTPS_PROXY"] == "http://proxy"
    assert environ["JDI_LOG_LEVEL"] == "debug"
    assert environ["JIRA_PROJECTS"] == "ALPHA"
    assert environment.of_service("notifier", OURS, SHARED)["DATABASE_URL"] == "sqlite:////data/jdi.db"


def test_where_temporals_measures_are_shown_is_for_the_one_that_has_them() -> None:
    asked = {"TEMPORAL_METRICS_ADDRESS": "127.0.0.1:9464", "TEMPORAL_ADDRESS": "elsewhere:7233"}
    assert asked.items() & environment.of_service("ingestor", asked, {}).items() == {
        ("TEMPORAL_METRICS_ADDRESS", "127.0.0.1:9464")
    }
    assert not asked.keys() & environment.of_service("telemetry", asked, {}).keys()


def test_certificates_and_key_for_temporal_are_for_those_who_ask_it() -> None:
    shown = {"TEMPORAL_TLS_CLIENT_KEY_PATH": "/run/key", "TEMPORAL_API_KEY": "a-key"}
    for service in environment.SERVICES:
        given = shown.items() & environment.of_service(service, shown, {}).items()
        assert given == (shown.items() if service in {"ingestor", "graphql", "telemetry"} else set())


def test_servers_see_nothing_of_ours() -> None:
    assert environment.ordinary(OURS) == {"PATH": "/bin", "HTTPS_PROXY": "http://proxy"}
