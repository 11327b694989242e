"""Who is let in over HTTP, by which credentials, for how long, and to what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_required_argument,
)
from sqlalchemy import text

from libs.access import Role, TokenStore
from services.graphql.api.schema import schema
from tests.eventually import until
from tests.integration.graphql.api.access_service import GIVEN, Service, serving

EXPECTED_ROLES = {
    "startProjectSync": Role.OPERATOR,
    "pauseProjectSync": Role.OPERATOR,
    "resumeProjectSync": Role.OPERATOR,
    "triggerProjectSync": Role.OPERATOR,
    "proveProject": Role.OPERATOR,
    "rescheduleProjectSync": Role.ADMIN,
    "registerProject": Role.ADMIN,
    "unregisterProject": Role.ADMIN,
    "setTrackedUsers": Role.ADMIN,
    "acknowledgeAlert": Role.OPERATOR,
    "resolveAlert": Role.OPERATOR,
    "silenceAlerts": Role.OPERATOR,
    "sendTestNotification": Role.ADMIN,
    "redriveNotification": Role.ADMIN,
    "createApiToken": Role.ADMIN,
    "revokeApiToken": Role.ADMIN,
    "jiraProjectOptions": Role.ADMIN,
    "jiraProjectUserOptions": Role.ADMIN,
    "apiTokens": Role.ADMIN,
    "jiraClosings": Role.OPERATOR,
    "openJiraGate": Role.ADMIN,
}
"""Of every mutation, and of the queries that need more than a reader."""

ASKING = frozenset({"registerProject", "jiraProjectOptions", "jiraClosings", "openJiraGate"})
"""Those that would ask Temporal, which does not answer here; other tests ask them."""

BELOW = {Role.OPERATOR: [Role.READER], Role.ADMIN: [Role.READER, Role.OPERATOR]}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as running:
        yield running


async def test_a_token_is_known_by_its_name(service: Service) -> None:
    assert await service.who(service.bearer(Role.OPERATOR)) == "the operator"
    assert await service.who({"Authorization": f"Bearer {GIVEN}"}) == "admin"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic {}", "{}", "Bearer {}x", "Token {}"])
async def test_anything_else_is_refused(service: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(service.secrets[Role.ADMIN])}
    status, answer = await service.ask(headers=headers)
    assert status == 401
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "jdi token create" in answer["errors"][0]["message"]
    assert service.secrets[Role.ADMIN] not in str(answer)


async def test_a_revoked_token_is_refused_at_once(service: Service) -> None:
    token, secret = service.tokens.create("ann", Role.READER, by="test")
    headers = {"Authorization": f"Bearer {secret}"}
    assert await service.who(headers) == "ann"
    service.tokens.revoke(token.id, by="test")
    assert await service.who(headers) == 401


async def test_an_expired_token_is_refused(service: Service) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    earlier = TokenStore(service.tables, clock=lambda: yesterday)
    _, secret = earlier.create("ann", Role.READER, None, yesterday + timedelta(hours=1), by="test")
    assert earlier.principal_of(secret) is not None
    assert await service.who({"Authorization": f"Bearer {secret}"}) == 401


async def test_the_use_of_a_token_is_noted(service: Service) -> None:
    async def used() -> datetime | None:
        (token,) = [token for token in service.tokens.list() if token.name == "the reader"]
        return token.last_used_at

    assert await used() is None
    assert await service.who(service.bearer()) == "the reader"
    await until(used)  # written behind the answer


@cache
def _served() -> GraphQLSchema:
    return build_schema(schema.as_str())


@cache
def _arguments() -> dict[str, str]:
    """Each field of the table with arguments that pass validation."""
    parsed = _served()
    roots = (parsed.query_type, parsed.mutation_type)
    fields = {
        name: field for root in roots if isinstance(root, GraphQLObjectType) for name, field in root.fields.items()
    }
    return {
        name: ", ".join(
            f"{each}: {_sample(argument)}"
            for each, argument in fields[name].args.items()
            if is_required_argument(argument)
        )
        for name in EXPECTED_ROLES
    }


def _sample(argument: GraphQLArgument) -> str:
    named = get_named_type(argument.type)
    if isinstance(named, GraphQLEnumType):
        return str(next(iter(named.values)))
    listed = isinstance(getattr(argument.type, "of_type", argument.type), GraphQLList)
    return "[]" if listed else "1" if str(named) == "Int" else '"NONE"'


def _operation(name: str) -> str:
    parsed = _served()
    assert parsed.mutation_type is not None
    kind = "mutation" if name in parsed.mutation_type.fields else "query"
    arguments = _arguments()[name]
    return f"{kind} {{ {name}{f'({arguments})' if arguments else ''} {{ __typename }} }}"


def test_every_mutation_has_a_role() -> None:
    parsed = _served()
    assert parsed.mutation_type is not None
    assert parsed.mutation_type.fields.keys() <= EXPECTED_ROLES.keys()


@pytest.mark.parametrize("name", EXPECTED_ROLES)
async def test_whoever_has_too_low_a_role_is_refused(service: Service, name: str) -> None:
    for role in BELOW[EXPECTED_ROLES[name]]:
        status, answer = await service.ask(_operation(name), service.bearer(role))
        assert (status, answer["data"]) == (200, None)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert EXPECTED_ROLES[name] in answer["errors"][0]["message"]


@pytest.mark.parametrize("name", [name for name in EXPECTED_ROLES if name not in ASKING])
async def test_whoever_has_the_role_is_not(service: Service, name: str) -> None:
    _, answer = await service.ask(_operation(name), service.bearer(EXPECTED_ROLES[name]))
    assert "FORBIDDEN" not in [error["extensions"]["code"] for error in answer.get("errors", [])]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/console/"])
async def test_health_and_the_empty_console_are_open(service: Service, path: str) -> None:
    async with service.http.get(f"{service.url}{path}") as response:
        assert response.status == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'" if path == "/console/" else "default-src 'none'")
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/console"])
async def test_the_way_to_the_console_is_shown(service: Service, path: str) -> None:
    async with service.http.get(f"{service.url}{path}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/console/")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/graphql"), ("GET", "/graphql"), ("POST", "/console/"), ("GET", "/other"), ("PUT", "/console")],
)
async def test_everything_else_wants_a_token(service: Service, method: str, path: str) -> None:
    async with service.http.request(method, f"{service.url}{path}") as response:
        assert response.status == 401


@pytest.mark.parametrize("path", ["/graphql", "/livez", "/metrics", "/console/", "/console/session", "/other"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::", ""])
async def test_a_foreign_host_is_refused_everywhere(service: Service, path: str, host: str) -> None:
    async with service.http.get(f"{service.url}{path}", headers={"Host": host, **service.bearer()}) as response:
        assert response.status in (400, 403)  # 400: the server itself cannot read such a header


@pytest.mark.parametrize("path", ["/graphql", "/livez", "/console/", "/console/session"])
async def test_a_foreign_origin_is_refused_everywhere(service: Service, path: str) -> None:
    port = service.url.rpartition(":")[2]
    foreign = [
        "https://evil.example",
        "null",
        f"https://127.0.0.1:{port}",
        f"http://localhost:{port}",
        "http://127.0.0.1:1",
    ]
    for origin in foreign:
        for credentials in (service.bearer(), await service.cookie(), {}):
            headers = {"Origin": origin, **credentials}
            async with service.http.post(f"{service.url}{path}", json={}, headers=headers) as response:
                assert response.status == 403, origin


async def test_our_own_origin_may_ask(service: Service) -> None:
    assert await service.who({"Origin": service.url, **service.bearer()}) == "the reader"
    local = service.url.replace("127.0.0.1", "localhost")
    headers = {"Origin": local, "Host": local.removeprefix("http://"), **service.bearer()}
    assert await service.who(headers) == "the reader"


async def test_lost_tokens_come_back_from_their_safety_copy(service: Service) -> None:
    with service.tables.begin() as connection:
        connection.execute(text("DROP TABLE api_token"))
    assert await service.who(service.bearer()) == "the reader"


async def test_where_tokens_cannot_be_looked_up_the_given_one_still_opens(service: Service) -> None:
    with service.tables.begin() as connection:
        connection.execute(text("ALTER TABLE api_token RENAME COLUMN role TO part"))
    status, answer = await service.ask(headers=service.bearer())
    assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert "api_token" not in str(answer)
    assert await service.who({"Authorization": f"Bearer {GIVEN}"}) == "admin"


async def test_behind_a_proxy_its_names_are_ours(tmp_path: Path) -> None:
    from services.graphql.http.hosts import Hosts

    async with serving(tmp_path, Hosts(bound="0.0.0.0", named=("jdi.example",), behind_proxy=True)) as service:  # noqa: S104
        proxied: dict[str, Any] = {"Host": "jdi.example", **service.bearer()}
        assert await service.who(proxied) == "the reader"
        assert await service.who({"Origin": "https://jdi.example", **proxied}) == "the reader"
        assert await service.who({"Origin": "http://jdi.example", **proxied}) == 403
        assert await service.who({**proxied, "Host": "evil.example"}) == 403
        async with service.http.get(f"{service.url}/readyz", headers={"Host": "10.0.0.7:8080"}) as probe:
            assert probe.status == 200
