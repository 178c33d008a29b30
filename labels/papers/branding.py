"""What organisations replace on their papers: whose folder counts, and their drawings, checked when they are read.

A folder for each organisation, with drawings in `art` and words in `texts` (`adapters.languages.own_words`).
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from labels.applications.uploads.pictures import whole_pictures_only
from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.settings import PROJECT

ART = PROJECT / "templates" / "assets" / "art"
"""The drawings that ship. Their names are what may be replaced, their proportions what must stay."""

LARGEST = 200 * 1024
"""Bytes of one drawing: a certificate with all of them is to stay small enough to mail by the thousand."""
MOST_ELEMENTS = 3_000
MOST_PIXELS = 4_000_000
_STRETCHED = 0.02
"""By how much the proportions of a drawing may differ from those of the one that it replaces."""

_SVG = "{http://www.w3.org/2000/svg}"
_HREFS = frozenset({"href", "{http://www.w3.org/1999/xlink}href"})
_ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "defs",
        "title",
        "desc",
        "metadata",
        "use",
        "clipPath",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "linearGradient",
        "radialGradient",
        "stop",
    ]
)
"""What a drawing may be made of: shapes. Text would need a font, pictures and scripts an address."""
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)[^)]*\)|@import|expression\(|javascript:", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([0-9.]+)\s*(?:px|mm|cm|pt)?\s*")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing as it was read and found good."""

    content: bytes
    media_type: str
    """`image/svg+xml` or `image/png`."""


Drawings = Mapping[str, Drawing]
"""By the name of the drawing that each replaces, `emblem-national`."""
NO_DRAWINGS: Drawings = MappingProxyType({})

EVERYBODY = "all"
"""The folder of what organisations use that have none of their own."""


@cache
def shipped_drawings() -> Mapping[str, float]:
    """The drawings that ship: name → width by height, as a ratio."""
    return {path.stem: _proportions(ET.fromstring(path.read_bytes())) for path in sorted(ART.glob("*.svg"))}


