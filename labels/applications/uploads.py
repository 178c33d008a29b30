"""Which files an applicant may hand in: judged by what they contain, never by what they are called."""

from __future__ import annotations

import contextlib
import io
import math
import re
import stat
import struct
import threading
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from xml.parsers import expat

import filetype
import pikepdf
from PIL import Image, ImageFile
from pydantic import BaseModel, ConfigDict, PositiveInt

from labels.errors import Fault, InvalidInput
from labels.words.text import clean, cut, one_line

MIB = 2**20

Source = Path | tuple[str, bytes]
"""A file on this machine, or a name and what came with it."""


class MediaType(StrEnum):
    """The kinds of file that are accepted (CONTRACT: evidence files)."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    ODT = "application/vnd.oasis.opendocument.text"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    MP4 = "video/mp4"


class UploadLimits(BaseModel):
    """How much may be handed in with one application, and how much of it a file may unfold to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_bytes: PositiveInt = 20 * MIB
    total_bytes: PositiveInt = 100 * MIB
    files: PositiveInt = 100
    picture_pixels: PositiveInt = 64_000_000
    archive_entries: PositiveInt = 2_000
    archive_bytes: PositiveInt = 200 * MIB
    archive_ratio: PositiveInt = 200
    """How many times its size an entry above 1 MiB may unfold to."""
    pdf_objects: PositiveInt = 300_000


DEFAULT_LIMITS = UploadLimits()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was inspected and accepted, under a name that is safe to show and to save."""

    name: str
    media_type: MediaType
    sha256: str
    """Of the content, in lower-case hexadecimal."""
    size: int
    """In bytes."""
    content: bytes = field(repr=False)


def inspect(source: Source, limits: UploadLimits = DEFAULT_LIMITS) -> Upload:
    """The file, if it is one of the accepted kinds and harmless to open.

    Raises:
        InvalidInput: it is not; every reason is named.
    """
    return inspect_all([source], limits)[0]


def inspect_all(sources: Sequence[Source], limits: UploadLimits = DEFAULT_LIMITS) -> list[Upload]:
    """The files of one application, in their order, no two under the same name.

    Raises:
        InvalidInput: with every fault of every file.
    """
    faults: list[Fault] = []
    uploads: list[Upload] = []
    total = 0
    if len(sources) > limits.files:
        problem = f"There are {len(sources)}; at most {limits.files} are accepted."
        raise InvalidInput("evidence", [Fault("all files together", problem, "Leave some out.")])
    for source in sources:
        where = one_line(str(source) if isinstance(source, Path) else source[0]) or "a file without a name"
        try:
            name, size, content = _read(source, limits.file_bytes)
            total += size
            media_type, complaints = _judge(content, size, limits)
        except _Unreadable as unreadable:
            faults.append(Fault(where, *unreadable.complaint))
            continue
        faults.extend(Fault(where, *complaint) for complaint in complaints)
        if media_type and not faults and total <= limits.total_bytes:
            name = safe_name(name, media_type)
            uploads.append(Upload(name, media_type, sha256(content).hexdigest(), size, content))
    if total > limits.total_bytes:
        problem = f"They are {_mib(total)}; at most {_mib(limits.total_bytes)} are accepted."
        faults.append(Fault("all files together", problem, "Leave some out, or make them smaller."))
    if faults:
        raise InvalidInput("evidence", faults)
    return _apart(uploads)


_Complaint = tuple[str, str]
"""What is wrong, and what to do about it."""


class _Unreadable(Exception):
    """The file cannot be read at all."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.complaint: _Complaint = (problem, remedy)


def _read(source: Source, limit: int) -> tuple[str, int, bytes]:
    """Name, size and content; no content where the size is above `limit`."""
    if not isinstance(source, Path):
        name, content = source
        return name, len(content), content
    try:
        status = source.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _Unreadable("It is a folder; a file was expected.", "Name each file.")
        if not stat.S_ISREG(status.st_mode):
            raise _Unreadable("It is a device or pipe; a file was expected.", "Save it as a file first.")
        if status.st_size > limit:
            return source.name, status.st_size, b""
        with source.open("rb") as file:
            content = file.read(limit + 1)  # it may have grown since
        return source.name, len(content), content
    except (FileNotFoundError, NotADirectoryError):
        raise _Unreadable("There is no such file.", "Check the path.") from None
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise _Unreadable(f"It cannot be read: {reason}.", "Check the path and its permissions.") from None


