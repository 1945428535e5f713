"""A network between two parts that can go dead without a word: a proxy that stops forwarding."""

import contextlib
import socket
import threading
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"


class Line:
    """Forwards a port of its own to another; `cut` leaves all connections open and mute."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Half-open inside the block: both sides believe in it, nothing passes, nor ever will."""
        self._open.clear()
        stale, self._pairs = self._pairs, []
        try:
            yield
        finally:
            for pair in stale:
                for each in pair:
                    each.close()
            self._open.set()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open.wait()
                try:
                    far = socket.create_connection((LOOPBACK, self._target), timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if not self._open.is_set():
                    return  # swallowed; the sockets stay open
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
