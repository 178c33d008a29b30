"""The journal's chain in use: sealing it, keeping its heads outside the record, verifying and exporting it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.files import place
from adapters.workspace import Workspace
from labels.clock import in_words
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.files import numbered_lines, opened
from labels.record import chain_export, sealing
from labels.record.chain import SHORTEST, Finding, Head, head_in_words
from labels.record.sealing import Sealed

STAMPED_EVERY = timedelta(hours=1)
"""A time-stamp service is asked at most so often: a head stands for all before it."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """What verifying the journal came to."""

    entries: int
    sealed: int
    head: str
    """How many entries are sealed, and where the chain stands after them; as it is given out."""
    sealed_at: str
    stamped: str | None
    """The last head that has a time stamp, and when."""
    findings: list[Finding]
    """Everything that is not as it was written, the first first."""
    put_back: list[str]
    """Where the clock had been put back when an entry was written."""


@dataclass(frozen=True, slots=True)
class SealedJournal:
    """What sealing came to."""

    sealed: Sealed
    left_out: OutOfReach | None = None
    """The head has no time stamp, since the service is away; it is asked again."""


def seal_journal(here: Workspace) -> SealedJournal:
    """Seals what is in the journal, notes the head outside the record, and has it time-stamped where a service is
    configured; safe to call twice at once.

    Raises:
        OutOfReach: the database does not answer.
        OSError: the head can't be noted; the entries are sealed.
    """
    sealed = sealing.seal(here.record, now=here.now())
    if sealed.position:
        _note_head(here.settings.heads_file, str(sealed), in_words(here.now()))
    try:
        _have_stamped(here)
    except OutOfReach as error:
        return SealedJournal(sealed, error)
    return SealedJournal(sealed)


def _have_stamped(here: Workspace) -> None:
    """Has the last head time-stamped, unless another was within the hour."""
    if not here.settings.timestamp_url:
        return
    with here.record.reading() as session:
        last = sealing.to_be_stamped(session, here.now() - STAMPED_EVERY)
    if last is None:
        return
    from adapters.timestamps import stamp

    token = stamp(here.settings.timestamp_url, bytes.fromhex(last.head))
    with here.record.writing() as session:
        sealing.add_stamp(session, last.number, token)


def _note_head(path: Path, head: str, at: str) -> None:
    """Adds a head to the file of heads, where it is not the last in it already."""
    if path.exists() and _last_line(path).startswith(head):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{head}  {at}\n")
        file.flush()
        os.fsync(descriptor)


_LONGEST_LINE = 1_000
"""Bytes of a line in the file of heads."""


def _last_line(path: Path) -> str:
    with opened(path) as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _LONGEST_LINE, 0))
        return file.read(_LONGEST_LINE).decode("utf-8", "replace").strip().rpartition("\n")[2]


def noted_heads(path: Path) -> list[Head]:
    """The heads that were noted outside the record.

    Raises:
        InvalidInput: a line of the file is no head.
        OSError: it can't be read, or is no file.
    """
    return [
        read_head(words.split("  ")[0], f"{path.name}:{number}")
        for number, line in numbered_lines(path, _LONGEST_LINE)
        if (words := line.decode("utf-8", "replace").strip())
    ]


def read_head(text: str, where: str) -> Head:
    """A head as somebody typed or noted it.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return Head.read(text)
    except ValueError as error:
        raise InvalidInput("head", [Fault(where, f"{error}")]) from None


def verify_journal(here: Workspace, heads: list[Head]) -> JournalState:
    """Holds the journal and what it tells of against its seals, and these against heads that were given out.

    Raises:
        InvalidInput: the file of heads can't be understood.
    """
    given = [*heads, *noted_heads(here.settings.heads_file)]
    with here.record.reading() as session:
        verifier, findings = chain_export.verify(session, given)
        stamped, wrong = _look_at_stamps(session, here.settings.signing_chain)
    head = sealing.Sealed(0, verifier.sealed, verifier.head)
    return JournalState(
        verifier.entries,
        verifier.sealed,
        str(head),
        verifier.sealed_at,
        stamped,
        sorted([*findings, *wrong]),
        verifier.put_back,
    )


def _look_at_stamps(session: Session, chain: Path | None) -> tuple[str | None, list[Finding]]:
    """The last head that has a time stamp, and what is wrong with any."""
    from adapters.timestamps import look

    stamped, wrong = None, []
    for seal in sealing.stamped(session):
        said = look(seal.token or b"", bytes.fromhex(seal.head), chain)
        if said.problem:
            wrong.append(Finding(seal.last, f"time stamp of batch {seal.number}", said.problem))
        else:
            stamped = f"{head_in_words(seal.last, bytes.fromhex(seal.head), SHORTEST)}, {said.at:%Y-%m-%d %H:%M} UTC"
    return stamped, wrong


def export_journal(here: Workspace, file: Path) -> int:
    """Writes everything that the chain's verifier needs into one file; how many bytes.

    Raises:
        OSError: the file can't be written.
    """
    with here.record.reading() as session:
        content = b"".join(chain_export.export(session, here.now()))
    place(file, content)
    return len(content)
