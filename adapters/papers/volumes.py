"""Many certificates bound into one file for printing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import pikepdf


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
