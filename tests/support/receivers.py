"""Receivers of webhooks: real HTTP servers on loopback, which answer as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.patience import PATIENCE


@dataclass
class Receiver:
    """A platform's address: what came there, and how it answers."""

    address: str = ""
    answers: Callable[[BaseHTTPRequestHandler], None] | int = 200
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Heads, with names in small letters, and bodies."""

    def told(self) -> list[dict[str, Any]]:
        """The bodies."""
        return [json.loads(body) for _, body in self.came]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the length of a `with` block."""
    one = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            one.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if callable(one.answers):
                one.answers(self)
                return
            self.send_response(one.answers)
            if 300 <= one.answers < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    one.address = f"http://127.0.0.1:{server.server_port}/hooks?of=labels"
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
