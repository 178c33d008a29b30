"""PNG and JPEG: that the whole picture is there, and is not too large to open."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import zlib
from collections.abc import Iterator

from PIL import Image, ImageFile

from labels.applications.uploads.limits import Complaint, UploadLimits


def check(content: bytes, limits: UploadLimits) -> Iterator[Complaint]:
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
