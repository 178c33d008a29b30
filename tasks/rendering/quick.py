"""Two of WeasyPrint's inner loops, with the same outcome in less time, while it prints for us.

Import this module only after `tasks.rendering.pdf`, which loads WeasyPrint and knows for which version this holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weasyprint.css import INHERITED, PHYSICAL_FUNCTIONS, ComputedStyle
from weasyprint.css.properties import INITIAL_NOT_COMPUTED, INITIAL_VALUES
from weasyprint.pdf import fonts
from weasyprint.text import ffi

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


@contextmanager
def quick_ways() -> Iterator[None]:
    """Cuts fonts down without having C parsed, and finds styles without going through what nobody said."""
    before = fonts.ffi, ComputedStyle.__missing__
    fonts.ffi, ComputedStyle.__missing__ = _ArraysOfAnyLength(), _quick_style_of
    try:
        yield
    finally:
        fonts.ffi, ComputedStyle.__missing__ = before
