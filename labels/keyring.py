"""The secret key of an installation and those before it, by which what was given out is still known for a while."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from labels.errors import Fault, InvalidInput

KEY = "secret.key"
"""The file with the key in force, in the home."""
FORMER = "secret.former"
"""The file with those before it, in the home."""


@dataclass(frozen=True, slots=True)
class FormerKey:
    """A secret key that was replaced."""

    key: bytes = field(repr=False)
    replaced_at: datetime
    until: datetime
    """When links, forms and unsent codes that were made with it end; not the certificates of pupils, which have no end."""
    leaked: bool = False
    """Whether somebody else has it: what was made with it ended at once."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The secret key in force, and the former ones."""

    key: bytes = field(repr=False)
    former: tuple[FormerKey, ...] = ()

    def good(self, now: datetime) -> tuple[bytes, ...]:
        """The keys by which links, forms and codes are known at an instant, the one in force first."""
        return (self.key, *(one.key for one in self.former if now < one.until))

    def of(self, instant: datetime) -> bytes:
        """The key that was in force at an instant, which stays the same whatever replaces it; after a leak, the one after that."""
        return next(
            (one.key for one in self.former if instant < one.replaced_at and not one.leaked), self.key
        )

    @property
    def every(self) -> tuple[bytes, ...]:
        """All keys that there were, the one in force first: certificates are known by each of them."""
        return (self.key, *(one.key for one in self.former))


def key_mark(key: bytes) -> str:
    """What is the same for the same secret key only, and tells nothing of it: sixteen hexadecimal digits."""
    return hmac.digest(key, b"which key a copy was made with", hashlib.sha256).hex()[:16]


def keyring_of(key: bytes, file: Path) -> Keyring:
    """The key in force, with the former ones that a file names; one that is in force again is no former one.

    Raises:
        InvalidInput: the file can't be read.
    """
    return Keyring(key, tuple(one for one in former_keys(file) if one.key != key))


def former_keys(file: Path) -> tuple[FormerKey, ...]:
    """The former keys that a file names, in the order in which they were replaced; none where there is no file.

    Raises:
        InvalidInput: the file can't be read.
    """
    try:
        return _read(file, _as_it_is(file))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InvalidInput("keys", [Fault(str(file), f"can't be read: {error.strerror}.")]) from None


def read_key(file: Path) -> bytes:
    """The key in force, of a file; every transaction asks, so it is read again once the file is another.

    Raises:
        OSError: the file can't be read, or is not there.
    """
    return _read_bytes(file, _as_it_is(file))


def _as_it_is(file: Path) -> tuple[int, ...]:
    """What is another for another file of that name, and once it is written anew."""
    found = file.stat()
    return (found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)  # the last alone: a later file may get the place on the disk of the one before the last
def _read_bytes(file: Path, _as_it_was: tuple[int, ...]) -> bytes:
    return file.read_bytes()


@lru_cache(maxsize=8)
def _read(file: Path, _as_it_was: tuple[int, ...]) -> tuple[FormerKey, ...]:
    try:
        return tuple(
            FormerKey(
                key=str(one["key"]).encode(),
                replaced_at=datetime.fromisoformat(one["replaced_at"]),
                until=datetime.fromisoformat(one["until"]),
                leaked=bool(one["leaked"]),
            )
            for one in json.loads(file.read_text("utf-8"))
        )
    except (ValueError, TypeError, KeyError) as error:
        # Not its words: they may quote a key.
        problem = f"is no list of former keys ({type(error).__name__}). Take it from where the keys are kept."
        raise InvalidInput("keys", [Fault(str(file), problem)]) from None


def written(former: Sequence[FormerKey]) -> bytes:
    """Former keys as their file has them."""
    rows: list[dict[str, Any]] = [
        {
            "key": one.key.decode(),
            "replaced_at": one.replaced_at.isoformat(),
            "until": one.until.isoformat(),
            "leaked": one.leaked,
        }
        for one in former
    ]
    return json.dumps(rows, indent=1).encode() + b"\n"
