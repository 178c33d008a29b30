"""What every document store promises: documents under the digest of their content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote

from labels.errors import LabelsError, NotFound
from labels.identifiers import document_key

_DIGEST = re.compile(r"[0-9a-f]{64}")


class DamagedDocument(LabelsError):
    """What is stored under a key is not what was put there. It is left as it is, for a person to see to."""

    exit_code: ClassVar[int] = 5

    def __init__(self, key: str, where: str) -> None:
        self.key = key
        super().__init__(
            f"The document {key} in {where} is damaged: its content does not match its key. "
            "Restore it from a backup or an earlier version."
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as a store lists it."""

    key: str
    size: int
    put_at: datetime
    """When it was put there last, by the store's clock: once more counts, too."""


class DocumentStore(Protocol):
    """Documents by the digest of their content: written once, never overwritten, and removed only where a person's
    data is erased.

    Each operation raises `labels.errors.OutOfReach` when the store does not answer or refuses us; it may be
    done again at any time, also where it failed half-way.
    """

    def put(self, content: bytes, media_type: str) -> str:
        """Keep `content` durably, and return its key once it was read back whole; twice is as once.

        Raises:
            DamagedDocument: the store holds something else under this key.
        """

    def get(self, key: str) -> bytes:
        """The content under `key`.

        Raises:
            NotFound: there is none.
            DamagedDocument: it is not what was put there.
        """

    def exists(self, key: str) -> bool:
        """Whether there is a document under `key`; its content is not looked at."""

    def erase(self, key: str) -> bool:
        """Removes the document, with every earlier version of it that the store has; whether there was one.

        Who calls it sees to it that nobody else's record names the key. Twice is as once.

        Raises:
            NotFound: `key` is not a document's key.
        """

    def erase_older(self, key: str, before: datetime) -> bool:
        """The same, unless it was put there at `before` or later: what somebody puts again just now stays."""

    def stored(self) -> Iterator[Stored]:
        """Every document in the store, in no order; what is put or removed meanwhile may be among them or not."""


class NamedFiles(Protocol):
    """Files beside a store's documents that have names of their own: the copies of a backup.

    Each operation raises `labels.errors.OutOfReach` when the store does not answer or refuses us.
    """

    def keep(self, name: str, path: Path) -> None:
        """Keeps a file under a name (`records/…`), durably; it is never seen unfinished."""

    def fetch(self, name: str, path: Path) -> None:
        """Writes the file of that name to `path`.

        Raises:
            NotFound: there is none.
        """

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder (`records`), in their order."""

    def drop(self, name: str) -> None:
        """Removes the file of that name, with every earlier version; twice is as once."""


def key_of(content: bytes) -> str:
    """The key under which `content` is kept: `sha256/ab/abcdef…`."""
    return document_key(sha256(content).hexdigest())


def is_key(key: str) -> bool:
    """Whether `key_of` can have made it."""
    digest = key.rpartition("/")[2]
    return bool(_DIGEST.fullmatch(digest)) and key == document_key(digest)


def checked_key(key: str) -> str:
    """`key` if it is one that `key_of` can have made.

    Raises:
        NotFound: it is not, so there is no document under it.
    """
    if not is_key(key):
        raise NotFound(f"{key[:100]!r} is not the key of a document.")
    return key


def checked_content(key: str, content: bytes, where: str) -> bytes:
    """`content` if it is what belongs under `key`.

    Raises:
        DamagedDocument: it is not.
    """
    if key_of(content) != key:
        raise DamagedDocument(key, where)
    return content


def as_attachment(name: str) -> str:
    """The `Content-Disposition` with which a browser saves a file as `name` and does not show it (RFC 6266)."""
    plain = re.sub(r'[^ -~]|["\\%;]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
