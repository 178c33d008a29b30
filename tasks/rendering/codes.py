"""The square code of a certificate: where a telephone's camera finds the page that knows the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno

QUIET = 4
"""Modules that stay white around a code, as ISO/IEC 18004 asks."""
_MASK = 4
"""One of the eight patterns that are laid over a code's data. Any of them is read alike; to find the one
with the fewest spots costs seven times what the code costs, and a campaign makes half a million."""


@dataclass(frozen=True)
class SquareCode:
    """A QR code as WeasyPrint draws a picture: one filled path in the colour of the text around it."""

    modules: int
    """How many across, those of the quiet zone too."""
    path: bytes
    """The dark modules as PDF operators, one unit a module."""

    @classmethod
    def of(cls, address: str) -> SquareCode:
        """The code that leads to an address.

        It corrects errors at level M, which is 15 % of it, or more where that costs no smaller modules.
        """
        rows = segno.make(address, error="m", micro=False, mask=_MASK).matrix
        runs = []
        for y, row in enumerate(rows, QUIET):
            x, end = 0, len(row)
            while (x := row.find(1, x)) >= 0:
                until = row.find(0, x)
                until = end if until < 0 else until
                runs.append(b"%d %d %d 1 re" % (x + QUIET, y, until - x))
                x = until
        return cls(len(rows) + 2 * QUIET, b"\n".join([*runs, b"f"]))

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[float, float, float]:
        return float(self.modules), float(self.modules), 1.0

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Puts the code where the stream stands, `width` by `height` pixels large."""
        stream.set_color(style["color"])
        stream.transform(a=width / self.modules, d=height / self.modules)
        stream.stream.append(self.path)
