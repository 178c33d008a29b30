"""Lines of text as WeasyPrint sets them, without laying out a page around them.

This leans on what is inside WeasyPrint, so it is imported only beside the version that it was written for
(`adapters.patches`), and what is made with it is compared with what WeasyPrint makes in the way of its manual: widths by
the tests, stamped pages by `stamping` too, while it works.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from weasyprint.draw.text import draw_first_line
from weasyprint.formatting_structure.boxes import LineBox, TextBox
from weasyprint.layout.absolute import AbsolutePlaceholder
from weasyprint.matrix import Matrix
from weasyprint.pdf.fonts import Font
from weasyprint.pdf.stream import Stream
from weasyprint.text.ffi import FROM_UNITS, pango
from weasyprint.text.fonts import get_pango_font_key
from weasyprint.text.line_break import create_layout, line_size


class Style(dict[str, Any]):
    """What a text's style says, free of the page that it stood on."""

    def __init__(self, style: Any) -> None:
        super().__init__(style)
        self.font_config = style.font_config


class Measured(NamedTuple):
    """A line of text, laid out."""

    layout: Any
    width: float
    height: float
    baseline: float


def measured(text: str, style: Any) -> Measured | None:
    """A text on one line, in CSS pixels; None where it is empty or has a line break of its own."""
    layout = create_layout(text, style, None, None, 0)
    line, rest = layout.get_first_line()
    if rest is not None or not text.strip():
        return None
    width, height = line_size(line, style)
    return Measured(layout, width, height, pango.pango_layout_get_baseline(layout.layout) * FROM_UNITS)


@dataclass(frozen=True)
class Place:
    """Where WeasyPrint put a centred line: enough to put another one there."""

    style: Any
    left: float
    room: float
    """The left edge of the box around the line, and its width."""
    foot: float
    """The line on which the letters stand, from the top of the page."""
    height: float
    baseline: float
    """Of the text alone; a text of other fonts has others, and would stand elsewhere."""

    @classmethod
    def of(cls, box: Any, around: Any) -> Place | None:
        """The place of a text box in the block around it; None where it is not simply centred in it."""
        place = cls(
            Style(box.style),
            around.content_box_x(),
            around.width,
            box.position_y + box.baseline,
            box.height,
            box.baseline - box.margin_top,
        )
        return place if abs(place.start(box.width) - box.position_x) < 1e-9 else None

    def suits(self, line: Measured) -> bool:
        """Whether a line of these fonts stands in this place as the first one did."""
        return abs(line.height - self.height) + abs(line.baseline - self.baseline) < 1e-6

    def start(self, width: float) -> float:
        """Where a line of that width starts."""
        return self.left + (0 if width >= self.room else (self.room - width) / 2)


class Tally:
    """Stands for a font while one line is drawn, and keeps what that line alone uses of it."""

    def __init__(self, font: Any) -> None:
        self.font = font
        self.hash = font.hash
        self.bitmap, self.png, self.svg, self.colr = font.bitmap, font.png, font.svg, font.colr
        self.missing: Mapping[int, int] = {}
        self.to_unicode: dict[int, str] = {}
        self.widths: dict[int, int] = {}

    def as_font(self) -> Any:
        """The font, used with the features given here."""
        self.font.to_unicode, self.font.widths = self.to_unicode, self.widths
        return self.font

    def get_unused_glyph_id(self, codepoint: int) -> int:
        raise NotSet(f"no font has the character U+{codepoint:04X}")


class NotSet(Exception):
    """A line that cannot be set this way; the page around it is printed plainly."""


@dataclass(frozen=True)
class Run:
    """A line as the page's content has it, and what it uses of the fonts."""

    operators: bytes
    fonts: Mapping[Hashable, Tally]


class Slot(NamedTuple):
    """What a page marks as a piece of content: a line of text or a picture."""

    box: Any
    start: int
    end: int
    """Where its operators lie in the page's."""
    fonts: Mapping[Hashable, Tally]


class Recorder(Stream):  # type: ignore[misc]  # WeasyPrint has no types
    """A page's content as WeasyPrint draws it, with a note of each line's place in it and its use of fonts."""

    def __init__(self, fonts: dict[Hashable, Any], width: float = 0, height: float = 0) -> None:
        resources: dict[str, Any] = {
            name: {} for name in ("ExtGState", "XObject", "Pattern", "Shading", "ColorSpace")
        }
        super().__init__(fonts, (0, 0, width, height), resources, {}, {}, {}, "srgb")
        self.slots: list[Slot] = []
        self._used: dict[Hashable, Tally] = {}

    def add_font(self, pango_font: Any) -> tuple[Tally, float]:
        key, description, size = get_pango_font_key(pango_font)
        if key not in self._used:
            if key not in self._fonts:
                self._fonts[key] = Font(pango_font, description, size)
            self._used[key] = Tally(self._fonts[key])
        return self._used[key], size

    @contextmanager
    def marked(self, box: Any, tag: str) -> Iterator[None]:
        start, self._used = len(self.stream) + len((tag, "properties", "BDC")), {}
        with super().marked(box, tag):
            yield
        self.slots.append(Slot(box, start, len(self.stream) - 1, self._used))

    def line(self, text: str, place: Place) -> Run | None:
        """A text drawn in a place; None where its fonts would have it stand elsewhere.

        Raises:
            NotSet: a character has no glyph, or is a picture.
        """
        found = measured(text, place.style)
        if found is None or not place.suits(found):
            return None
        self.stream: list[bytes] = []
        self._used = {}
        self.begin_text()
        matrix = Matrix(d=-1, e=place.start(found.width), f=place.foot)
        box = _Box(text, place.style, found.layout, found.baseline)
        if draw_first_line(self, box, "clip", "none", matrix):
            raise NotSet("a character is a picture")
        self.end_text()
        return Run(b"\n".join(self.stream), self._used)


class _Box(NamedTuple):
    """What WeasyPrint reads of a text box while it draws it."""

    text: str
    style: Any
    pango_layout: Any
    baseline: float


def blocks_around(page_box: Any) -> dict[Any, Any]:
    """The lines of text of a page in its order, those that stand alone in a line, with the blocks around them."""
    if isinstance(page_box, AbsolutePlaceholder):
        page_box = page_box._box
    found: dict[Any, Any] = {}
    for child in getattr(page_box, "children", ()):
        lines: Any = getattr(child, "children", ())
        if isinstance(child, LineBox) and len(lines) == 1 and isinstance(lines[0], TextBox):
            found[lines[0]] = page_box
        else:
            found |= blocks_around(child)
    return found


def styles_on(page: Any) -> dict[str, Any]:
    """The style of the text in each element of a page, by what the element says of its class."""
    return {text.element.get("class"): text.style for text in blocks_around(page._page_box)}
