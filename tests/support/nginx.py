"""nginx before the desk and the gate, with TLS and a host name for each, set up by the file in `deploy/nginx`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from labels.settings import PROJECT
from tests.support.patience import PATIENCE
from tests.support.processes import ends_with_us

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
"""None where it is not installed."""


DEPLOYED = PROJECT / "deploy" / "nginx" / "labels.conf"


def which_asks() -> str:
    """What `docs/gate.md` shows in the place of the gate's `location /`, by which nginx asks the gate."""
    text = (PROJECT / "docs" / "gate.md").read_text("utf-8")
    return text.partition("```nginx\n")[2].partition("```")[0]


def on_loopback(port: int, plain: int, certified: tuple[Path, Path]) -> dict[str, str]:
    """What of the file in `deploy/nginx` is another's on a machine of tests: ports of loopback, and the certificate."""
    return {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "    listen [::]:443 ssl http2;\n": "",
        "    listen [::]:80;\n": "",
        "/etc/letsencrypt/live/labels.example.eu/fullchain.pem": str(certified[0]),
        "/etc/letsencrypt/live/labels.example.eu/privkey.pem": str(certified[1]),
    }


def certificate(folder: Path, *names: str, days: float = 7) -> tuple[Path, Path]:
    """A certificate for these names that signs itself and is good for so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .sign(key, SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@contextlib.contextmanager
def nginx(folder: Path, servers: str, replaced: Mapping[str, str]) -> Iterator[None]:
    """Serves by these settings, with addresses and files of the test's own, for the length of a `with` block."""
    for old, new in replaced.items():
        assert old in servers, f"the settings do not say {old} any more"
        servers = servers.replace(old, new)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Started by root, its workers would be another user's, who may not read what a test made.
    whose = "user root; " if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(
        f"{whose}daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}\n{servers}\n}}\n"
    )
    assert NGINX
    process = subprocess.Popen(
        [*ends_with_us(), NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(file)]
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (folder / "nginx.pid").exists() or not (folder / "nginx.pid").read_text().strip():
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
