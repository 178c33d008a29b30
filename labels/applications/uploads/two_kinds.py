"""Files that are of two kinds at once: one program shows a picture or a PDF, another unpacks or runs what is beside it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from labels.applications.uploads.limits import Complaint, MediaType
from labels.words.sentences import say

_BEGINS_WITHIN = 1024
"""Bytes: readers of PDF and browsers look for their beginning so far into a file."""
_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|script|iframe|svg|\?php)\b", re.IGNORECASE)
_ARCHIVES = frozenset({MediaType.ODT, MediaType.DOCX})
_SAVE_AS_NEW = say("Open it, and save or print it as a new file.")


def check(content: bytes, media_type: MediaType) -> Iterator[Complaint]:
    """What else the file is beside its kind; archives are looked into by their own check."""
    beginning = content[:_BEGINS_WITHIN]
    if media_type is not MediaType.PDF and b"%PDF-" in beginning:
        yield say("It is a file of two kinds at once (a PDF)."), _SAVE_AS_NEW
    if _MARKUP.search(beginning):
        yield say("It is a file of two kinds at once (a web page)."), _SAVE_AS_NEW
    if media_type not in _ARCHIVES and _is_archive(content):
        yield say("It is a file of two kinds at once (an archive)."), _SAVE_AS_NEW
    if media_type in _ARCHIVES and not content.startswith(b"PK"):
        yield say("It is a file of two kinds at once (an archive behind something else)."), _SAVE_AS_NEW


def _is_archive(content: bytes) -> bool:
    """Whether a program that unpacks ZIP files finds entries in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return bool(archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError):
        return False
