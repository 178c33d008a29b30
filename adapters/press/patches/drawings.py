"""Drawings that are traced once a process and placed once a file.

Import this module only beside the WeasyPrint that it was written for (`adapters.patches`), after `adapters.press.pdf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from zlib import compress

import pydyf
from weasyprint.images import SVGImage


@dataclass(frozen=True)
class _Form:
    """A drawing as PDF operators, free of the file that it was first drawn for."""

    operators: bytes
    box: tuple[float, ...]
    states: Mapping[str, Mapping[str, Any]]
    forms: Mapping[str, _Form]
    blends: bool
    """Whether it is laid down as one, because it can be seen through."""

    @classmethod
    def of(cls, stream: Any, *, blends: bool = True) -> _Form | None:
        """What a stream has drawn; None where that needs more than this can carry over."""
        needs = stream._resources
        forms = {name: cls.of(form) for name, form in needs["XObject"].items()}
        if needs["Pattern"] or needs["Shading"] or None in forms.values():
            return None
        if any("SMask" in state for state in needs["ExtGState"].values()):
            return None
        drawn = pydyf.Stream(stream.stream).data
        operators = drawn[drawn.index(b"stream\n") + 7 : drawn.rindex(b"\nendstream")]
        return cls(
            operators=compress(operators, 9),
            box=tuple(stream.extra["BBox"]),
            states={name: dict(state) for name, state in needs["ExtGState"].items()},
            forms={name: form for name, form in forms.items() if form},
            blends=blends,
        )

    def object(self, colours: Any) -> Any:
        """The drawing as an object of another file; `colours` is that file's space for blending."""
        extra = pydyf.Dictionary(
            {
                "Type": "/XObject",
                "Subtype": "/Form",
                "BBox": pydyf.Array(self.box),
                "Filter": "/FlateDecode",
                "Resources": pydyf.Dictionary(
                    {
                        "ExtGState": pydyf.Dictionary(
                            {name: pydyf.Dictionary(state) for name, state in self.states.items()}
                        ),
                        "XObject": pydyf.Dictionary(
                            {name: form.object(colours) for name, form in self.forms.items()}
                        ),
                        "Font": None,  # WeasyPrint sets it
                    }
                ),
            }
        )
        if self.blends:
            extra["Group"] = pydyf.Dictionary(
                {"Type": "/Group", "S": "/Transparency", "I": "true", "CS": colours}
            )
        return pydyf.Stream([self.operators], extra)


@dataclass(frozen=True)
class _Placed:
    """A form as WeasyPrint places a picture: once a file, however often a page shows it."""

    id: str
    form: _Form
    colours: Any

    def get_x_object(self, _interpolate: bool, _resolution: float) -> Any:
        return self.form.object(self.colours)


class Art:
    """A drawing that is traced once a process and placed once a file.

    WeasyPrint traces an SVG anew for every place on every page: half the time of a certificate.
    """

    def __init__(self, url: str, content: bytes, door: Any) -> None:
        self._url = url
        self._drawing = SVGImage(ElementTree.fromstring(content), url, door, None)
        self._forms: dict[tuple[float, float], _Form | None] = {}

    def get_intrinsic_size(self, resolution: float, font_size: float) -> Any:
        return self._drawing.get_intrinsic_size(resolution, font_size)

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Puts the drawing, `width` by `height` pixels large, where the stream stands."""
        size = width, height
        if size not in self._forms:
            self._forms[size] = self._traced(stream, width, height, style)
        if form := self._forms[size]:
            name = f"{self._url.partition(':')[2]}-{width:g}-{height:g}-"
            placed = _Placed(
                "".join(c if c.isalnum() else "-" for c in name), form, stream._default_color_space
            )
            stream.draw_x_object(stream.add_image(placed, False, 1))
        else:
            self._drawing.draw(stream, width, height, style)

    def _traced(self, stream: Any, width: float, height: float, style: Any) -> _Form | None:
        names = ("ExtGState", "XObject", "Pattern", "Shading")
        resources = pydyf.Dictionary({name: pydyf.Dictionary() for name in names} | {"ColorSpace": None})
        extra = pydyf.Dictionary({"BBox": pydyf.Array((0, 0, width, height))})
        sheet = stream.clone(resources=resources, extra=extra)
        self._drawing.draw(sheet, width, height, style)
        return _Form.of(sheet, blends=False)