def _judge(content: bytes, size: int, limits: UploadLimits) -> tuple[MediaType | None, list[_Complaint]]:
    """What the content is, and everything that speaks against accepting it."""
    if size == 0:
        return None, [("It is empty.", "Choose the file again.")]
    if size > limits.file_bytes:
        problem = f"It is {_mib(size)}; at most {_mib(limits.file_bytes)} are accepted."
        return None, [(problem, "Make it smaller, or give a link instead.")]
    media_type = _sniff(content, limits)
    if media_type is None:
        return None, [
            (
                "It is not a PDF, PNG, JPEG, ODT, DOCX or MP4 file, judged by its content.",
                "Save it in one of these formats; another ending of its name does not change what it is.",
            )
        ]
    return media_type, list(_CHECKS[media_type](content, limits))


def _sniff(content: bytes, limits: UploadLimits) -> MediaType | None:
    """The kind that the content announces itself as, to be proved by opening it."""
    kind = filetype.guess(content)
    if content.startswith(b"PK\x03\x04"):  # the sniffer knows office files only in the usual order of entries
        return _office_kind(content, limits)
    if content[4:8] == b"ftyp":  # nor does it know every brand of MP4
        return MediaType.MP4 if content[8:12].lower() in _MP4_BRANDS else None
    try:
        return MediaType(kind.mime) if kind else None
    except ValueError:
        return None


# PDF

PDF_MEMORY = 32 * MIB
"""What a compressed table or group of objects in a PDF may unfold to."""

pikepdf.settings.set_qpdf_limits(  # for the whole process, so it is done once, before any PDF is opened
    flate_max_memory=PDF_MEMORY,
    png_max_memory=PDF_MEMORY,
    run_length_max_memory=PDF_MEMORY,
    tiff_max_memory=PDF_MEMORY,
    max_stream_filters=4,
)

_SAVE_PDF_AGAIN = "Open it, and save or print it as a new PDF."
_ACTIVE_PDF: dict[str, str] = {
    "/JS": "It contains JavaScript.",
    "/JavaScript": "It contains JavaScript.",
    "/Launch": "It starts programs.",
    "/ImportData": "It reads other files.",
    "/SubmitForm": "It sends what is typed into it to an address.",
    "/GoToE": "It has other files inside.",
    "/EmbeddedFiles": "It has other files inside.",
    "/EmbeddedFile": "It has other files inside.",
    "/EF": "It has other files inside.",
    "/FileAttachment": "It has other files inside.",
    "/RichMedia": "It contains a player or program.",
    "/XFA": "It is a dynamic (XFA) form.",
}
_ACTIVE_PDF_NAME = re.compile(rb"/(?:%s)\b" % "|".join(name[1:] for name in _ACTIVE_PDF).encode())
_DAMAGED_PDF = re.compile(r"error decoding|limit exceeded|unfilterable|reconstruct|damaged|loop detected")


def _check_pdf(content: bytes, limits: UploadLimits) -> Iterator[_Complaint]:
    damaged = "It is damaged or incomplete and does not open as a PDF.", _SAVE_PDF_AGAIN
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                yield "It is encrypted.", "Save it without a password or restrictions."
            if int(pdf.trailer.Size) > limits.pdf_objects:
                yield f"It has more than {limits.pdf_objects} objects inside.", _SAVE_PDF_AGAIN
                return
            if not len(pdf.pages):
                yield "It has no pages.", _SAVE_PDF_AGAIN
            for problem in sorted({_ACTIVE_PDF[name] for name in _active_names(pdf)}):
                yield problem, "Print it as a new PDF, and hand in files inside it on their own."
            if any(map(_DAMAGED_PDF.search, pdf.get_warnings())):
                yield damaged
    except pikepdf.PasswordError:
        yield "It is locked with a password.", "Save it without a password or restrictions."
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        yield damaged


def _active_names(pdf: pikepdf.Pdf) -> set[str]:
    """Every name in the file that makes it do something, or carry something, beyond its pages."""
    found: set[str] = set()
    for thing in pdf.objects:
        # qpdf writes names without the escapes that hide them, so this finds every candidate, and quickly
        table = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
        if _ACTIVE_PDF_NAME.search(table.unparse(resolved=True)):
            found |= _names_within(table)
    return found & _ACTIVE_PDF.keys()


def _names_within(thing: pikepdf.Object) -> set[str]:
    """The names in an object itself, strings left out, other objects that it points to as well."""
    found: set[str] = set()
    waiting: list[object] = [thing]
    while waiting:
        item = waiting.pop()
        inside: Iterable[object] = ()
        if isinstance(item, pikepdf.Name):
            found.add(str(item))
        elif isinstance(item, pikepdf.Dictionary):
            found.update(item.keys())
            inside = (value for _, value in item.items())
        elif isinstance(item, pikepdf.Array):
            inside = item
        waiting.extend(part for part in inside if not getattr(part, "is_indirect", False))
    return found


# Pictures


