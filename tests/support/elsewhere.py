"""What `labels doctor` looks at outside, on loopback: a proxy with TLS, names as other mail servers see them, a mail server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset

from tests.support.patience import PATIENCE

Pages = Mapping[tuple[str, str], tuple[int, bytes]]
"""Method and path, and what is answered."""


@contextlib.contextmanager
def proxy(pages: Pages, certificate: tuple[Path, Path] | None = None, *, ahead: float = 0.0) -> Iterator[int]:
    """Answers at a port of loopback; its clock is so many seconds ahead of ours."""

    class Handler(BaseHTTPRequestHandler):
        def _answers(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = pages.get((self.command, self.path), (404, b"nothing here"))
            self.send_response_only(status)
            self.send_header("Date", formatdate(time.time() + ahead, usegmt=True))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answers  # the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


@contextlib.contextmanager
def names(texts: Mapping[str, list[str]], mail: set[str]) -> Iterator[dns.resolver.Resolver]:
    """A server of names that knows these TXT entries, and these names with an MX; who asks it."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def serves() -> None:
        while True:
            try:
                asked, whom = line.recvfrom(4096)
            except OSError:
                return
            if not asked:
                return
            question = dns.message.from_wire(asked)
            answer = dns.message.make_response(question)
            answer.flags |= dns.flags.RA
            [one] = question.question
            name = one.name.to_text(omit_final_dot=True).lower()
            found = [f'"{text}"' for text in texts.get(name, [])] if one.rdtype == dns.rdatatype.TXT else []
            if one.rdtype == dns.rdatatype.MX and name in mail:
                found = [f"10 mx.{name}."]
            if found:
                answer.answer.append(dns.rrset.from_text(one.name, 60, "IN", one.rdtype, *found))
            line.sendto(answer.to_wire(), whom)

    thread = threading.Thread(target=serves, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], line.getsockname()[1]
    try:
        yield resolver
    finally:
        line.sendto(b"", line.getsockname())  # nobody waits for ever in recvfrom
        line.close()
