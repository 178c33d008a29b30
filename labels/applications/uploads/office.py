"""ODT and DOCX: that the archive is whole and unfolds within limits, and that no program is in it."""

from __future__ import annotations

import io
import re
import stat
import struct
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from labels.applications.uploads.limits import MIB, Complaint, MediaType, UploadLimits, mib
from labels.words.sentences import Sentence, say

_SAVE_DOCUMENT_AGAIN = say("Open it and save it again, or hand in a PDF.")
_TOO_DEEP = say("Make pictures in it smaller, or hand in a PDF.")
_DOCX_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_XML_BYTES = 4 * MIB


def kind_of(content: bytes, limits: UploadLimits) -> MediaType | None:
    """ODT or DOCX by what the archive says of itself."""
    if content.count(b"PK\x01\x02") > limits.archive_entries:
        return MediaType.DOCX if b"word/" in content else MediaType.ODT  # refused before its index is read
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if "[Content_Types].xml" in names and "word/document.xml" in names:
                return MediaType.DOCX
            if "mimetype" in names and _small(archive, "mimetype").strip() == MediaType.ODT.encode():
                return MediaType.ODT
    except _ARCHIVE_ERRORS:
        if b"mimetype" + MediaType.ODT.encode() in content[:200]:
            return MediaType.ODT
        if b"[Content_Types].xml" in content and b"word/" in content:
            return MediaType.DOCX
    return None


def check(content: bytes, limits: UploadLimits) -> Iterator[Complaint]:
    damaged = say("It is damaged or incomplete and does not open."), _SAVE_DOCUMENT_AGAIN
    if content.count(b"PK\x01\x02") > limits.archive_entries:
        yield say("It has more than {most} parts inside.", most=limits.archive_entries), _TOO_DEEP
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            complaints = list(_check_archive(archive, limits))
            yield from complaints
            if not complaints:
                yield from _check_parts(archive)
    except _ARCHIVE_ERRORS:
        yield damaged


def _check_archive(archive: zipfile.ZipFile, limits: UploadLimits) -> Iterator[Complaint]:
    """Nothing that unfolds too far, hides, or reaches out of the folder it is unpacked in."""
    parts = archive.infolist()
    if any(part.flag_bits & 0x1 for part in parts):
        yield say("It is encrypted."), say("Save it without a password.")
    if any(map(_reaches_out, parts)):
        yield say("A part of it would be written outside its folder."), _SAVE_DOCUMENT_AGAIN
    if len({part.filename.casefold() for part in parts}) < len(parts):
        yield say("It has two parts of the same name."), _SAVE_DOCUMENT_AGAIN
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        yield say("It is compressed in a way that office programs do not use."), _SAVE_DOCUMENT_AGAIN
    if sum(part.file_size for part in parts) > limits.archive_bytes:
        yield say("It unfolds to more than {most}.", most=mib(limits.archive_bytes)), _TOO_DEEP
    elif any(part.file_size > max(MIB, limits.archive_ratio * part.compress_size) for part in parts):
        yield (
            say("A part of it unfolds to more than {times} times its size.", times=limits.archive_ratio),
            _TOO_DEEP,
        )


def _reaches_out(part: zipfile.ZipInfo) -> bool:
    name = part.orig_filename
    return (
        name.startswith("/")
        or "\\" in name
        or "\0" in name
        or ":" in name
        or ".." in name.split("/")
        or stat.S_ISLNK(part.external_attr >> 16)
    )


def _check_parts(archive: zipfile.ZipFile) -> Iterator[Complaint]:
    """Every part is whole, and none is a program."""
    for part in archive.infolist():
        with archive.open(part) as stream:
            while stream.read(MIB):  # to its end, where the checksum is compared
                pass
    names = [name.casefold() for name in archive.namelist()]
    programs = _odt_programs if "mimetype" in names else _docx_programs
    for problem in sorted(set(programs(archive, names))):
        yield problem, say("Save it without them, or hand in a PDF.")


def _odt_programs(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[Sentence]:
    for name in names:
        if name.startswith(("basic/", "scripts/")):
            yield say("It contains macros.")
    manifest = _xml(archive, "META-INF/manifest.xml")
    _check_xml(archive, "content.xml")
    if any(element.tag.endswith("}encryption-data") for element in manifest.iter()):
        yield say("It is encrypted.")


def _docx_programs(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[Sentence]:
    for name in names:
        if "vbaproject" in name or "vbadata" in name or "/macrosheets/" in name:
            yield say("It contains macros.")
        if "/activex/" in name:
            yield say("It contains ActiveX controls.")
        if "/embeddings/" in name and name.endswith(".bin"):
            yield say("It has other files inside.")
    types = {element.get("ContentType", "") for element in _xml(archive, "[Content_Types].xml").iter()}
    if any("macroenabled" in kind.casefold() or "vbaproject" in kind.casefold() for kind in types):
        yield say("It contains macros.")
    if _DOCX_MAIN not in types:
        yield say("It does not say that it is a text document.")
    _check_xml(archive, "word/document.xml")
    for name in archive.namelist():
        if name.casefold().endswith(".rels") and any(map(_loads_template, _xml(archive, name).iter())):
            yield say("It loads a template from another machine.")


def _loads_template(relation: ET.Element) -> bool:
    """Word opens such a template, with its macros, as soon as the document is opened."""
    target = relation.get("Target", "").replace("\\", "/").casefold()
    remote = target.startswith("//") or re.match(
        r"(?!file:)[a-z][a-z0-9+.-]+:|file:/{2}(?!/)|file:/{4,}", target
    )
    return relation.get("Type", "").endswith(("/attachedTemplate", "/oleObject", "/frame")) and bool(remote)


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        content = part.read(_XML_BYTES + 1)
    if len(content) > _XML_BYTES:
        raise ValueError(f"{name} is too large")
    return content


def _xml(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """A small part as XML."""
    _check_xml(archive, name)
    return ET.fromstring(_small(archive, name))


def _check_xml(archive: zipfile.ZipFile, name: str) -> None:
    """The part is well-formed, and declares no entities: they are made to unfold or to reach elsewhere."""

    def refuse(*_: object) -> None:
        raise ValueError(f"{name} declares entities")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    with archive.open(name) as part:
        parser.ParseFile(part)


_ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, ET.ParseError, expat.ExpatError),
    *(KeyError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, RecursionError),
)
"""What Python's zip and XML readers raise on files that are not what they say."""
