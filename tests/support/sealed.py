"""TLS before a server that has none, with a certificate that can end: by an authority that a test trusts."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cli.services import free_port
from tests.support.accepting import accept_clients
from tests.support.patience import PATIENCE

DAY = timedelta(days=1)
_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
"""What a client of PostgreSQL says before anything else, where it wants TLS."""


@dataclass
class Sealed:
    """Passes bytes on between clients, who speak TLS, and a server on loopback, which does not."""

    folder: Path
    target: int
    postgresql: bool = False
    """Whether a client asks for TLS first, as those of PostgreSQL do."""
    port: int = field(default_factory=free_port)
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certified(
            "Test Root", datetime.now(UTC) + 9 * DAY, self._key.public_key(), ca=True
        )
        self.authority.write_bytes(self._root.public_bytes(Encoding.PEM))
        self.mend()

    @property
    def authority(self) -> Path:
        """The file of whom clients trust."""
        return self.folder / "authority.pem"

    def begin(self) -> None:
        """The certificate has ended an hour ago."""
        self._has(datetime.now(UTC) - timedelta(hours=1))

    def mend(self) -> None:
        """It was renewed."""
        self._has(datetime.now(UTC) + 5 * DAY)

    def _has(self, until: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(
            private + self._certified("loopback", until, key.public_key()).public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        with self._lock:
            self._context = context
            former, self._open = self._open, []
        _hang_up(*former)

    def _certified(
        self, name: str, until: datetime, key: ec.EllipticCurvePublicKey, *, ca: bool = False
    ) -> x509.Certificate:
        loopback = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Root")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - 10 * DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(loopback), critical=False)
            .sign(self._key, SHA256())
        )

    def serve(self, listener: socket.socket) -> None:
        """Accepts clients until the listener is closed."""
        accept_clients(listener, self._serve)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            client.settimeout(PATIENCE)
            if self.postgresql:
                if client.recv(len(_ASKS_FOR_TLS), socket.MSG_WAITALL) != _ASKS_FOR_TLS:
                    return
                client.sendall(b"S")
            with (
                self._context.wrap_socket(client, server_side=True) as sealed,
                socket.create_connection(("127.0.0.1", self.target), PATIENCE) as server,
            ):
                with self._lock:
                    self._open += [sealed, server]
                back = threading.Thread(target=_pass_on, args=(server, sealed), daemon=True)
                back.start()
                _pass_on(sealed, server)
                back.join(PATIENCE)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := one.recv(65536):
            other.sendall(chunk)
    _hang_up(one, other)


def _hang_up(*ends: socket.socket) -> None:
    for one in ends:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def sealed(folder: Path, target: int, *, postgresql: bool = False) -> Iterator[Sealed]:
    """TLS before the port of a server, for the length of a `with` block."""
    folder.mkdir()
    one = Sealed(folder, target, postgresql)
    with socket.create_server(("127.0.0.1", one.port)) as listener:
        thread = threading.Thread(target=one.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield one
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)
