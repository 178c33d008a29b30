"""An organisation's own drawings are taken as they are, or refused by file and with what to do."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from labels.errors import InvalidInput
from labels.papers.branding import ART, LARGEST, read_drawings, shipped_drawings

EMBLEM = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><circle cx="50" cy="50" r="40"/></svg>'
)


def drawn(
    folder: Path, content: str | bytes, name: str = "emblem-national.svg", organisation: str = "NSS-PL"
) -> Path:
    path = folder / organisation / "art" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def inside(markup: str, attributes: str = "") -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" {attributes}>{markup}</svg>'


def png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGBA", (width, height), "#0e4551").save(content, "PNG")
    return content.getvalue()


def test_an_emblem_replaces_ours_for_its_organisation_alone(tmp_path: Path) -> None:
    drawn(tmp_path, EMBLEM)
    drawn(tmp_path, png(60, 60), "emblem-pupil.png", "all")
    found = read_drawings(tmp_path)
    assert found["NSS-PL"]["emblem-national"].content == EMBLEM.encode()
    assert found["all"]["emblem-pupil"].media_type == "image/png"
    assert set(found) == {"NSS-PL", "all"}


def test_our_shipped_drawings_would_all_be_taken(tmp_path: Path) -> None:
    for path in ART.glob("*.svg"):
        drawn(tmp_path, path.read_bytes(), path.name)
    assert read_drawings(tmp_path)["NSS-PL"].keys() == shipped_drawings().keys()


@pytest.mark.parametrize(
    ("content", "said"),
    {
        "picture from the web": (inside("<image/>"), "<image>"),
        "picture by its old name": (inside('<use xlink:href="file:///etc/passwd#x"/>'), "outside"),
        "another file's shape": (inside('<use href="other.svg#a"/>'), "outside"),
        "address in a fill": (inside('<rect fill="url(http://127.0.0.1/x)"/>'), "fill"),
        "address in a style": (inside("<rect style=\"fill: url( 'x.svg#a' )\"/>"), "style"),
        "import": (inside("<style>@import url(http://127.0.0.1/x);</style>"), "<style>"),
        "script": (inside("<script>1</script>"), "<script>"),
        "handler": (inside("<rect/>", 'onload="x()"'), "script"),
        "page": (inside("<foreignObject/>"), "<foreignObject>"),
        "words": (inside("<text>NSS</text>"), "<text>"),
        "entities": ('<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + EMBLEM, "document type"),
        "uses of uses": (inside('<g id="a"><use href="#b"/></g><g id="b"/><use href="#a"/>'), "without end"),
        "half a file": (EMBLEM[:60], "no SVG"),
        "a page instead": ("<html></html>", "outermost"),
        "another encoding": (EMBLEM.encode("utf-16"), "UTF-8"),
        "no size": (EMBLEM.replace("viewBox", "data-box"), "how large"),
        "other proportions": (EMBLEM.replace("0 0 100 100", "0 0 200 100"), "2.00 times"),
        "far too much": (inside("<rect/>" * 4_000), "elements"),
    }.values(),
)  # fmt: skip
def test_a_drawing_that_is_more_than_a_drawing_is_refused(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    drawn(tmp_path, content)
    with pytest.raises(InvalidInput) as refused:
        read_drawings(tmp_path)
    (fault,) = refused.value.faults
    assert fault.where == "NSS-PL/art/emblem-national.svg"
    assert said in fault.problem
    assert fault.remedy


@pytest.mark.parametrize(
    "content", [b"GIF89a", png(40, 40)[:60], png(3_000, 2_000)], ids=["gif", "half", "huge"]
)
def test_a_picture_that_is_no_png_of_that_size_is_refused(tmp_path: Path, content: bytes) -> None:
    drawn(tmp_path, content, "emblem-national.png")
    with pytest.raises(InvalidInput):
        read_drawings(tmp_path)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    drawn(tmp_path, EMBLEM, "emblem-natoinal.svg")
    drawn(tmp_path, EMBLEM, "emblem-school.svg")
    drawn(tmp_path, png(20, 20), "emblem-school.png")
    drawn(tmp_path, b" " * (LARGEST + 1), "seal-school.svg")
    drawn(tmp_path, "colours", "logo.ai")
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "NSS-PL" / "fonts").mkdir()
    with pytest.raises(InvalidInput) as refused:
        read_drawings(tmp_path)
    assert [fault.where for fault in refused.value.faults] == [
        "NSS-PL/art/emblem-natoinal.svg", "NSS-PL/art/emblem-school.svg", "NSS-PL/art/logo.ai",
        "NSS-PL/art/seal-school.svg", "NSS-PL/fonts", "readme.txt",
    ]  # fmt: skip


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="LABELS_BRANDING"):
        read_drawings(tmp_path / "nowhere")
