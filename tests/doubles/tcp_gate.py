"""A way to a server that a test cannot kill, which the test can cut or block, and open again."""

from __future__ import annotations

import contextlib
import socket
import threading


class TcpGate:
    """Listens on a port of this machine and passes everything on to `target` while it is open."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        """To a host and port, or to the path of a socket."""
        self._target = target
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self._flowing = threading.Event()
        self._flowing.set()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end those there are."""
        if self._listener is not None:
            _close(self._listener)
            self._listener = None
        while self._open:
            _close(self._open.pop())

    def hold(self) -> None:
        """Take everything and pass nothing on, as a server does that hangs."""
        self._flowing.clear()

    def release(self) -> None:
        """Pass on what was held back and what comes."""
        self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner, _ = listener.accept()
                outer = _connected(self._target)
                self._open += [inner, outer]
                for source, sink in ((inner, outer), (outer, inner)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        _close(source)
        _close(sink)


def _connected(target: tuple[str, int] | str) -> socket.socket:
    if not isinstance(target, str):
        return socket.create_connection(target)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(target)
    return connection


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Closing alone would not wake a thread that waits in accept or recv.
        end.shutdown(socket.SHUT_RDWR)
    end.close()