@cache
def organisations_in(folder: Path) -> frozenset[str]:
    """The organisations that have a folder of their own, and `all`.

    Raises:
        InvalidInput: it is no folder.
    """
    if not folder.is_dir():
        problem = "is no folder; expected one with a folder for each organisation."
        raise InvalidInput("branding", [Fault(str(folder), problem, "Correct LABELS_BRANDING.")])
    return frozenset(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


@dataclass(frozen=True)
class Brand:
    """Whose drawings and words are on a paper."""

    folder: Path | None = None
    """What `LABELS_BRANDING` names."""
    name: str = ""
    """The folder in it, an organisation's or `all`; empty for what ships."""


SHIPPED = Brand()
"""What is on papers where nobody replaces it."""


def brand_of(folder: Path | None, issuer: str | None) -> Brand:
    """What is on the papers of an organisation: its own, else everybody's, else what ships.

    Raises:
        InvalidInput: `folder` is no folder.
    """
    there = organisations_in(folder) if folder else ()
    return next((Brand(folder, name) for name in (issuer, EVERYBODY) if name and name in there), SHIPPED)


def read_drawings(folder: Path) -> Mapping[str, Drawings]:
    """Every organisation's own drawings: `FOLDER/ORGANISATION/art/NAME.svg`, or `.png`.

    `FOLDER/all/` holds what every organisation without drawings of its own uses.

    Raises:
        InvalidInput: everything that is wrong, by file: it is no folder, a drawing of that name is not
            used anywhere, it refers outside, is no drawing, too large, or has other proportions.
    """
    organisations_in(folder)
    faults: list[Fault] = []
    found: dict[str, Drawings] = {}
    for organisation in sorted(folder.iterdir()):
        if organisation.name.startswith("."):
            continue
        drawings: dict[str, Drawing] = {}
        for path in _files(folder, organisation, faults):
            problems = list(_named(path, drawings)) or list(_refusals(path))
            faults += [Fault(str(path.relative_to(folder)), *problem) for problem in problems]
            if not problems:
                drawings[path.stem] = Drawing(contents(path, LARGEST), _MEDIA_TYPES[path.suffix])
        found[organisation.name] = drawings
    if faults:
        raise InvalidInput("branding", faults)
    return found


_MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
_Problem = tuple[str, str]


def _files(folder: Path, organisation: Path, faults: list[Fault]) -> Iterator[Path]:
    """The drawings of one organisation; whatever else lies there is a fault, since it would be ignored."""
    expected = "expected the folders `art` with drawings (.svg, .png) and `texts` with words (LANGUAGE.po)."
    if not organisation.is_dir():
        faults.append(Fault(organisation.name, f"is no organisation's folder; {expected}", "Move it away."))
        return
    for path in sorted(organisation.iterdir()):
        if path.name == "art" and path.is_dir():
            yield from sorted(one for one in path.iterdir() if not one.name.startswith("."))
        elif path.name != "texts" and not path.name.startswith("."):
            where = str(path.relative_to(folder))
            faults.append(Fault(where, f"is not read; {expected}", "Move it away."))


def _named(path: Path, drawings: Mapping[str, Drawing]) -> Iterator[_Problem]:
    if path.suffix not in _MEDIA_TYPES or not path.is_file():
        yield "is no drawing that is read; expected .svg or .png.", "Convert it, or move it away."
    elif path.stem not in shipped_drawings():
        names = ", ".join(shipped_drawings())
        yield f"replaces no drawing; expected one of {names}.", "Rename it, or move it away."
    elif path.stem in drawings:
        yield f"is there twice: {path.stem} as .svg and .png.", "Keep one."


def _refusals(path: Path) -> Iterator[_Problem]:
    """What keeps a drawing from being used."""
    try:
        content = contents(path, LARGEST)
    except OSError as error:
        yield f"can't be read: {error.strerror}.", "Put a drawing in its place."
        return
    if len(content) > LARGEST:
        yield (
            f"has {path.stat().st_size:,} bytes; at most {LARGEST:,} are taken.",
            "Simplify its paths, or make the picture smaller.",
        )
        return
    ratio, problems = (_svg if path.suffix == ".svg" else _png)(content)
    yield from problems
    wanted = shipped_drawings()[path.stem]
    if not problems and abs(ratio / wanted - 1) > _STRETCHED:
        yield (
            f"is {ratio:.2f} times as wide as it is high; {path.stem} is {wanted:.2f} times.",
            "Give it those proportions, with empty room around it where it needs some.",
        )


def _png(content: bytes) -> tuple[float, list[_Problem]]:
    try:
        with whole_pictures_only(), Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                return 1, [
                    (f"has {width} × {height} pixels; at most {MOST_PIXELS:,} are taken.", "Shrink it.")
                ]
            picture.load()
            return width / height, []
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 1, [("is no whole PNG picture.", "Save it again.")]


def _svg(content: bytes) -> tuple[float, list[_Problem]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return 1, [("is not written in UTF-8.", "Save it again as plain SVG in UTF-8.")]
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        return 1, [("declares a document type or entities.", "Save it again as plain SVG without a DOCTYPE.")]
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:
        return 1, [(f"is no SVG: {error}.", "Save it again as plain SVG.")]
    if root.tag != f"{_SVG}svg":
        return 1, [("is no SVG: its outermost element is not <svg>.", "Save it again as plain SVG.")]
    problems = list(dict.fromkeys(_unsafe(root)))
    try:
        return _proportions(root), problems
    except ValueError as error:
        return 1, [*problems, (str(error), "Give it a viewBox.")]


def _unsafe(root: ET.Element) -> Iterator[_Problem]:
    """Whatever could act, refer outside, or need what a page does not have."""
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    if len(elements) > MOST_ELEMENTS:
        yield f"has {len(elements):,} elements; at most {MOST_ELEMENTS:,} are drawn.", "Simplify it."
        return
    told = {
        inner for one in elements if _local(one) == "metadata" for inner in one.iter() if inner is not one
    }
    used = {one.get(name, "")[1:] for one in elements if _local(one) == "use" for name in _HREFS}
    for one in elements:
        if one not in told and (name := _local(one)) not in _ELEMENTS:
            yield (
                f"has a <{name}>; a drawing is made of shapes alone.",
                "Convert it to paths, or take it out.",
            )
        for key, value in one.attrib.items():
            if key in _HREFS and not value.startswith("#"):
                yield (
                    f"refers to “{value[:60]}”, which is outside of it.",
                    "Take that out; nothing is fetched.",
                )
            elif key.lower().startswith("on"):
                yield f"has a script ({key}).", "Take it out."
            elif _OUTSIDE.search(value):
                yield f"refers outside in {key}=“{value[:60]}”.", "Take that out; nothing is fetched."
        if one.get("id") in used and any(_local(inner) == "use" for inner in one.iter()):
            yield "uses what uses something else, which can grow without end.", "Draw it once, in paths."


def _local(element: ET.Element) -> str:
    """Its name without its namespace: what draws a page looks at no more than that."""
    return element.tag.rpartition("}")[2]


def _proportions(root: ET.Element) -> float:
    """Width by height.

    Raises:
        ValueError: the drawing does not say how large it is.
    """
    box = (root.get("viewBox") or "").replace(",", " ").split()
    try:
        width, height = (
            (float(box[2]), float(box[3]))
            if len(box) == 4
            else (_length(root, "width"), _length(root, "height"))
        )
    except ValueError:
        raise ValueError("does not say how large it is.") from None
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("does not say how large it is.")
    return width / height


def _length(root: ET.Element, name: str) -> float:
    if match := _NUMBER.fullmatch(root.get(name) or ""):
        return float(match[1])
    raise ValueError(name)
