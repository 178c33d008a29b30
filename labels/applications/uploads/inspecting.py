"""Inspects the files of an application one by one and together, and names everything that is wrong."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import filetype

from labels.applications.uploads import office, pdf, pictures, two_kinds, video
from labels.applications.uploads.limits import DEFAULT_LIMITS, Complaint, MediaType, UploadLimits, mib
from labels.applications.uploads.names import folded, safe_name, shortened
from labels.errors import Fault, InvalidInput
from labels.files import opened
from labels.words.sentences import Sentence, say
from labels.words.text import one_line

Source = Path | tuple[str, bytes]
"""A file on this machine, or a name and what came with it."""

_TOGETHER = say("all files together")


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


def too_many(number: int, most: int) -> Sentence:
    """Why so many are not taken."""
    return say("There are {number}; at most {most} are accepted.", number=number, most=most)


def inspect_all(sources: Sequence[Source], limits: UploadLimits = DEFAULT_LIMITS) -> list[Upload]:
    """The files of one application, in their order, no two under the same name.

    Raises:
        InvalidInput: with every fault of every file.
    """
    faults: list[Fault] = []
    uploads: list[Upload] = []
    total = 0
    if len(sources) > limits.files:
        problem = too_many(len(sources), limits.files)
        raise InvalidInput("evidence", [Fault(_TOGETHER, problem, say("Leave some out."))])
    for source in sources:
        where = one_line(str(source) if isinstance(source, Path) else source[0]) or say(
            "a file without a name"
        )
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
        problem = say(
            "They are {size}; at most {most} are accepted.", size=mib(total), most=mib(limits.total_bytes)
        )
        faults.append(Fault(_TOGETHER, problem, say("Leave some out, or make them smaller.")))
    if faults:
        raise InvalidInput("evidence", faults)
    return _apart(uploads)


class _Unreadable(Exception):
    """The file cannot be read at all."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.complaint: Complaint = (problem, remedy)


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
        with opened(source) as file:
            content = file.read(limit + 1)  # it may have grown since
        return source.name, len(content), content
    except (FileNotFoundError, NotADirectoryError):
        raise _Unreadable("There is no such file.", "Check the path.") from None
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise _Unreadable(f"It cannot be read: {reason}.", "Check the path and its permissions.") from None


def _judge(content: bytes, size: int, limits: UploadLimits) -> tuple[MediaType | None, list[Complaint]]:
    """What the content is, and everything that speaks against accepting it."""
    if size == 0:
        return None, [(say("It is empty."), say("Choose the file again."))]
    if size > limits.file_bytes:
        problem = say(
            "It is {size}; at most {most} are accepted.", size=mib(size), most=mib(limits.file_bytes)
        )
        return None, [(problem, say("Make it smaller, or give a link instead."))]
    media_type = _sniff(content, limits)
    if media_type is None:
        return None, [
            (
                say("It is not a PDF, PNG, JPEG, ODT, DOCX or MP4 file, judged by its content."),
                say(
                    "Save it in one of these formats; another ending of its name does not change what it is."
                ),
            )
        ]
    return media_type, [*_CHECKS[media_type](content, limits), *two_kinds.check(content, media_type)]


def _sniff(content: bytes, limits: UploadLimits) -> MediaType | None:
    """The kind that the content announces itself as, to be proved by opening it."""
    kind = filetype.guess(content)
    if content.startswith(b"PK\x03\x04"):  # the sniffer knows office files only in the usual order of entries
        return office.kind_of(content, limits)
    if content[4:8] == b"ftyp":  # nor does it know every brand of MP4
        return MediaType.MP4 if content[8:12].lower() in video.BRANDS else None
    try:
        return MediaType(kind.mime) if kind else None
    except ValueError:
        return None


_CHECKS: dict[MediaType, Callable[[bytes, UploadLimits], Iterator[Complaint]]] = {
    MediaType.PDF: pdf.check,
    MediaType.PNG: pictures.check,
    MediaType.JPEG: pictures.check,
    MediaType.ODT: office.check,
    MediaType.DOCX: office.check,
    MediaType.MP4: video.check,
}


def _apart(uploads: Iterable[Upload]) -> list[Upload]:
    """The same uploads, later ones numbered where an earlier one has their name."""
    taken: set[str] = set()
    named = []
    for upload in uploads:
        name, number = upload.name, 1
        while folded(name) in taken:
            number += 1
            stem, dot, ending = upload.name.rpartition(".")
            name = shortened(stem, f" ({number}){dot}{ending}")
        taken.add(folded(name))
        named.append(replace(upload, name=name))
    return named
