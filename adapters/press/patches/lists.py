"""Lines of text that free what WeasyPrint makes for them and forgets: 150 bytes for each line with features of a font.

Import this module only beside the WeasyPrint that it was written for (`adapters.patches`), after `adapters.press.pdf`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from weasyprint.text import ffi, line_break


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

        A list of features that other lines use, too, is left to WeasyPrint.
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


_PANGO = _ListsThatEnd()


@contextmanager
def lists_that_end() -> Iterator[None]:
    """Frees each line's lists with it, where the fonts' `font_features` are `FeaturesOfEachLine`. One thread at a time."""
    before = line_break.pango
    line_break.pango = _PANGO
    try:
        yield
    finally:
        line_break.pango = before
