"""Clients of a server that a test runs in its own process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


def accept_clients(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    """Accepts clients until the listener is closed; each is served in a thread of its own."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(client,), daemon=True).start()
