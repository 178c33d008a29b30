"""Certificates bound into one file for printing: every page with its tags, the artwork that they share only once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Sequence

import pikepdf

_OF_ONE_FILE = ("/AF", "/AcroForm", "/DSS", "/Names", "/Outlines", "/Perms")
"""Entries of a catalog that belong to one certificate: its attachment, its signature, its heading."""
_OF_ONE_PAGE = ("/Annots", "/Metadata")
_FONTS = re.compile(rb"/Font \d+ \d+ R\b")
_REFERENCE = re.compile(rb"\b(\d+) (\d+) R\b")


def bind(contents: Sequence[bytes], title: str) -> bytes:
    """The certificates, each a file of one page or more, in one file; the same certificates give the same bytes.

    It stays PDF/A-3a and PDF/UA-1 where they are. Attached credentials and signatures are left out, and no name stands in
    what it says of itself, which is `title` and else what the first says.
    """
    with contextlib.ExitStack() as opened:
        volume, *others = (opened.enter_context(pikepdf.open(io.BytesIO(one))) for one in contents)
        _leave_out(volume)
        _say(volume, title)
        looks = _Looks(volume)
        shared = {looks.of(one): one for page in volume.pages for one in _drawings_on(page).values()}
        for other in others:
            _append(volume, other, shared)
        bound = io.BytesIO()
        volume.save(
            bound,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            fix_metadata_version=False,
        )
    return bound.getvalue()


def _leave_out(file: pikepdf.Pdf) -> None:
    """Takes out of a certificate what is its own and not its page's."""
    for entry in _OF_ONE_FILE:
        if entry in file.Root:
            del file.Root[entry]
    for page in file.pages:
        for entry in _OF_ONE_PAGE:
            if entry in page:
                del page[entry]


def _say(volume: pikepdf.Pdf, title: str) -> None:
    """Has the file say its title, and nothing of the certificate that it began with."""
    with volume.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        metadata["dc:title"] = title
        for name in ("dc:description", "pdf:Keywords"):
            if name in metadata:
                del metadata[name]
    volume.docinfo["/Title"] = title
    for name in ("/Subject", "/Keywords"):
        if name in volume.docinfo:
            del volume.docinfo[name]


def _append(volume: pikepdf.Pdf, other: pikepdf.Pdf, shared: dict[bytes, pikepdf.Object]) -> None:
    """Adds another file's pages, and what their tags say, in its language.

    Drawings that look as those in `shared` are not copied; new ones join them.
    """
    _leave_out(other)
    ours, before = volume.Root.StructTreeRoot, len(volume.pages)
    looks = _Looks(other)
    drawn = [{name: looks.of(one) for name, one in _drawings_on(page).items()} for page in other.pages]
    for page, seen in zip(other.pages, drawn, strict=True):
        for name in [name for name, look in seen.items() if look in shared]:
            del page.obj.Resources.XObject[name]
    volume.pages.extend(other.pages)  # before the tags, which refer to pages: they are known then
    theirs = volume.copy_foreign(other.Root.StructTreeRoot)
    [document] = ours.K
    for part in theirs.K[0].K:
        part.P = document
        part.Lang = other.Root.Lang
        document.K.append(part)
    numbers = list(theirs.ParentTree.Nums)
    tags = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
    for number, (page, seen) in enumerate(zip(volume.pages[before:], drawn, strict=True), before):
        ours.ParentTree.Nums.extend(pikepdf.Array([number, tags[int(page.obj.StructParents)]]))
        page.obj.StructParents = number
        for name, look in seen.items():
            if look not in shared:
                shared[look] = page.obj.Resources.XObject[name]
            page.obj.Resources.XObject[name] = shared[look]


def _drawings_on(page: pikepdf.Page) -> dict[str, pikepdf.Object]:
    return dict(page.obj.Resources.get("/XObject", pikepdf.Dictionary()).items())


class _Looks:
    """Tells what objects of a file look like, so that those of two files can be compared."""

    def __init__(self, file: pikepdf.Pdf) -> None:
        self._file = file
        self._known: dict[tuple[int, int], bytes] = {}

    def of(self, thing: pikepdf.Object) -> bytes:
        """Equal for objects that are written alike, with all that they refer to but fonts.

        Each page has the fonts for its own letters, and every drawing on it refers to them, though it has none.
        """
        number = thing.objgen
        if number not in self._known:
            self._known[number] = b""  # for what refers back to it
            stream = isinstance(thing, pikepdf.Stream)
            described = (thing.stream_dict if stream else thing).unparse(resolved=True)
            said = hashlib.sha256(_REFERENCE.sub(self._referred, _FONTS.sub(b"", described)))
            if stream:
                said.update(thing.read_raw_bytes())
            self._known[number] = said.digest()
        return self._known[number]

    def _referred(self, reference: re.Match[bytes]) -> bytes:
        return self.of(self._file.get_object(int(reference[1]), int(reference[2])))
