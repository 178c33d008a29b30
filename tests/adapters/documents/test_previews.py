"""Evidence as drawings: pages and pictures come out as pictures alone, and no file does more than not be shown."""

from __future__ import annotations

import io

import pikepdf
import pytest
from PIL import Image

from adapters.documents.previews import NotShown, PageSize, can_be_shown, drawn, pages_of
from labels.settings import PROJECT

ATLAS = (PROJECT / "examples/evidence/atlas.pdf").read_bytes()


def picture(size: tuple[int, int], kind: str, **more: object) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", size, (20, 80, 90)).save(packed, kind, **more)
    return packed.getvalue()


def pdf(*sizes: tuple[int, int, int]) -> bytes:
    made = pikepdf.new()
    for width, height, rotation in sizes:
        made.add_blank_page(page_size=(width, height))
        made.pages[-1].obj.Rotate = rotation
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


@pytest.mark.slow
def test_a_page_is_drawn_as_wide_as_was_asked() -> None:
    shown = Image.open(io.BytesIO(drawn(ATLAS, "application/pdf", width=400)))
    assert (shown.format, shown.width) == ("WEBP", 400)
    assert len(shown.getcolors(100_000) or []) > 50, "something is on it"


def test_each_page_has_its_size_as_it_is_turned() -> None:
    number, sizes = pages_of(pdf((600, 800, 0), (600, 800, 90), (300, 300, 180)), "application/pdf")
    assert number == 3
    assert sizes == [PageSize(600, 800), PageSize(800, 600), PageSize(300, 300)]


def test_a_long_document_shows_its_beginning() -> None:
    number, sizes = pages_of(pdf(*[(100, 100, 0)] * 230), "application/pdf")
    assert (number, len(sizes)) == (230, 200)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_comes_smaller_upright_and_without_what_the_camera_wrote(kind: str) -> None:
    taken = Image.Exif()
    taken[0x0112] = 6  # turned by 90 degrees
    taken[0x010F] = "a camera"
    content = picture((3000, 1500), kind, exif=taken)
    assert pages_of(content, f"image/{kind.lower()}") == (1, [PageSize(1500, 3000)])
    shown = Image.open(io.BytesIO(drawn(content, f"image/{kind.lower()}", width=500)))
    assert shown.width == 500
    assert shown.height == 1000
    assert not shown.getexif()


@pytest.mark.parametrize(
    ("content", "media_type", "page"),
    [
        (b"%PDF-1.7 nothing", "application/pdf", 1),
        (b"", "application/pdf", 1),
        (ATLAS, "application/pdf", 999),
        (ATLAS, "image/png", 1),
        (picture((30, 30), "PNG")[:60], "image/png", 1),
        (picture((30, 30), "GIF"), "image/png", 1),
    ],
)
def test_what_is_no_page_is_not_shown_and_nothing_else_happens(
    content: bytes, media_type: str, page: int
) -> None:
    with pytest.raises(NotShown):
        drawn(content, media_type, page)


def test_a_page_as_long_as_a_street_is_drawn_smaller() -> None:
    shown = Image.open(io.BytesIO(drawn(pdf((100, 14_000, 0)), "application/pdf")))
    assert shown.height <= 6_000


def test_only_pages_and_pictures_are_shown() -> None:
    assert can_be_shown("application/pdf")
    assert not can_be_shown("video/mp4")
    for media_type in ("application/pdf", "image/png", "video/mp4"):
        with pytest.raises(NotShown):
            pages_of(b"no PDF", media_type)
