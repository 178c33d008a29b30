"""Evidence to look at in a page: a PDF page by page, a picture in a bearable size, drawn in a process of its own.

What applicants hand in is a stranger's file. A browser that is shown a drawing of it runs nothing of it and
asks nobody for anything; a file that ends the drawing ends one small process.
"""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from PIL import Image

from labels.errors import LabelsError

WIDTH = 1_100
"""Pixels of a drawing: a page of reading at twice the usual density."""

PAGES = 200
"""So many pages of a PDF are shown; who needs more opens the file."""

_PROGRAM = Path(__file__).with_name("drawing_pages.py")
_SECONDS = 30
_AT_ONCE = threading.BoundedSemaphore(2)

_KINDS = {"application/pdf": "pdf", "image/png": "picture", "image/jpeg": "picture"}


class NotShown(LabelsError):
    """A file that can't be drawn; it can still be opened."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """How large a page is, in points; only the proportion matters."""

    width: int
    height: int


def can_be_shown(media_type: str) -> bool:
    """Whether files of this kind are drawn."""
    return media_type in _KINDS


def pages_of(content: bytes, media_type: str) -> tuple[int, list[PageSize]]:
    """How many pages a PDF has, and the sizes of those that are shown; a picture is one page.

    Raises:
        NotShown: it can't be read.
    """
    try:
        if _KINDS[media_type] == "picture":
            return 1, [_picture_size(content)]
        with pikepdf.open(io.BytesIO(content)) as document:
            pages = document.pages
            return len(pages), [_size(page) for page in pages[:PAGES]]
    except (pikepdf.PdfError, KeyError, ValueError, RuntimeError, OSError) as error:
        raise NotShown("The pages of this file can't be read.") from error


def _picture_size(content: bytes) -> PageSize:
    with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as picture:
        turned = picture.getexif().get(_ORIENTATION, 1) >= 5
        return PageSize(picture.height, picture.width) if turned else PageSize(picture.width, picture.height)


_ORIENTATION = 0x0112


def _size(page: pikepdf.Page) -> PageSize:
    left, bottom, right, top = (float(edge) for edge in page.cropbox.as_list())
    width, height = max(round(abs(right - left)), 1), max(round(abs(top - bottom)), 1)
    turned = int(page.obj.get("/Rotate", 0)) % 180 == 90
    return PageSize(height, width) if turned else PageSize(width, height)


def drawn(content: bytes, media_type: str, page: int = 1, width: int = WIDTH) -> bytes:
    """A page of a PDF, or a picture, as WebP without anything else that the file holds.

    Raises:
        NotShown: it is no such page or file, or it takes too long or too much.
    """
    return _drawn(_KINDS[media_type], content, page, width)


PUBLISHED_WIDTH = 1_200
"""Pixels within which a picture for everybody lies, three quarters of it high."""


def drawn_for_everybody(content: bytes) -> bytes:
    """A PNG or JPEG as WebP for everybody: within one size, upright, without what else the file says of where and by whom.

    Raises:
        NotShown: it is no such picture, or it takes too long or too much.
    """
    return _drawn("published", content, 1, PUBLISHED_WIDTH)


def _drawn(kind: str, content: bytes, page: int, width: int) -> bytes:
    command = [sys.executable, "-I", str(_PROGRAM), kind, str(page), str(width)]
    with _AT_ONCE:
        try:
            done = subprocess.run(command, input=content, capture_output=True, timeout=_SECONDS, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotShown("This page can't be shown.") from error
    return done.stdout
