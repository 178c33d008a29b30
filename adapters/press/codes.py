"""The square code of a certificate: where a telephone's camera finds the page that knows the certificate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import segno

QUIET = 4
"""Modules that stay white around a code, as ISO/IEC 18004 asks."""
_MASK = 4
"""One of the eight patterns that are laid over a code's data. Any of them is read alike; to find the one
with the fewest spots costs seven times what the code costs, and a campaign makes half a million."""
_MANY = 100
"""From so many codes of one length on, it pays to find out what each bit of them does."""
_DARK = re.compile("1+")


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
        return cls.of_many([address])[0]

    @classmethod
    def of_many(cls, addresses: Sequence[str]) -> list[SquareCode]:
        """The codes that lead to addresses, each as it is made alone.

        The modules of a code are sums, modulo two, of what each bit of its content does to them, as long as
        the length stays the same. So of many, only the bits are asked for in which they differ.
        """
        by_length: dict[int, list[bytes]] = {}
        contents = [address.encode("ascii") for address in addresses]
        for content in contents:
            by_length.setdefault(len(content), []).append(content)
        known = {length: _drawn(same[0]) for length, same in by_length.items() if len(same) >= _MANY}
        codes = []
        for content in contents:
            side, dark = known.get(len(content)) or _drawn(content)
            if len(content) in known:
                first = by_length[len(content)][0]
                changed = int.from_bytes(content) ^ int.from_bytes(first)
                while changed:
                    bit = changed.bit_length() - 1
                    changed ^= 1 << bit
                    dark ^= _done_by(bit, len(content))
            codes.append(cls._painted(side, dark))
        return codes

    @classmethod
    def _painted(cls, side: int, dark: int) -> SquareCode:
        modules = f"{dark:0{side * side}b}"
        runs = [
            b"%d %d %d 1 re" % (run.start() + QUIET, y + QUIET, run.end() - run.start())
            for y in range(side)
            for run in _DARK.finditer(modules[y * side : (y + 1) * side])
        ]
        return cls(side + 2 * QUIET, b"\n".join([*runs, b"f"]))

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[float, float, float]:
        return float(self.modules), float(self.modules), 1.0

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Puts the code where the stream stands, `width` by `height` pixels large."""
        stream.set_color(style["color"])
        stream.transform(a=width / self.modules, d=height / self.modules)
        stream.stream.append(self.path)


def _drawn(content: bytes) -> tuple[int, int]:
    """How many modules a code has across, and which of them are dark: one bit each, row after row."""
    rows = segno.make(content, error="m", micro=False, mode="byte", mask=_MASK).matrix
    modules = b"".join(rows).translate(bytes.maketrans(b"\0\1", b"01"))
    return len(rows), int(modules, 2)


@lru_cache(4096)
def _done_by(bit: int, length: int) -> int:
    """The modules that one bit of a content of that length turns over."""
    return _drawn((1 << bit).to_bytes(length))[1] ^ _blank(length)


@lru_cache(64)
def _blank(length: int) -> int:
    return _drawn(bytes(length))[1]
