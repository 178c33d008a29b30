"""Three of WeasyPrint's inner loops, with the same outcome in less time and memory, while it prints for us.

Import this module only where `adapters.press.pdf`, which loads WeasyPrint, knows its inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from weasyprint.css import INHERITED, PHYSICAL_FUNCTIONS, ComputedStyle
from weasyprint.css.properties import INITIAL_NOT_COMPUTED, INITIAL_VALUES
from weasyprint.pdf import fonts
from weasyprint.text import ffi, line_break

_LENGTH = re.compile(r"\[\d+\]$")


class _ArraysOfAnyLength:
    """cffi for WeasyPrint's fonts, which knows an array of so many glyphs by their type alone.

    WeasyPrint names the length in the type: cffi then has every new length parsed as C, two for each font
    that is cut down, which takes longer than to cut it.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(ffi.ffi, name)

    def new(self, kind: str, *values: Any) -> Any:
        """As `ffi.new`, whose array is as long as the values."""
        return ffi.ffi.new(_LENGTH.sub("[]", kind) if values else kind, *values)


class FeaturesOfEachLine(dict[bytes, Any]):
    """A font configuration's features of fonts, each line's its own: what WeasyPrint keeps is nobody's to free.

    It makes one for each line all the same, and a list to hold it, and forgets both: 150 bytes each time.
    """

    handed_out: ClassVar[Any] = None
    """The latest."""

    def setdefault(self, features: bytes, made: Any = None) -> Any:
        """What was made, which the line's list owns from now on."""
        FeaturesOfEachLine.handed_out = made
        return made


class _ListsThatEnd:
    """Pango for WeasyPrint's lines, whose lists of attributes end with the line that they are for."""

    _forgotten: Any = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(ffi.pango, name)
        setattr(self, name, found)
        return found

    def pango_attr_list_insert(self, attributes: Any, attribute: Any) -> None:
        """As Pango's; WeasyPrint calls it with the one list that it does not free.

        A list of features that are kept for other lines, too, is left to WeasyPrint.
        """
        ffi.pango.pango_attr_list_insert(attributes, attribute)
        if attribute is FeaturesOfEachLine.handed_out:
            self._forgotten = attributes

    def pango_layout_set_attributes(self, layout: Any, attributes: Any) -> None:
        """As Pango's; from now on the line alone holds such a list."""
        ffi.pango.pango_layout_set_attributes(layout, attributes)
        if attributes is self._forgotten:
            ffi.pango.pango_attr_list_unref(attributes)
            self._forgotten = None


_style_of = ComputedStyle.__missing__
_LOGICAL = {
    name: {direction: logical(block="ttb", inline=direction) for direction in ("ltr", "rtl")}
    for name, logical in PHYSICAL_FUNCTIONS.items()
}
"""By which other name a style sheet may set a property, for each direction of writing."""
_AS_THEY_ARE = {
    name
    for name in INITIAL_VALUES
    if name not in INITIAL_NOT_COMPUTED
    and name not in ("float", "display", "position", "page")
    and not name.startswith("text_decoration_")
}
"""The properties whose value, where no style sheet sets one, is that of the parent or the initial one."""


def _quick_style_of(style: Any, name: str) -> Any:
    """The computed value of a property that is asked for the first time, a hundred for each element.

    Nearly all of them are set by no style sheet. WeasyPrint goes through all that could have been said; this looks
    whether anything was.
    """
    cascaded = style.cascaded
    if name in cascaded or name not in _AS_THEY_ARE:
        return _style_of(style, name)
    other = _LOGICAL.get(name)
    if other is not None and other[style["direction"]] in cascaded:
        return _style_of(style, name)
    if name in INHERITED and style.parent_style is not None:
        value = style.parent_style[name]
    else:
        value = INITIAL_VALUES[name]
    style[name] = value
    return value


_QUICK = _ArraysOfAnyLength(), _ListsThatEnd(), _quick_style_of


@contextmanager
def quick_ways() -> Iterator[None]:
    """Cuts fonts down without having C parsed, finds styles without going through what nobody said, frees what it made.

    The last where the fonts' `font_features` are `FeaturesOfEachLine`. One thread at a time.
    """
    before = fonts.ffi, line_break.pango, ComputedStyle.__missing__
    fonts.ffi, line_break.pango, ComputedStyle.__missing__ = _QUICK
    try:
        yield
    finally:
        fonts.ffi, line_break.pango, ComputedStyle.__missing__ = before
