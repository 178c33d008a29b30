"""Reports of mail servers that a message could not be delivered (RFC 3464), read from files, a mailbox, or standard input.

A report is anybody's to write: what it says counts only for a message that the record sent to that very address, whose
identifier nobody else can tell.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TypeAlias

from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.mail.undelivered import Report
from labels.words.text import one_line

AnyMessage: TypeAlias = "Message[str, str]"

LARGEST = 10 * 1024 * 1024
"""Bytes of a report, which may quote the message whole."""
_MOST = 50
"""Recipients of one report that are read."""
_STATUS = re.compile(r"(?P<status>[245]\.\d{1,3}\.\d{1,3})")
_ID = re.compile(r"<[!-;=?-~]{3,200}>")


@dataclass(frozen=True, slots=True)
class ReadMail:
    """One mail of a mailbox: the reports in it, or none where it is something else."""

    name: str
    reports: tuple[Report, ...]


def reports_in(content: bytes) -> tuple[Report, ...]:
    """What a mail reports of recipients that were not reached, or not yet; empty where it is no such report."""
    try:
        return _reports_in(content)
    except (
        Exception
    ):  # a mail that Python's parser fails at, as by its depth, must not hold up those after it
        return ()


def _reports_in(content: bytes) -> tuple[Report, ...]:
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return ()
    about = _message_id(message)
    digest = hashlib.sha256(content).hexdigest()[:32]
    found: list[Report] = []
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for fields in _parts(part):
            if len(found) < _MOST and (one := _report(fields, about, f"{digest}/{len(found)}")):
                found.append(one)
    return tuple(found)


def _parts(message: AnyMessage) -> list[AnyMessage]:
    """What a message of several parts is made of; nothing where it is of one."""
    payload = message.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _report(fields: AnyMessage, about: str, identifier: str) -> Report | None:
    """The fields about one recipient."""
    recipient = _field(fields, "Original-Recipient") or _field(fields, "Final-Recipient")
    action = _field(fields, "Action").lower()
    status = _STATUS.search(_field(fields, "Status"))
    if not recipient or status is None or action not in ("failed", "delayed"):
        return None
    address = recipient.partition(";")[2] or recipient
    said = _field(fields, "Diagnostic-Code")
    return Report(
        id=identifier,
        address=one_line(address, 320).strip(" <>").lower(),
        status=status["status"],
        said=one_line(said.partition(";")[2] or said, 300).strip(),
        message_id=about,
    )


def _field(fields: AnyMessage, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())[:1000]


def _message_id(report: AnyMessage) -> str:
    """The Message-ID of what was not delivered, which the report quotes; empty where it does not."""
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            quoted = _parts(part)[:1]
        elif kind in ("text/rfc822-headers", "message/global-headers"):
            headers = part.get_payload(decode=True)
            quoted = [email.message_from_bytes(headers)] if isinstance(headers, bytes) else []
        else:
            continue
        for one in quoted:
            if found := _ID.search(_field(one, "Message-ID")):
                return found[0]
    return ""


def read_file(path: Path) -> ReadMail:
    """One mail in a file.

    Raises:
        InvalidInput: it can't be read, or is larger than 10 MB.
    """
    try:
        content = contents(path, LARGEST)
    except OSError as error:
        raise InvalidInput("bounces", [_unreadable(path, error)]) from None
    if len(content) > LARGEST:
        raise InvalidInput("bounces", [Fault(str(path), "is larger than 10 MB, which no report is.")])
    return ReadMail(str(path), reports_in(content))


def read_folder(path: Path) -> Iterator[ReadMail]:
    """The mails of a folder: of a Maildir the new ones, each of which counts as read once the next is asked for; of any
    other folder its files. What is larger than 10 MB is no report, and what another process took away meanwhile is its.

    Raises:
        InvalidInput: the folder can't be read, or some of its mails; that is said after all others.
    """
    new, read = path / "new", path / "cur"
    is_maildir = new.is_dir() and read.is_dir()
    faults: list[Fault] = []
    for one in _files(new if is_maildir else path):
        try:
            content = contents(one, LARGEST)
            yield ReadMail(str(one), reports_in(content) if len(content) <= LARGEST else ())
            if is_maildir:
                one.rename(read / f"{one.name.partition(':')[0]}:2,S")
        except FileNotFoundError:
            continue
        except OSError as error:
            faults.append(_unreadable(one, error))
    if faults:
        raise InvalidInput("bounces", faults)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_file() and not one.name.startswith("."))
    except OSError as error:
        raise InvalidInput("bounces", [_unreadable(folder, error)]) from None


def _unreadable(path: Path, error: OSError) -> Fault:
    return Fault(str(path), f"can't be read: {error.strerror}.")
