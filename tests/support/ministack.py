"""An S3 server for the tests: MiniStack, in an environment of its own, on loopback, with signatures checked."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import ssl
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.services import free_port
from tests.support.patience import PATIENCE
from tests.support.processes import ends_with_us

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "ministack.txt"
HOME = ROOT / ".venv-ministack"


class MiniStackMissing(Exception):
    """It is not there and cannot be installed; says why."""


@dataclass(frozen=True)
class Server:
    """Where it listens, and who may use it."""

    url: str
    certificate: Path | None
    key_id: str
    secret: str

    def administrator(self) -> S3Client:
        """A client that bypasses the store, to look behind it."""
        client: S3Client = self.client("s3")
        return client

    def client(self, service: str) -> Any:
        """A client of another service of the same server."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # chosen by name
            endpoint_url=self.url,
            verify=str(self.certificate) if self.certificate else None,
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
        )


def installed() -> Path:
    """The interpreter that has MiniStack, installed from its lock on first use.

    Raises:
        MiniStackMissing: it cannot be installed, for want of a network for example.
    """
    environment, stamp = HOME / "environment", HOME / "installed"
    wanted = sha256(LOCK.read_bytes()).hexdigest()
    python = environment / "bin" / "python"
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        if stamp.is_file() and stamp.read_text() == wanted:
            return python
        try:
            venv.create(environment, with_pip=True, clear=True)
            install: list[str | Path] = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--requirement",
                LOCK,
            ]
            subprocess.run(install, check=True, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.CalledProcessError as error:
            raise MiniStackMissing(f"MiniStack cannot be installed: {error.stderr.strip()[-300:]}") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MiniStackMissing(f"MiniStack cannot be installed: {error}") from None
        stamp.write_text(wanted)
    return python


@contextmanager
def running(folder: Path, *, tls: bool) -> Iterator[Server]:
    """A server with one user, until the end of the block."""
    python = installed()
    port = free_port()
    command: list[str | Path] = [
        python,
        "-m",
        "hypercorn",
        "ministack.app:app",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    certificate = None
    if tls:
        certificate, private = _self_signed(folder)
        command += ["--certfile", certificate, "--keyfile", private]
    environment = {
        "PATH": os.defpath,
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "SERVICES": "s3,iam,sts",
        "S3_DATA_DIR": str(folder / "objects"),
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
        "HOME": str(folder),
    }
    with (folder / "ministack.log").open("wb") as log:
        server = subprocess.Popen(
            [*ends_with_us(), *command], cwd=folder, env=environment, stdout=log, stderr=log
        )
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        _wait_for(server, f"{url}/_ministack/health", certificate, folder / "ministack.log")
        yield _with_user(Server(url, certificate, "test", "test"))
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(server: subprocess.Popen[bytes], url: str, certificate: Path | None, log: Path) -> None:
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            urlopen(url, timeout=10, context=context).close()
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"MiniStack did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _with_user(root: Server) -> Server:
    """The same server for a user of its own: the root user's secret is not checked."""
    iam = root.client("iam")
    iam.create_user(UserName="labels")
    leave = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="labels", PolicyName="documents", PolicyDocument=leave)
    made = iam.create_access_key(UserName="labels")["AccessKey"]
    return Server(root.url, root.certificate, made["AccessKeyId"], made["SecretAccessKey"])


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback, and its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "private.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private
