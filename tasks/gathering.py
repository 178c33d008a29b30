"""The tasks that bring certificates out of the store into a folder: as files of their own, and bound for printing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pikepdf
from prefect import task

from adapters.files import place
from adapters.prefect.progress import Progress
from adapters.prefect.retrying import RETRIED
from adapters.workspace import Workspace, workspace
from labels.papers.gathering import Kept, certificates_of

VOLUME = 100
"""Certificates in one file for printing: as many as a print shop likes to have in one, and a few megabytes."""


@task(name="gather the certificates", **RETRIED)
def gather(label: str, year: int, organisation: str | None, folder: str) -> int:
    """Puts every certificate into the folder, and all of them into volumes for printing; how many there are.

    What is there already, whole and as it is to be, stays: an interrupted command goes on where it was. Volumes of
    another time that hold others are taken away.

    Raises:
        OutOfReach: the document store does not answer.
        DamagedDocument: a file in the store is not what was put there.
        OSError: the folder can't be written to.
    """
    here = workspace()
    with here.record.reading() as session:
        wanted = certificates_of(session, label, year, organisation)
    progress = Progress(
        f"certificates-{label}-{year}", f"Certificates gathered: {label}, {year}", len(wanted)
    )
    volumes = set()
    for number, part in enumerate(_volumes(wanted), 1):
        volumes.add(_bound(here, Path(folder), f"print-{label}-{year}-{number:03}", part))
        progress.show(min(number * VOLUME, len(wanted)))
    for former in Path(folder).glob(f"print-{label}-{year}-*.pdf"):
        if former not in volumes:
            former.unlink()
    progress.end()
    return len(wanted)


def _volumes(wanted: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    for start in range(0, len(wanted), VOLUME):
        yield wanted[start : start + VOLUME]


def _bound(here: Workspace, folder: Path, name: str, part: Sequence[Kept]) -> Path:
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
        place(volume, bind(contents))
    return volume


def bind(contents: Sequence[bytes]) -> bytes:
    """The pages of certificates in one file, for printing: what they share is in it once.

    It is made to be printed alone: tags, credentials and signatures stay with the certificates' own files.
    """
    content = io.BytesIO()
    with pikepdf.new() as volume:
        kept: dict[bytes, pikepdf.Object] = {}
        for one in contents:
            with pikepdf.open(io.BytesIO(one)) as certificate:
                for page in certificate.pages:
                    for leftover in ("/Annots", "/StructParents", "/Metadata", "/Tabs"):
                        if leftover in page:
                            del page[leftover]
                    volume.pages.append(page)
            _share(volume.pages[-1].obj.get("/Resources", pikepdf.Dictionary()), kept)
        volume.remove_unreferenced_resources()
        volume.save(
            content, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
        )  # fmt: skip
    return content.getvalue()


def _share(resources: pikepdf.Object, kept: dict[bytes, pikepdf.Object]) -> None:
    """Lets a page use the drawings that an earlier page has, where they are the same."""
    drawings = resources.get("/XObject")
    if drawings is None:
        return
    for name in list(drawings.keys()):
        drawing = drawings[name]
        if "/Resources" in drawing:
            _share(drawing["/Resources"], kept)
        drawings[name] = kept.setdefault(_alike(drawing), drawing)


def _alike(drawing: pikepdf.Object) -> bytes:
    """Equal for drawings that look the same."""
    said = hashlib.sha256(drawing.read_raw_bytes())
    for key in sorted(drawing.keys()):
        if key not in ("/Length", "/Resources"):
            said.update(f"{key}={drawing[key]!r};".encode())
    if "/Resources" in drawing and "/XObject" in drawing["/Resources"]:
        inner = drawing["/Resources"]["/XObject"]
        for key in sorted(inner.keys()):
            said.update(f"{key}={inner[key].objgen};".encode())
    return said.digest()
