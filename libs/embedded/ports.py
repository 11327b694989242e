"""Ports on loopback: chosen by the kernel, remembered, taken again after a restart when they are still free."""

import contextlib
import socket
from collections.abc import Iterable, Mapping
from typing import Final

LOOPBACK: Final = "127.0.0.1"
TRIES: Final = 10
"""Others may take what the kernel gives before we listen there."""


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

    All of them are held until the last is chosen, so no two names get the same one. For a minute after, the kernel of
    Linux gives them to nobody who asks for any port.
    """
    with contextlib.ExitStack() as stack:
        held = {name: stack.enter_context(_held(remembered.get(name, 0))) for name in names}
        return {name: _reserved(listener) for name, listener in held.items()}


def next_free(port: int, host: str = LOOPBACK, tries: int = 100) -> int:
    """The first free port from `port` upwards.

    Raises:
        OSError: when none of the next `tries` ports is free.
    """
    for candidate in range(port, min(port + tries, 65536)):
        if is_free(candidate, host):
            return candidate
    raise OSError(f"no free port between {port} and {port + tries}; set JDI_PORT to one that is free")


def _held(preferred: int) -> socket.socket:
    """A socket that listens on it, or on any other.

    Raises:
        OSError: the kernel has no port left.
    """
    for port in (preferred, *[0] * TRIES):
        listener = _listener()
        try:
            listener.bind((LOOPBACK, port))
            listener.listen(1)  # a port that is only bound may be given away once more
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError("no free port on this machine")


def _reserved(listener: socket.socket) -> int:
    """Its port, left in TIME_WAIT: who asks for that port gets it (SO_REUSEADDR), who asks for any other does not."""
    port: int = listener.getsockname()[1]
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
        listener.accept()[0].close()
        connection.recv(1)  # the end that closes first is the one that waits
    return port


def _listener() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
    return listener
