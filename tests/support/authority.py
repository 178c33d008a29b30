"""An authority made for a test: a root, certificates for signing and for telling the time, and a service on
loopback that answers for them: time stamps (RFC 3161) and the list of what it revoked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

DAY = timedelta(days=1)


@dataclass
class Authority:
    """One root and what it issued."""

    now: datetime
    address: str = ""
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    revoked: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """What its service was asked for."""

    def __post_init__(self) -> None:
        self.root = self._certificate("Test Root", self.key.public_key(), self.now + 3650 * DAY, ca=True)
        self._time_key = rsa.generate_private_key(65537, 2048)
        self._time = self._certificate(
            "Test Time",
            self._time_key.public_key(),
            self.now + 3650 * DAY,
            usage=ExtendedKeyUsageOID.TIME_STAMPING,
        )

    def _certificate(
        self,
        name: str,
        key: Any,
        until: datetime,
        *,
        ca: bool = False,
        usage: Any = None,
        begins: datetime | None = None,
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        made = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("Test Root"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or self.now - 30 * DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca, content_commitment=not ca and usage is None, key_cert_sign=ca,
                    crl_sign=ca, key_encipherment=False, data_encipherment=False, key_agreement=False,
                    encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )  # fmt: skip
        if usage is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        if self.address and not ca:
            where = x509.DistributionPoint(
                [x509.UniformResourceIdentifier(f"{self.address}/list.crl")], None, None, None
            )
            made = made.add_extension(x509.CRLDistributionPoints([where]), critical=False)
        return made.sign(self.key, hashes.SHA256())

    def pkcs12(
        self, path: Path, password: str = "a password", *, name: str = "Test Organisation", kind: str = "ec",
        until: datetime | None = None, begins: datetime | None = None,
    ) -> Path:  # fmt: skip
        """A file with a new key and its certificate."""
        key: Any = (
            ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
        )
        own = self._certificate(name, key.public_key(), until or self.now + 365 * DAY, begins=begins)
        secret = BestAvailableEncryption(password.encode())
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"papers", key, own, [self.root], secret))
        return path

    def pem(self, path: Path) -> Path:
        """The same as PEM, without a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = self._certificate("Test Organisation", key.public_key(), self.now + 365 * DAY)
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + own.public_bytes(Encoding.PEM)
        )
        return path

    def chain(self, path: Path) -> Path:
        """A file with the root."""
        path.write_bytes(self.root.public_bytes(Encoding.PEM))
        return path

    def stamped(self, request: bytes) -> bytes:
        """The time-stamp service's answer."""
        der = self._time_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        service = DummyTimeStamper(
            asn1.Certificate.load(self._time.public_bytes(Encoding.DER)),
            keys.PrivateKeyInfo.load(der),
            [asn1.Certificate.load(self.root.public_bytes(Encoding.DER))],  # type: ignore[arg-type]  # it makes a list of it
            fixed_dt=self.now,
        )
        answer: bytes = service.request_tsa_response(tsp.TimeStampReq.load(request)).dump()
        return answer

    def revocations(self) -> bytes:
        """The list of what was revoked."""
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(self.now - DAY)
            .next_update(self.now + 30 * DAY)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        for serial in self.revoked:
            one = (
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.now - DAY).build()
            )
            made = made.add_revoked_certificate(one)
        return made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


@contextlib.contextmanager
def authority(now: datetime | None = None) -> Iterator[Authority]:
    """An authority whose service runs for the length of a `with` block."""
    made: Authority

    class Service(BaseHTTPRequestHandler):
        def _answer(self, kind: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            made.asked.append(self.path)
            self._answer("application/pkix-crl", made.revocations())

        def do_POST(self) -> None:
            made.asked.append(self.path)
            request = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer("application/timestamp-reply", made.stamped(request))

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        made = Authority(now or datetime.now(UTC).replace(microsecond=0), address)
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
