"""The file in which erasures are noted beside the record: what an earlier copy of it does not know of."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.workspace import Workspace
from labels.errors import Fault, InvalidInput
from labels.files import numbered_lines
from labels.privacy import register
from labels.privacy.register import NotedErasure

_LONGEST_LINE = 1_000
"""Bytes of a line."""
_MOST_DAMAGED = 1_000
"""Damaged lines; a file with more is no register, or has no end."""
_NO_REGISTER = "is no register of erasures: hardly a line tells of one."
_ASIDE = "Move it aside and put the file of another copy in its place; what the record knows is noted anew."


@dataclass(frozen=True, slots=True)
class Register:
    """What a file of the register tells."""

    noted: list[NotedErasure]
    damage: Fault | None
    """Its first line that tells of no erasure, and how many there are; None where every line does."""


def note_erasures(here: Workspace) -> None:
    """Notes all erasures of the record that are not in the file yet; twice is as once.

    Raises:
        InvalidInput: it can't be read or written.
    """
    add_to(here.settings.erasures_file, noted_by(here))


def noted_by(here: Workspace) -> list[NotedErasure]:
    """The erasures that the record knows."""
    with here.record.reading() as session:
        return register.noted(session)


def read_register(path: Path, called: str = "") -> Register:
    """What a file of the register has; nothing where there is none. What is damaged keeps no other line from being read.

    A last line without its end is one whose writing broke off, or goes on this moment: it tells of nothing yet.
    `called` is what people know the file by, in the place of its path.

    Raises:
        InvalidInput: it can't be read, is no file, or no register.
    """
    found, damaged = [], list[int]()
    with _reached(path, "read"):
        for number, line in numbered_lines(path, _LONGEST_LINE):
            words = line.decode("utf-8", "replace").strip()
            if not words:
                continue
            try:
                found.append(register.read(words))
            except ValueError:
                if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                    break
                damaged.append(number)
                if len(damaged) > _MOST_DAMAGED:
                    raise InvalidInput(
                        "erasures", [Fault(called or str(path), _NO_REGISTER, _ASIDE)]
                    ) from None
    return Register(found, _damage(called or str(path), damaged))


def _damage(file: str, lines: Sequence[int]) -> Fault | None:
    if not lines:
        return None
    more = f" ({len(lines)} such lines)" if len(lines) > 1 else ""
    problem = f"tells of no erasure{more}; expected erasure/…, PER-…, an installation and an instant."
    return Fault(
        f"{file}:{lines[0]}",
        problem,
        "Write the line as another copy or your own backup of the file has it, or take it out where none does; the other lines count.",
    )


def add_to(path: Path, told: Iterable[NotedErasure]) -> None:
    """Adds to a file of the register what it has not, in the place of a last line whose writing broke off.

    One process at a time writes to it.

    Raises:
        InvalidInput: it can't be read or written.
    """
    told = list(told)
    if not _lacking(path, told):
        return
    with _reached(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            fresh = _lacking(path, told)  # another process may have added it meanwhile
            _end_last_line(file)
            file.write("".join(f"{one}\n" for one in fresh).encode())
            file.flush()
            os.fsync(descriptor)


@contextlib.contextmanager
def _reached(path: Path, done: str) -> Iterator[None]:
    """Says of a file that can't be reached what to do about it."""
    try:
        yield
    except OSError as error:
        problem = f"can’t be {done}: {error.strerror}."
        remedy = "Let the user who runs this read and write it; or move it aside, and put it back before anybody restores."
        raise InvalidInput("erasures", [Fault(str(path), problem, remedy)]) from error


def _lacking(path: Path, told: Iterable[NotedErasure]) -> list[NotedErasure]:
    known = {(one.erasure, one.person) for one in read_register(path).noted}
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
        if len(last) < _LONGEST_LINE:
            file.truncate(length - len(last))
            return
    file.write(b"\n")
