"""Draws one page of a PDF, or a picture, as WebP: the program of a process of its own, which strangers' files may end.

`python drawing_pages.py KIND PAGE WIDTH < file > picture`; KIND is `pdf` or `picture`, PAGE counts from 1, WIDTH is
in pixels. It imports nothing of ours, may open no further file and has bounds on memory and time.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import Image, ImageOps

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


def main() -> None:
    """Draws what standard input holds."""
    kind, number, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    Image.init()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    content = sys.stdin.buffer.read()
    drawn = _page(content, number, width) if kind == "pdf" else _picture(content, width)
    packed = io.BytesIO()
    drawn.save(packed, "WEBP", quality=82)
    sys.stdout.buffer.write(packed.getvalue())


if __name__ == "__main__":
    main()
