"""The names under which files are stored: safe on every screen, shell and file system."""

from __future__ import annotations

import re
import unicodedata

from labels.applications.uploads.limits import MediaType
from labels.words.text import clean, cut, one_line

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
    return shortened(stem, known)


def shortened(stem: str, ending: str) -> str:
    """Stem and ending within the limits; what is cut is cut between letters."""
    stem = cut(stem, NAME_CHARACTERS - len(ending))
    while len((stem + ending).encode()) > NAME_BYTES:
        stem = cut(stem, len(stem) - 1)
    return (stem.rstrip(". ") or "document") + ending


def folded(name: str) -> str:
    """Names that some file system takes for the same fold to the same."""
    return unicodedata.normalize("NFKC", name.casefold()).casefold()
