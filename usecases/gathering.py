"""Bringing certificates out of the store into a folder: as files of their own, and bound for printing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from adapters.files import place
from adapters.papers.volumes import bind
from adapters.prefect.progress import Progress
from adapters.workspace import Workspace
from labels.identifiers import document_key
from labels.kinds import KINDS, LabelKind
from labels.papers.gathering import Kept, certificates_of, fallen_of

VOLUME = 100
"""Certificates in one file for printing: as many as a print shop likes to have in one, and a few megabytes."""


def gather(here: Workspace, label: str, year: int, organisation: str | None, folder: Path) -> int:
    """Puts every certificate into the folder, and all of them into volumes for printing; how many there are.

    What is there already, whole and as it is to be, stays: an interrupted command goes on where it was. Certificates
    that count no more since the folder was filled are taken away, and so are volumes that hold others.

    Raises:
        OutOfReach: the document store does not answer.
        DamagedDocument: a file in the store is not what was put there.
        OSError: the folder can't be written to.
    """
    with here.record.reading() as session:
        wanted = certificates_of(session, label, year, organisation)
        fallen = fallen_of(session, label, year, organisation)
    progress = Progress(
        f"certificates-{label}-{year}", f"Certificates gathered: {label}, {year}", len(wanted)
    )
    volumes = set()
    for number, part in enumerate(_volumes(wanted), 1):
        title = f"{KINDS[LabelKind(label)].name} {year}, {number}"
        volumes.add(_bound(here, folder, f"print-{label}-{year}-{number:03}", title, part))
        progress.show(min(number * VOLUME, len(wanted)))
    for former in folder.glob(f"print-{label}-{year}-*.pdf"):
        if former not in volumes:
            former.unlink()
    _take_away(folder, fallen, {one.name for one in wanted})
    progress.end()
    return len(wanted)


def _take_away(folder: Path, fallen: Sequence[Kept], kept: Collection[str]) -> None:
    """Takes away the files of certificates that count no more; another file of such a name is not ours and stays."""
    for one in fallen:
        path = folder / one.name
        if one.name in kept or not path.is_file():
            continue
        if document_key(hashlib.sha256(path.read_bytes()).hexdigest()) == one.key:
            path.unlink()


def _volumes(wanted: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    for start in range(0, len(wanted), VOLUME):
        yield wanted[start : start + VOLUME]


def _bound(here: Workspace, folder: Path, name: str, title: str, part: Sequence[Kept]) -> Path:
    """The volume's file, made unless it is there; so are the files of its certificates."""
    digest = hashlib.sha256("\n".join(one.key for one in part).encode()).hexdigest()
    volume = folder / f"{name}-{digest[:8]}.pdf"
    there = volume.exists()
    contents = []
    for one in part:
        path = folder / one.name
        if there and path.exists():
            continue
        content = here.documents.get(one.key)
        if not (path.exists() and path.read_bytes() == content):
            place(path, content)
        contents.append(content)
    if not there:
        place(volume, bind(contents, title))
    return volume
