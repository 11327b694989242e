"""The service as it comes, started as a process: open to this machine only, and to nobody without a token."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from libs.access import TokenStore
from libs.runtime import engine, read_database
from services.cli.migrations import migrate
from tests.eventually import wait_until
from tests.servers.addresses import free_port

SIGN_IN_LINE = re.compile(r"http://127\.0\.0\.1:(\d+)/console/#token=(jdi_\S+)")
QUESTION = {"query": "{ viewer { name role } }"}


@dataclass
class Started:
    """A running process, and what it has said so far."""

    url: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    ends: int = 0
    """The exit code that it must end with."""

    @property
    def output(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "stderr").read_text()


def environ(folder: Path, **more: str) -> dict[str, str]:
    foreign = ("JIRA_", "JDI_", "DATABASE_URL", "NATS_URL", "TEMPORAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"JDI_DATA_DIR": str(folder)} | more


@contextlib.contextmanager
def started(folder: Path, **settings: str) -> Iterator[Started]:
    """The process, once it is ready; it is told to stop when the block ends."""
    port = free_port()
    with (folder / "stdout").open("ab") as out, (folder / "stderr").open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.graphql"],
            env=environ(folder, JDI_PORT=str(port), **settings),
            stdout=out,
            stderr=err,
        )
    running = Started(f"http://127.0.0.1:{port}", port, folder, process)
    try:
        wait_until(lambda: _is_ready(running.url), hopeless=lambda: process.poll() is not None and running.log)
        yield running
    except BaseException:  # how it ends now says nothing, and must not hide why the test has failed
        process.kill()
        process.wait()
        raise
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == running.ends


def _is_ready(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("defaults")
    migrate(f"sqlite:///{folder / 'jdi.db'}")
    with started(folder) as running:
        yield running


def listening_on(port: int) -> set[str]:
    """The addresses, in the kernel's own notation, on which somebody listens on this port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, hexadecimal = local.partition(":")
            if int(hexadecimal, 16) == port and state == "0A":  # LISTEN
                found.add(address)
    return found


def token_of(output: str) -> str:
    (line,) = output.splitlines()
    found = SIGN_IN_LINE.fullmatch(line)
    assert found is not None
    return found[2]


def test_it_listens_on_loopback_only(service: Started) -> None:
    assert listening_on(service.port) == {"0100007F"}  # 127.0.0.1


def test_it_cannot_be_reached_by_the_address_of_the_machine(service: Started) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; tells which address would be used
        own = probe.getsockname()[0]
    with socket.socket() as knocking:
        assert own == "127.0.0.1" or knocking.connect_ex((own, service.port)) != 0


def test_nobody_is_answered_without_a_token(service: Started) -> None:
    for method, path in [
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("PUT", "/graphql"),
        ("OPTIONS", "/graphql"),
        ("POST", "/console/"),
        ("GET", "/anything"),
    ]:
        answer = httpx.request(method, service.url + path, json=QUESTION if method == "POST" else None)
        assert answer.status_code == 401, (method, path)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/console/"])
def test_health_and_the_empty_console_are_open(service: Started, path: str) -> None:
    assert httpx.get(service.url + path).status_code == 200


def test_a_foreign_host_and_a_foreign_origin_are_refused_even_with_a_token(service: Started) -> None:
    headers = {"Authorization": f"Bearer {token_of(service.output)}"}
    assert httpx.post(f"{service.url}/graphql", json=QUESTION, headers=headers).status_code == 200
    for foreign in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        answer = httpx.post(f"{service.url}/graphql", json=QUESTION, headers=headers | foreign)
        assert answer.status_code == 403


def test_the_first_start_prints_one_line_that_signs_in_and_keeps_only_its_hash(tmp_path: Path) -> None:
    with started(tmp_path, **migrated(tmp_path)) as service:
        secret = token_of(service.output)
        opened = httpx.post(f"{service.url}/console/session", json={"token": secret})
        assert (opened.status_code, "HttpOnly" in opened.headers["set-cookie"]) == (204, True)
        answer = httpx.post(f"{service.url}/graphql", json=QUESTION, headers={"Authorization": f"Bearer {secret}"})
        assert answer.json()["data"]["viewer"] == {"name": "first admin", "role": "ADMIN"}
    kept = [path for path in tmp_path.iterdir() if path.name != "stdout" and secret.encode() in path.read_bytes()]
    assert kept == []
    (tmp_path / "stdout").write_text("")
    with started(tmp_path) as again:
        assert again.output == ""
        answer = httpx.post(f"{again.url}/graphql", json=QUESTION, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200


def migrated(folder: Path) -> dict[str, str]:
    url = f"sqlite:///{folder / 'jdi.db'}"
    migrate(url)
    return {"DATABASE_URL": url}


def test_a_given_token_opens_and_no_other_is_made(tmp_path: Path) -> None:
    given = "given by the environment"
    with started(tmp_path, JDI_ADMIN_TOKEN=given, **migrated(tmp_path)) as service:
        answer = httpx.post(f"{service.url}/graphql", json=QUESTION, headers={"Authorization": f"Bearer {given}"})
        assert answer.json()["data"]["viewer"]["role"] == "ADMIN"
        assert service.output == ""
        assert given not in service.log
    assert tokens_in(tmp_path) == []


def test_one_who_prints_tokens_elsewhere_can_say_so(tmp_path: Path) -> None:
    with started(tmp_path, JDI_FIRST_ADMIN="0", **migrated(tmp_path)) as service:
        assert service.output == ""
    assert tokens_in(tmp_path) == []


def tokens_in(folder: Path) -> list[str]:
    tables = engine(read_database(f"sqlite:///{folder / 'jdi.db'}"))
    try:
        return [token.name for token in TokenStore(tables).list()]
    finally:
        tables.dispose()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4"])  # noqa: S104 - they are refused
def test_it_does_not_start_for_the_network_unless_a_proxy_stands_in_front(tmp_path: Path, host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.graphql"],
        env=environ(tmp_path, JDI_HOST=host),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "JDI_BEHIND_PROXY=1" in done.stderr
    assert done.stdout == ""
