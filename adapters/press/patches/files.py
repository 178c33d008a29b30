"""How the objects of a PDF become a file: byte for byte as pydyf writes them, but each is packed once, not thrice.

A file is split into what it shares with others and what is its own, so that the others need not be written
from the beginning.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from hashlib import md5
from math import ceil, log
from typing import Any

import pydyf


@dataclass(frozen=True)
class Objects:
    """The objects of a file: the bytes of those that are shared, the numbers of those that are its own."""

    count: int
    loose: list[tuple[int, bytes | None]]
    """Number and bytes of the objects that stand alone, in their order; None where they are the file's own."""
    packed: list[tuple[int, bytes | None]]
    """The same of those that are packed together."""
    hashed: list[bytes | int]
    """All of them as the file's name is made from them: shared ones together, own ones by their numbers."""
    catalog: int

    @classmethod
    def of(cls, pdf: Any, own: Container[int] = ()) -> Objects:
        """The objects of a `pydyf.PDF` with its information, which must be the last one."""
        loose: list[tuple[int, bytes | None]] = []
        packed: list[tuple[int, bytes | None]] = []
        hashed: list[bytes | int] = []
        shared: list[bytes] = []
        for thing in pdf.objects[1 : pdf.info.number + 1]:  # the first is the free one
            data = None if thing.number in own else thing.data
            (packed if thing.compressible else loose).append((thing.number, data))
            if data is None:
                hashed += [b"".join(shared), thing.number]
                shared.clear()
            else:
                shared.append(data)
        hashed.append(b"".join(shared))
        return cls(pdf.info.number, loose, packed, hashed, pdf.catalog.number)

    def file(self, own: Mapping[int, bytes]) -> bytes:
        """The file with these objects of its own, as PDF 1.7 with a name made from all that is in it."""
        digest = md5(usedforsecurity=False)
        for piece in self.hashed:
            digest.update(piece if isinstance(piece, bytes) else own[piece])
        parts = [b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"]
        offset = len(parts[0])
        offsets: dict[int, int] = {}

        def add(number: int, data: bytes) -> None:
            nonlocal offset
            offsets[number] = offset
            parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, data))
            offset += len(parts[-1])

        for number, data in self.loose:
            add(number, own[number] if data is None else data)
        packed = [own[number] if data is None else data for number, data in self.packed]
        positions: list[bytes] = []
        position = 0
        for (number, _), data in zip(self.packed, packed, strict=True):
            positions.append(b"%d %d" % (number, position))
            position += len(data) + 1
        first = b" ".join(positions)
        extra = {"Type": "/ObjStm", "N": len(packed), "First": len(first) + 1}
        data = pydyf.Stream([first, *packed], extra, compress=True).data
        digest.update(data)
        add(self.count + 1, data)
        table = offset
        add(self.count + 2, self._table(offsets, table, pydyf.String(digest.hexdigest()).data))
        parts.append(b"startxref\n%d\n%%%%EOF\n" % table)
        return b"".join(parts)

    def _table(self, offsets: Mapping[int, int], here: int, name: bytes) -> bytes:
        """Where each object is: by itself, or the how many-th of those that are packed."""
        wide = ceil(log(here + 1, 256))
        narrow = ceil(log(max(65535, len(self.packed)) + 1, 256))
        rows = [bytes(1 + wide) + (65535).to_bytes(narrow, "big")]
        place = 0
        for number in range(1, self.count + 2):
            if number in offsets:
                rows.append(b"\1" + offsets[number].to_bytes(wide, "big") + bytes(narrow))
            else:
                rows.append(b"\2" + (self.count + 1).to_bytes(wide, "big") + place.to_bytes(narrow, "big"))
                place += 1
        rows.append(b"\1" + here.to_bytes(wide, "big") + bytes(narrow))
        extra = {
            "Type": "/XRef",
            "Index": pydyf.Array((0, self.count + 3)),
            "W": pydyf.Array((1, wide, narrow)),
            "Size": self.count + 3,
            "Root": b"%d 0 R" % self.catalog,
            "Info": b"%d 0 R" % self.count,
            "ID": pydyf.Array((name, name)),
        }
        data: bytes = pydyf.Stream([b"".join(rows)], extra, compress=True).data
        return data