def _check_picture(content: bytes, limits: UploadLimits) -> Iterator[_Complaint]:
    kind = "PNG" if content.startswith(b"\x89PNG") else "JPEG"
    most = f"at most {limits.picture_pixels / 10**6:g} million"
    try:
        with whole_pictures_only(), Image.open(io.BytesIO(content), formats=[kind]) as picture:
            width, height = picture.size
            if width * height > limits.picture_pixels:
                yield f"It is {width} × {height} pixels; {most} are accepted.", "Scale it down."
            elif kind == "PNG":
                picture.verify()
            else:
                picture.draft("L", (1, 1))  # reads all of it, unfolds an eighth
                picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        yield f"It has too many pixels; {most} are accepted.", "Scale it down."
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error):
        yield f"It is damaged or incomplete and does not open as a {kind} picture.", "Save or take it again."


_PILLOW = threading.Lock()


@contextlib.contextmanager
def whole_pictures_only() -> Iterator[None]:
    """Pillow's switch for cut-off pictures is one for the process, and WeasyPrint turns it on."""
    with _PILLOW:
        former, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = former


# Office documents

_SAVE_DOCUMENT_AGAIN = "Open it and save it again, or hand in a PDF."
_TOO_DEEP = "Make pictures in it smaller, or hand in a PDF."
_DOCX_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_XML_BYTES = 4 * MIB


def _office_kind(content: bytes, limits: UploadLimits) -> MediaType | None:
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


def _check_office(content: bytes, limits: UploadLimits) -> Iterator[_Complaint]:
    damaged = "It is damaged or incomplete and does not open.", _SAVE_DOCUMENT_AGAIN
    if content.count(b"PK\x01\x02") > limits.archive_entries:
        yield f"It has more than {limits.archive_entries} parts inside.", _TOO_DEEP
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            complaints = list(_check_archive(archive, limits))
            yield from complaints
            if not complaints:
                yield from _check_parts(archive)
    except _ARCHIVE_ERRORS:
        yield damaged


def _check_archive(archive: zipfile.ZipFile, limits: UploadLimits) -> Iterator[_Complaint]:
    """Nothing that unfolds too far, hides, or reaches out of the folder it is unpacked in."""
    parts = archive.infolist()
    if any(part.flag_bits & 0x1 for part in parts):
        yield "It is encrypted.", "Save it without a password."
    if any(map(_reaches_out, parts)):
        yield "A part of it would be written outside its folder.", _SAVE_DOCUMENT_AGAIN
    if len({part.filename.casefold() for part in parts}) < len(parts):
        yield "It has two parts of the same name.", _SAVE_DOCUMENT_AGAIN
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        yield "It is compressed in a way that office programs do not use.", _SAVE_DOCUMENT_AGAIN
    if sum(part.file_size for part in parts) > limits.archive_bytes:
        yield f"It unfolds to more than {_mib(limits.archive_bytes)}.", _TOO_DEEP
    elif any(part.file_size > max(MIB, limits.archive_ratio * part.compress_size) for part in parts):
        yield f"A part of it unfolds to more than {limits.archive_ratio} times its size.", _TOO_DEEP


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


def _check_parts(archive: zipfile.ZipFile) -> Iterator[_Complaint]:
    """Every part is whole, and none is a program."""
    for part in archive.infolist():
        with archive.open(part) as stream:
            while stream.read(MIB):  # to its end, where the checksum is compared
                pass
    names = [name.casefold() for name in archive.namelist()]
    programs = _odt_programs if "mimetype" in names else _docx_programs
    for problem in sorted(set(programs(archive, names))):
        yield problem, "Save it without them, or hand in a PDF."


