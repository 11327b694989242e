"""The projector and GraphQL as processes on one data folder, and what a caller sees of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from libs.access import Role, TokenStore
from libs.access import migrate as migrate_access
from libs.events import open_store
from libs.runtime import access_database, access_engine, engine, read_database
from services.cli.migrations import migrate
from tests.eventually import wait_until
from tests.integration.projector.log import append, catch_up, history
from tests.servers.addresses import free_port

QUERY: Final = """{
  issues(projectId: "DEMO", first: 100) { nodes { key summary status comments { body } } }
  projects { key name }
}"""


class Services:
    """The two of them; `output` is what they have said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder.parent / f"{folder.name}.log"
        self._ports = {"projector": free_port(), "graphql": free_port()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name, port in self._ports.items():
            environ = {name: value for name, value in os.environ.items() if not name.startswith(("JDI_", "JIRA_"))}
            environ |= {
                "DATABASE_URL": url_of(self.folder),
                "JDI_HEALTH_PORT": str(port),
                "JDI_PORT": str(port),
                "JDI_FIRST_ADMIN": "0",
            }
            with self.output.open("ab") as output:
                self._running[name] = subprocess.Popen(
                    [sys.executable, "-m", f"services.{name}"], env=environ, stdout=output, stderr=output
                )

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(60)
        self._running.clear()

    def kill(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()

    def alive(self) -> bool:
        return all(process.poll() is None for process in self._running.values())

    def ready(self) -> bool:
        return all(self._status(name) == 200 for name in self._ports)

    def ask(self, token: str, query: str = QUERY) -> tuple[Any, set[str]]:
        """The data of the answer, and the codes of its errors; `REFUSED` while nobody listens."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._ports['graphql']}/graphql",
            data=json.dumps({"query": query}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.loads(error.read())
        except OSError:
            return None, {"REFUSED"}
        return answer.get("data"), {error["extensions"]["code"] for error in answer.get("errors", ())}

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def _status(self, name: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}/readyz", timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@contextlib.contextmanager
def on(folder: Path) -> Iterator[Services]:
    services = Services(folder)
    services.start()
    try:
        yield services
    finally:
        services.kill()


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'jdi.db'}"


def made(folder: Path, issues: int = 60) -> tuple[str, str]:
    """A data folder with a log of some life; a token that opens, and one that was revoked."""
    migrate(url_of(folder))
    store = open_store(url_of(folder))
    append(store, history(issues))
    tables = engine(read_database(url_of(folder)))
    catch_up(store, tables)
    tables.dispose()
    store.close()
    access = access_engine(access_database(url_of(folder)))
    migrate_access(access)
    tokens = TokenStore(access)
    _, alive = tokens.create("ann", Role.ADMIN, by="test")
    dead, revoked = tokens.create("ben", Role.ADMIN, by="test")
    tokens.revoke(dead.id, by="test")
    access.dispose()
    return alive, revoked


def wait_until_whole(services: Services, token: str, expected: Any) -> None:
    """Until both are ready and the answer is the one that it was."""
    wait_until(lambda: services.ready() and services.ask(token) == (expected, set()))
