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
from labels.words.sentences import say


def check(content: bytes, limits: UploadLimits) -> Iterator[Complaint]:
    kind = "PNG" if content.startswith(b"\x89PNG") else "JPEG"
    most = f"{limits.picture_pixels / 10**6:g}"
    try:
        with whole_pictures_only(), Image.open(io.BytesIO(content), formats=[kind]) as picture:
            width, height = picture.size
            if width * height > limits.picture_pixels:
                yield (
                    say(
                        "It is {width} × {height} pixels; at most {most} million are accepted.",
                        width=width,
                        height=height,
                        most=most,
                    ),
                    say("Scale it down."),
                )
            elif kind == "PNG":
                picture.verify()
            else:
                picture.draft("L", (1, 1))  # reads all of it, unfolds an eighth
                picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        yield (
            say("It has too many pixels; at most {most} million are accepted.", most=most),
            say("Scale it down."),
        )
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error):
        yield (
            say("It is damaged or incomplete and does not open as a {kind} picture.", kind=kind),
            say("Save or take it again."),
        )


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
