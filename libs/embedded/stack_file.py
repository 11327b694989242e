"""`stack.json` in the data folder: where a running stack is, for the commands that talk to it.

It outlives the stack, so that the next start takes the same ports; whether a stack runs is what the lock says.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from libs.embedded import lock

FILE: Final = "stack.json"


class StackFile(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of one stack. Readable by its owner alone: that of NATS holds a secret, that of a database may."""

    site: str
    database_url: str
    temporal_address: str
    temporal_namespace: str
    temporal_ui: str
    """Empty when there is none: it was not asked for, or the Temporal server is not ours."""
    nats_url: str
    graphql_url: str
    jira_base_url: str
    ports: dict[str, int] = {}
    pids: dict[str, int] = {}

    def environ(self, data_dir: Path) -> dict[str, str]:
        """The environment in which a command finds this stack."""
        return {
            "DATABASE_URL": self.database_url,
            "JDI_DATA_DIR": str(data_dir),
            "JDI_PORT": self.graphql_url.rpartition(":")[2],
            "JIRA_BASE_URL": self.jira_base_url,
            "JIRA_SITE": self.site,
            "NATS_URL": self.nats_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.temporal_namespace,
        }


def write(data_dir: Path, stack: StackFile) -> None:
    """Replace the file at once: a reader sees the old one or the new one, never a part."""
    data = msgspec.json.format(msgspec.json.encode(stack), indent=2)
    write_private(data_dir / FILE, data)


def read(data_dir: Path) -> StackFile | None:
    """The file as it was last written; None when there is none or it is of another form."""
    try:
        return msgspec.json.decode((data_dir / FILE).read_bytes(), type=StackFile)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(data_dir: Path) -> StackFile | None:
    """The stack that runs on the folder now, or None."""
    return read(data_dir) if lock.is_held(data_dir) else None


def find(environ: Mapping[str, str]) -> tuple[Path, StackFile] | None:
    """The stack that runs here: on `JDI_DATA_DIR` when that is set, else on `.jdi` or, for a demo, on `.jdi/demo`."""
    given = environ.get("JDI_DATA_DIR")
    for folder in (given,) if given else (".jdi", ".jdi/demo"):
        data_dir = Path(folder).expanduser().absolute()
        stack = running(data_dir)
        if stack is not None:
            return data_dir, stack
    return None


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read (mode 0600), at once."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)
