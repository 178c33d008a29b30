"""A time-stamp service as others run it: OpenSSL's, behind a small server on loopback."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CONFIGURATION = """
[ tsa ]
default_tsa = one
[ one ]
serial = {folder}/serial
signer_cert = {folder}/time.pem
certs = {folder}/root.pem
signer_key = {folder}/time.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class TimeService:
    """One that runs."""

    url: str
    root: Path
    """The certificate that vouches for it."""
    asked: list[int] = field(default_factory=list)
    """The sizes of the requests that it got."""

    def verifies(self, token: Path, head: str) -> bool:
        """Whether OpenSSL finds that the token is of this digest."""
        words = ["ts", "-verify", "-digest", head, "-token_in", "-in", str(token), "-CAfile", str(self.root)]
        return subprocess.run(["openssl", *words], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def time_service(folder: Path) -> Iterator[TimeService]:
    """A service for the length of a `with` block; skips where OpenSSL is not installed."""
    try:
        _make_keys(folder)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    made: TimeService

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append(len(query))
            (folder / "query.tsq").write_bytes(query)
            _openssl(
                "ts", "-reply", "-config", str(folder / "tsa.cnf"), "-queryfile", str(folder / "query.tsq"),
                "-out", str(folder / "answer.tsr"),
            )  # fmt: skip
            answer = (folder / "answer.tsr").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        made = TimeService(f"http://127.0.0.1:{server.server_address[1]}", folder / "root.pem")
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _make_keys(folder: Path) -> None:
    """A root, and a certificate for telling the time."""
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "usage.cnf").write_text(
        "extendedKeyUsage = critical,timeStamping\nkeyUsage = digitalSignature\n"
    )
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    root, key = str(folder / "root.pem"), str(folder / "root.key")
    _openssl("req", "-x509", *curve, "-keyout", key, "-out", root, "-days", "30", "-subj", "/CN=Time Root")
    request, own = str(folder / "time.csr"), str(folder / "time.pem")
    _openssl("req", "-new", *curve, "-keyout", str(folder / "time.key"), "-out", request, "-subj", "/CN=Time")
    _openssl(
        "x509", "-req", "-in", request, "-CA", root, "-CAkey", key, "-CAcreateserial", "-out", own,
        "-days", "30", "-extfile", str(folder / "usage.cnf"),
    )  # fmt: skip


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], capture_output=True, check=True)
