"""What is seen of an address from outside: whether it is reached, its TLS, what answers there, and its names."""

from __future__ import annotations

import contextlib
import http.client
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import dns.exception
import dns.resolver

WITHIN = 5.0
"""Seconds for each connection and each answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from an HTTP address; redirects are not followed."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    """Names in small letters."""
    certified_until: datetime | None = None
    """When the certificate ends, where it is TLS."""

    @property
    def at(self) -> datetime | None:
        """What the clock there says, to a second."""
        with contextlib.suppress(TypeError, ValueError):
            return parsedate_to_datetime(self.headers.get("date", "")).astimezone(UTC)
        return None


def ask(url: str, *, method: str = "GET", body: bytes | None = None, within: float = WITHIN) -> Answer:
    """One request, without cookies, redirects and proxies.

    Raises:
        OSError: nobody answers there, or the certificate is none for that name (`ssl.SSLError`).
        http.client.HTTPException: what answers does not speak HTTP.
    """
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    line: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, parts.port, timeout=within, context=ssl.create_default_context())
        if secure
        else http.client.HTTPConnection(host, parts.port, timeout=within)
    )
    with contextlib.closing(line):
        line.connect()
        until = _end_of_certificate(line.sock) if secure else None
        headers = {"Content-Type": "application/json"} if body is not None else {}
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        line.request(method, target, body=body, headers=headers)
        answer = line.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, answer.read(100_000), named, until)


def _end_of_certificate(line: socket.socket) -> datetime | None:
    found = line.getpeercert() if isinstance(line, ssl.SSLSocket) else None
    ends = found.get("notAfter") if found else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None


def log_in_to_mail_server(url: str, within: float = WITHIN) -> None:
    """Connects to a mail server as `LABELS_SMTP_URL` says, and sends nothing.

    Raises:
        OSError: it does not answer, its certificate is none, or it refuses (`smtplib.SMTPException`).
    """
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=within, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=within)
    )
    with server:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.noop()


class Names:
    """The names of the Internet, as other mail servers ask for them."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        """`resolver`: who is asked, where it is not who this machine asks."""
        self._resolver = resolver

    def texts(self, name: str) -> list[str]:
        """The TXT entries of a name; none where there is no such name.

        Raises:
            OSError: nobody answers.
        """
        with _told():
            return [b"".join(one.strings).decode("utf-8", "replace") for one in self._ask(name, "TXT")]

    def takes_mail(self, name: str) -> bool:
        """Whether mail to a name would be taken by anybody: it has an MX or an address.

        Raises:
            OSError: nobody answers.
        """
        with _told():
            return any(self._ask(name, kind) for kind in ("MX", "A", "AAAA"))

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            resolver = self._resolver or dns.resolver.get_default_resolver()
            return list(resolver.resolve(name, kind, lifetime=WITHIN))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except dns.exception.DNSException as error:
        raise OSError(f"the names could not be asked for: {str(error).splitlines()[0]}") from error
