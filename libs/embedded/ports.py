"""Ports on loopback: chosen by the kernel, remembered, taken again after a restart when they are still free."""

import contextlib
import socket
from collections.abc import Iterable, Mapping
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with contextlib.closing(_listener()) as listener:
        try:
            listener.bind((host, port))
        except OSError:
            return False
        return True


def choose(names: Iterable[str], remembered: Mapping[str, int]) -> dict[str, int]:
    """A free port for every name: the remembered one when it is still free, else any that the kernel gives.

    All of them are held until the last is chosen, so no two names get the same one.
    """
    with contextlib.ExitStack() as listeners:
        return {name: _hold(listeners, remembered.get(name, 0)) for name in names}


def next_free(port: int, host: str = LOOPBACK, tries: int = 100) -> int:
    """The first free port from `port` upwards.

    Raises:
        OSError: when none of the next `tries` ports is free.
    """
    for candidate in range(port, min(port + tries, 65536)):
        if is_free(candidate, host):
            return candidate
    raise OSError(f"no free port between {port} and {port + tries}; set JDI_PORT to one that is free")


def _hold(listeners: contextlib.ExitStack, preferred: int) -> int:
    listener = listeners.enter_context(contextlib.closing(_listener()))
    try:
        listener.bind((LOOPBACK, preferred))
    except OSError:
        listener.bind((LOOPBACK, 0))
    listener.listen(1)  # a port that is only bound may be given away once more
    port: int = listener.getsockname()[1]
    return port


def _listener() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
    return listener
