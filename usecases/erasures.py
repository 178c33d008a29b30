"""The file in which erasures are noted beside the record: what an earlier copy of it does not know of."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from adapters.workspace import Workspace
from labels.errors import Fault, InvalidInput
from labels.files import numbered_lines
from labels.privacy import register
from labels.privacy.register import NotedErasure

_LONGEST_LINE = 1_000
"""Bytes of a line."""


def note_erasures(here: Workspace) -> None:
    """Notes all erasures of the record that are not in the file yet; twice is as once.

    Raises:
        InvalidInput: a line of the file tells of no erasure.
        OSError: it can't be read or written.
    """
    with here.record.reading() as session:
        told = register.noted(session)
    add_to(here.settings.erasures_file, told)


def noted_in(path: Path) -> list[NotedErasure]:
    """What a file of the register has; nothing where there is none.

    A last line without its end is one whose writing broke off, or goes on this moment: it tells of nothing yet.

    Raises:
        InvalidInput: a line of it tells of no erasure.
        OSError: it can't be read, or is no file.
    """
    found = []
    for number, line in numbered_lines(path, _LONGEST_LINE):
        words = line.decode("utf-8", "replace").strip()
        if not words:
            continue
        try:
            found.append(register.read(words))
        except ValueError:
            if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                break
            problem = "tells of no erasure; expected erasure/…, PER-…, an installation and an instant."
            remedy = "Take the line out, or the file of a backup."
            raise InvalidInput("erasures", [Fault(f"{path.name}:{number}", problem, remedy)]) from None
    return found


def add_to(path: Path, told: Iterable[NotedErasure]) -> None:
    """Adds to a file of the register what it has not, in the place of a last line whose writing broke off.

    One process at a time writes to it.

    Raises:
        InvalidInput: a line of the file tells of no erasure.
        OSError: it can't be read or written.
    """
    told = list(told)
    if not _lacking(path, told):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fresh = _lacking(path, told)  # another process may have added it meanwhile
        _end_last_line(file)
        file.write("".join(f"{one}\n" for one in fresh).encode())
        file.flush()
        os.fsync(descriptor)


def _lacking(path: Path, told: Iterable[NotedErasure]) -> list[NotedErasure]:
    known = {(one.erasure, one.person) for one in noted_in(path)}
    return [one for one in told if (one.erasure, one.person) not in known]


def _end_last_line(file: BinaryIO) -> None:
    """Takes a last line away whose writing broke off; one that lacks nothing but its end gets that."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(length - _LONGEST_LINE, 0))
    last = file.read(_LONGEST_LINE).rpartition(b"\n")[2]
    if not last:
        return
    try:
        register.read(last.decode("utf-8", "replace"))
    except ValueError:
        file.truncate(length - len(last))
    else:
        file.write(b"\n")
