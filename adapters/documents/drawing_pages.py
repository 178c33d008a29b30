"""Draws one page of a PDF, or a picture, as WebP: the program of a process of its own, which strangers' files may end.

`python drawing_pages.py KIND PAGE WIDTH < file > picture`; KIND is `pdf`, `picture` or `published` (a picture for
everybody), PAGE counts from 1, WIDTH is in pixels. It imports nothing of ours, may open no further file and has bounds on memory and time.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import Image, ImageCms, ImageOps

MEMORY = 1_500 * 2**20
SECONDS = 15
TALLEST = 6_000
"""Pixels of height; a page that is longer is drawn smaller."""


def _page(content: bytes, number: int, width: int) -> Image.Image:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    page = document[number - 1]
    across, down = page.get_size()
    scale = min(width / across, TALLEST / down)
    drawn: Image.Image = page.render(scale=scale).to_pil()
    return drawn


def _picture(content: bytes, width: int) -> Image.Image:
    picture = Image.open(io.BytesIO(content), formats=["PNG", "JPEG"])
    picture.draft("RGB", (width, width))
    turned = ImageOps.exif_transpose(picture)
    turned.thumbnail((width, TALLEST))
    return turned if turned.mode in ("RGB", "RGBA") else turned.convert("RGBA")


def _published(content: bytes, width: int) -> Image.Image:
    """The picture upright on white, within three quarters of the width, in the colours of the web; nothing else of the file."""
    picture = Image.open(io.BytesIO(content), formats=["PNG", "JPEG"])
    picture.draft("RGB", (width, width))
    upright = ImageOps.exif_transpose(picture)
    colours = upright.info.get("icc_profile")
    upright.thumbnail((width, width * 3 // 4))
    drawn = upright.convert("RGBA")
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return _in_srgb(paper, colours) if colours and upright.mode in ("RGB", "RGBA") else paper


def _in_srgb(picture: Image.Image, colours: bytes) -> Image.Image:
    try:
        return (
            ImageCms.profileToProfile(picture, io.BytesIO(colours), ImageCms.createProfile("sRGB")) or picture
        )
    except ImageCms.PyCMSError:  # a profile of other colours, or none at all: as a browser would without it
        return picture


def main() -> None:
    """Draws what standard input holds."""
    kind, number, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    Image.init()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    content = sys.stdin.buffer.read()
    if kind == "pdf":
        drawn = _page(content, number, width)
    else:
        drawn = _published(content, width) if kind == "published" else _picture(content, width)
    packed = io.BytesIO()
    bare = {"exif": b"", "xmp": b"", "icc_profile": b""} if kind == "published" else {}
    drawn.save(packed, "WEBP", quality=82, **bare)
    sys.stdout.buffer.write(packed.getvalue())


if __name__ == "__main__":
    main()