def _odt_programs(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name.startswith(("basic/", "scripts/")):
            yield "It contains macros."
    manifest = _xml(archive, "META-INF/manifest.xml")
    _check_xml(archive, "content.xml")
    if any(element.tag.endswith("}encryption-data") for element in manifest.iter()):
        yield "It is encrypted."


def _docx_programs(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if "vbaproject" in name or "vbadata" in name or "/macrosheets/" in name:
            yield "It contains macros."
        if "/activex/" in name:
            yield "It contains ActiveX controls."
        if "/embeddings/" in name and name.endswith(".bin"):
            yield "It has other files inside."
    types = {element.get("ContentType", "") for element in _xml(archive, "[Content_Types].xml").iter()}
    if any("macroenabled" in kind.casefold() or "vbaproject" in kind.casefold() for kind in types):
        yield "It contains macros."
    if _DOCX_MAIN not in types:
        yield "It does not say that it is a text document."
    _check_xml(archive, "word/document.xml")
    for name in archive.namelist():
        if name.casefold().endswith(".rels") and any(map(_loads_template, _xml(archive, name).iter())):
            yield "It loads a template from another machine."


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


# MP4

_MP4_BRANDS = frozenset(
    [
        b"isom",
        *(b"iso%d" % n for n in range(2, 10)),
        b"mp41",
        b"mp42",
        b"mp71",
        b"avc1",
        b"m4v ",
        b"msnv",
        b"dash",
    ]
)


def _check_mp4(content: bytes, limits: UploadLimits) -> Iterator[_Complaint]:
    """The outermost boxes fill the file exactly, and both its index and its pictures are there."""
    try:
        boxes = [kind for kind, _, _ in _boxes(content, 0, len(content))]
        tracks = [
            inner
            for kind, start, end in _boxes(content, 0, len(content))
            if kind == b"moov"
            for inner, _, _ in _boxes(content, start, end)
            if inner == b"trak"
        ]
    except ValueError:
        boxes, tracks = [], []
    if boxes[:1] != [b"ftyp"] or not tracks or not {b"mdat", b"moof"} & set(boxes):
        yield "It is damaged or incomplete and does not play as an MP4 video.", "Export it again as MP4."


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the inside of each box between two places (ISO/IEC 14496-12, 4.2)."""
    while start < end:
        if end - start < 8:
            raise ValueError("a box is cut off")
        length, kind = struct.unpack_from(">I4s", content, start)
        head = 8
        if length == 1:
            if end - start < 16:
                raise ValueError("a box is cut off")
            (length,) = struct.unpack_from(">Q", content, start + 8)
            head = 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            raise ValueError("a box is longer than what is there")
        yield kind, start + head, start + length
        start += length


_CHECKS: dict[MediaType, Callable[[bytes, UploadLimits], Iterator[_Complaint]]] = {
    MediaType.PDF: _check_pdf,
    MediaType.PNG: _check_picture,
    MediaType.JPEG: _check_picture,
    MediaType.ODT: _check_office,
    MediaType.DOCX: _check_office,
    MediaType.MP4: _check_mp4,
}


# Names

NAME_CHARACTERS = 100
NAME_BYTES = 200
"""Below the 255 bytes that file systems take, with room for what a person's own system adds."""

_ENDINGS: dict[MediaType, tuple[str, ...]] = {
    MediaType.PDF: (".pdf",),
    MediaType.PNG: (".png",),
    MediaType.JPEG: (".jpg", ".jpeg"),
    MediaType.ODT: (".odt",),
    MediaType.DOCX: (".docx",),
    MediaType.MP4: (".mp4", ".m4v"),
}
_LOOKS_LIKE_ENDING = re.compile(r"\.(?=.*[a-z])[a-z0-9]{3,4}\Z", re.IGNORECASE)
_NOT_IN_A_NAME = re.compile(r'[<>:"|?*\\/\x00-\x1f]')
_TAKEN_BY_WINDOWS = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)(?=\.|\Z)", re.IGNORECASE)


def safe_name(name: str, media_type: MediaType) -> str:
    """`name` without its folders and whatever a screen, shell or file system would take amiss.

    It stays readable in any script, has at most 100 characters and 200 bytes, and ends as its type does.
    """
    last = re.split(r"[/\\]", clean(name).strip().rstrip("/\\"))[-1]
    plain = _NOT_IN_A_NAME.sub("_", one_line(last, 1_000)).rstrip(". ")
    ending = _LOOKS_LIKE_ENDING.search(plain)
    stem = plain[: ending.start()] if ending else plain
    known = ending.group().lower() if ending else ""
    if known not in _ENDINGS[media_type]:
        known = _ENDINGS[media_type][0]
    stem = stem.strip(". ") or "document"
    if stem.startswith("-") or _TAKEN_BY_WINDOWS.match(stem):  # an option, or a device
        stem = "_" + stem
    return _shortened(stem, known)


def _shortened(stem: str, ending: str) -> str:
    """Stem and ending within the limits; what is cut is cut between letters."""
    stem = cut(stem, NAME_CHARACTERS - len(ending))
    while len((stem + ending).encode()) > NAME_BYTES:
        stem = cut(stem, len(stem) - 1)
    return (stem.rstrip(". ") or "document") + ending


def _apart(uploads: Iterable[Upload]) -> list[Upload]:
    """The same uploads, later ones numbered where an earlier one has their name."""
    taken: set[str] = set()
    named = []
    for upload in uploads:
        name, number = upload.name, 1
        while _folded(name) in taken:
            number += 1
            stem, dot, ending = upload.name.rpartition(".")
            name = _shortened(stem, f" ({number}){dot}{ending}")
        taken.add(_folded(name))
        named.append(replace(upload, name=name))
    return named


def _folded(name: str) -> str:
    """Names that some file system takes for the same fold to the same."""
    return unicodedata.normalize("NFKC", name.casefold()).casefold()


def _mib(size: int) -> str:
    """Rounded up, so that what is above a limit reads as above it."""
    return f"{math.ceil(size * 10 / MIB) / 10:.1f}".removesuffix(".0") + " MiB"
