"""A wire to a server that can be cut, or lose what comes back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from cli.services import free_port
from tests.support.accepting import accept_clients
from tests.support.patience import PATIENCE


class Wire:
    """Passes bytes on between a client and `target`, until told otherwise."""

    def __init__(self, target: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.lost = 0
        """Answers lost so far."""
        self._target = urlsplit(target)
        self._lose = 0
        self._passes: int | None = None
        self.delay = 0.0
        """Seconds before anything comes back."""
        self.refuse_with = b""
        """What is answered in the server's place."""
        self.halve_answers = False
        """Of what is read, half comes back."""
        self.spoil_answers = False
        """Of what is read, the last byte comes back as another."""
        self._lock = threading.Lock()

    def lose_answers_to_puts(self, times: int) -> None:
        """Let the next puts reach the server, and their answers not reach the client."""
        self._lose = times

    def cut_after(self, size: int) -> None:
        """Pass on so many bytes more from the client, and then nothing, for anybody."""
        self._passes = size

    def mend(self) -> None:
        """As at the beginning."""
        self._passes = None
        self._lose = 0
        self.delay, self.refuse_with = 0.0, b""
        self.halve_answers = self.spoil_answers = False

    def serve(self, listener: socket.socket) -> None:
        """Accept clients until the listener is closed."""
        accept_clients(listener, self._serve)

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), self._connected() as server:
            seen = _Seen()
            back = threading.Thread(target=self._back, args=(server, client, seen), daemon=True)
            back.start()
            while chunk := client.recv(65536):
                if chunk.startswith((b"PUT ", b"GET ", b"HEAD ")):
                    seen.put = chunk.startswith(b"PUT ")
                    seen.get = chunk.startswith(b"GET ")
                if self.refuse_with:
                    client.sendall(self.refuse_with)
                    break
                with self._lock:
                    if self._passes is not None:
                        chunk = chunk[: self._passes]
                        self._passes -= len(chunk)
                        if not chunk:
                            break
                server.sendall(chunk)
            _hang_up(server, client)

    def _back(self, server: socket.socket, client: socket.socket, seen: _Seen) -> None:
        with suppress(OSError):
            while chunk := server.recv(65536):
                with self._lock:
                    lose = seen.put and self._lose > 0 and not chunk.startswith(b"HTTP/1.1 100")
                    if lose:
                        self._lose -= 1
                        self.lost += 1
                if lose:
                    break
                time.sleep(self.delay)
                if seen.get and self.halve_answers:
                    client.sendall(chunk[: len(chunk) // 2])
                    break
                if seen.get and self.spoil_answers and not chunk.endswith(b"\r\n\r\n"):
                    chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
                client.sendall(chunk)
        _hang_up(server, client)

    def _connected(self) -> socket.socket:
        return socket.create_connection(
            (str(self._target.hostname), int(self._target.port or 80)), timeout=PATIENCE
        )


class _Seen:
    """What was asked for last on one connection."""

    put = False
    get = False


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(target: str) -> Iterator[Wire]:
    """A wire to the server at `target`, until the end of the block."""
    wire = Wire(target)
    with socket.create_server(("127.0.0.1", int(urlsplit(wire.url).port or 0))) as listener:
        threading.Thread(target=wire.serve, args=(listener,), daemon=True).start()
        yield wire
        _hang_up(listener)
