"""Where mail goes: over SMTP, or into a folder of `.eml` files that one can open."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import smtplib
import ssl
import tempfile
from datetime import UTC
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

from labels.errors import LabelsError, OutOfReach
from labels.settings import Settings

TIMEOUT_S = 15
"""Seconds to wait for each reply of the mail server."""

KEPT = "Mail stays in the outbox and is sent later."

_TOO_LARGE = {523, 552}


class NotDelivered(LabelsError):
    """This one message was not taken; others may well be."""

    exit_code = 5

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        """The server refuses it for good (5xx), not just for now."""
        super().__init__(why)


class Transport(Protocol):
    """Hands messages over, one at a time. Used as a context, it closes what it opened."""

    def send(self, message: EmailMessage) -> None:
        """Returns once the message is taken.

        Raises:
            NotDelivered: this message was refused, or the connection broke while it was sent.
            OutOfReach: no message can be sent at present.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FolderTransport:
    """Writes each message to a file of its own; the same Message-ID is the same file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """Writes the file whole or not at all; only its owner can read it, since it may hold a code.

        Raises:
            OutOfReach: the folder can't be written.
        """
        content = BytesIO()
        BytesGenerator(content, policy=message.policy.clone(linesep="\r\n")).flatten(message)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=self.folder, prefix=".draft-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content.getvalue())
                    file.flush()
                    os.fsync(file.fileno())
                Path(draft).replace(self.folder / file_name(message))
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            _make_durable(self.folder)
        except OSError as error:
            raise OutOfReach("The mail folder", f"{self.folder}: {error.strerror}.", KEPT) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def file_name(message: EmailMessage) -> str:
    """`20260316-101500 awarded NQL-… 1a2b3c4d5e6f.eml`: when it was queued, what it is, which it is."""
    queued = message["Date"].datetime.astimezone(UTC)
    about = re.sub(r"[^A-Za-z0-9._-]+", " ", str(message["Keywords"])).strip()[:80]
    return f"{queued:%Y%m%d-%H%M%S} {about} {digest_in_name(str(message['Message-ID']).strip())}.eml"


def digest_in_name(message_id: str) -> str:
    """By which a message's file is found, whatever else is in its name."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:12]


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class SmtpTransport:
    """Sends over one connection, opened at the first message and opened again where it broke.

    A message is sent at least once: where a connection breaks after the content and before the
    server's reply, it goes out again under the same Message-ID, by which mailboxes know it.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_S, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or "localhost"
        self._port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout = timeout
        self._context = context or ssl.create_default_context()
        self._connection: smtplib.SMTP | None = None
        self._broken_in_a_row = 0

    def send(self, message: EmailMessage) -> None:
        """Hands the message to the server.

        Raises:
            NotDelivered: this message was refused, or the connection broke while it was sent.
            OutOfReach: no connection, or no sending with these settings; or it broke twice in a row.
        """
        sender, *_ = message["From"].addresses
        recipients = [address.addr_spec for address in message["To"].addresses]
        connection = self._connected()
        try:
            refused = connection.send_message(message, sender.addr_spec, recipients)
        except smtplib.SMTPRecipientsRefused as error:
            self._broken_in_a_row = 0
            raise _refusal(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code in _TOO_LARGE:
                raise _refusal(error.smtp_code, error.smtp_error) from error
            self.close()
            raise self._unreachable(_reply(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotDelivered(f"The mail server can't take this address: {error}", permanent=True) from error
        except smtplib.SMTPResponseException as error:
            self._broken_in_a_row = 0
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            self._broken_in_a_row += 1
            if self._broken_in_a_row > 1:
                raise self._unreachable(f"the connection broke twice: {error}.") from error
            raise NotDelivered(f"The connection to {self._host} broke while sending: {error}.") from error
        self._broken_in_a_row = 0
        if refused:
            raise _refusal(*next(iter(refused.values())))

    def close(self) -> None:
        """Ends the connection; the next message opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if self._connection.noop()[0] == 250:
                    return self._connection
            self.close()  # servers hang up on those who were silent for long
        connection: smtplib.SMTP | None = None
        try:
            if self._scheme == "smtps":
                connection = smtplib.SMTP_SSL(
                    self._host, self._port, timeout=self._timeout, context=self._context
                )
            else:
                connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
            if self._scheme == "smtp+starttls":
                connection.starttls(context=self._context)
            if self._user:
                connection.login(self._user, self._password)
        except smtplib.SMTPResponseException as error:
            _drop(connection)
            raise self._unreachable(_reply(error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            _drop(connection)
            raise self._unreachable(f"{error}.") from error
        self._connection = connection
        return connection

    def _unreachable(self, detail: str) -> OutOfReach:
        return OutOfReach(f"The mail server {self._host}:{self._port}", detail, KEPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_transport(settings: Settings) -> FolderTransport | SmtpTransport:
    """The transport of these settings: SMTP where a server is configured, else the folder."""
    return SmtpTransport(settings.smtp_url) if settings.smtp_url else FolderTransport(settings.mail_folder)


def _drop(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()


def _refusal(code: int, reply: bytes | str) -> NotDelivered:
    return NotDelivered(f"The mail server refused it: {_reply(code, reply)}", permanent=code >= 500)


def _reply(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {text}"
