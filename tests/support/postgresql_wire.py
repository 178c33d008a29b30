"""A wire to PostgreSQL that is cut: for everybody, or around a COMMIT whose fate nobody knows then."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.services import free_port
from tests.support.accepting import accept_clients
from tests.support.patience import PATIENCE

_COMMIT = b"COMMIT\x00"


@dataclass
class PostgresqlWire:
    """Passes bytes on between clients and the server."""

    target: int
    port: int = field(default_factory=free_port)
    down: bool = False
    """Nobody is let in, and whoever was is cut off."""
    cut_at_commits: int = 0
    """The next so many COMMITs reach the server, and the connection ends before its answer comes back."""
    lose_commits: int = 0
    """The next so many COMMITs do not reach the server."""
    cut: int = 0
    """COMMITs after which the connection was cut so far, or before which."""
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut_everybody_off(self) -> None:
        """Ends every connection."""
        with self._lock:
            ends, self._open = self._open, []
        _hang_up(*ends)

    def serve(self, listener: socket.socket) -> None:
        """Accepts clients until the listener is closed."""
        accept_clients(listener, self._serve)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.down:
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                with self._lock:
                    self._open += [client, server]
                mute = threading.Event()
                back = threading.Thread(target=_back, args=(server, client, mute), daemon=True)
                back.start()
                while chunk := client.recv(65536):
                    fate = self._fate_of(chunk)
                    if fate == "lost":
                        break
                    if fate == "cut":
                        mute.set()
                    server.sendall(chunk)
                    if fate == "cut":
                        back.join(PATIENCE)  # until it has answered: it is committed, and nobody hears of it
                        break
                _hang_up(server, client)

    def _fate_of(self, chunk: bytes) -> str:
        if _COMMIT not in chunk:
            return ""
        with self._lock:
            if self.cut_at_commits:
                self.cut_at_commits -= 1
                self.cut += 1
                return "cut"
            if self.lose_commits:
                self.lose_commits -= 1
                self.cut += 1
                return "lost"
        return ""


def _back(server: socket.socket, client: socket.socket, mute: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while (chunk := server.recv(65536)) and not mute.is_set():
            client.sendall(chunk)
    if not mute.is_set():
        _hang_up(client)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def postgresql_wire(target: int) -> Iterator[PostgresqlWire]:
    """A wire to the server at that port of this machine, until the end of the block."""
    wire = PostgresqlWire(target)
    with socket.create_server(("127.0.0.1", wire.port)) as listener:
        threading.Thread(target=wire.serve, args=(listener,), daemon=True).start()
        yield wire
        wire.cut_everybody_off()
        _hang_up(listener)
