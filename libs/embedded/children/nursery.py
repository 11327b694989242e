"""Import once what all services need, and become each of them: a fork in place of a start of Python.

    python -m libs.embedded.children.nursery PARENT DESCRIPTOR module,module ...

Each service would spend half a second of CPU and 40 MB on the same modules. A fork shares them. What is asked for comes
over the socket DESCRIPTOR as two descriptors: where the output goes, and a file that says what to run (`Wanted`). Only
the fork opens that file: the nursery itself, and thereby those who come after, see no secret of anybody.

A fork is a child of PARENT, as one that was started without us: PARENT is told of its end, and gives it its own when it
dies. (Linux: it is made by a process that ends at once, and PARENT takes such orphans.) So the nursery may end when it
has done its work; it does when the socket is closed. Nothing here may start a thread, for a fork copies one alone.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import socket
import sys
import time
from pathlib import Path
from typing import Final, TypedDict

from libs.embedded.children.parentage import end_with

PR_SET_NAME: Final = 15
PARENT_SECONDS: Final = 10.0
PID_BYTES: Final = 4


class Wanted(TypedDict):
    """What to become: `argv` is `python -m module arguments`."""

    argv: list[str]
    environ: dict[str, str]


def main(parent: int, connection: socket.socket, groups: list[str]) -> None:
    """Import group after group (`module,module`), and serve what is asked for after each."""
    gc.disable()  # an import makes much and drops little
    wanted = None
    for group in groups:
        for name in group.split(","):
            importlib.import_module(name)
        gc.freeze()  # a collection would touch, and thereby copy, all that is shared
        while wanted is None and select.select([connection], [], [], 0)[0]:
            wanted = _next_birth(parent, connection)
    while wanted is None:
        wanted = _next_birth(parent, connection)
    gc.enable()
    _become(wanted)


def _next_birth(parent: int, connection: socket.socket) -> Wanted | None:
    """Wait for what is asked for, and make it. In the fork: what it is to become. The end when the socket is closed."""
    asked, descriptors, _, _ = socket.recv_fds(connection, 1, 2)
    if not asked:
        sys.exit()
    output, wanted = descriptors
    between = os.fork()
    if between == 0:
        if os.fork() != 0:
            os._exit(0)
        return _born(parent, connection, output, wanted)
    os.close(output)
    os.close(wanted)
    os.waitpid(between, 0)
    return None


def _born(parent: int, connection: socket.socket, output: int, wanted: int) -> Wanted:
    """Become a child of `parent`, in a process group of its own, with its own output; tell it our process id."""
    deadline = time.monotonic() + PARENT_SECONDS
    while os.getppid() != parent:
        if time.monotonic() > deadline:
            os._exit(1)
        time.sleep(0.0002)
    if not end_with(parent):
        os._exit(1)
    os.setpgid(0, 0)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    with os.fdopen(wanted, "rb") as file:
        found: Wanted = json.loads(file.read())
    connection.send(os.getpid().to_bytes(PID_BYTES, "big"))
    connection.close()
    return found


def _become(wanted: Wanted) -> None:
    _, _, module, *arguments = wanted["argv"]
    os.environ.clear()
    os.environ.update(wanted["environ"])
    sys.argv = [module, *arguments]
    _show_as(wanted["argv"])
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _show_as(argv: list[str]) -> None:
    """Let `ps` show what runs here, as far as there is room: the place of our own arguments, as long as they are."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, argv[2].rpartition(".")[2].encode()[:15])
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end of proc(5), counted behind the name
    shown = b"\0".join(map(os.fsencode, argv))[: max(0, end - begin - 1)]
    if begin and shown:
        ctypes.memset(begin, 0, end - begin)
        ctypes.memmove(begin, shown, len(shown))


if __name__ == "__main__":
    main(int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
