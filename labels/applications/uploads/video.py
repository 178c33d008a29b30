"""MP4: that its boxes fill the file exactly, and its index and pictures are there."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from labels.applications.uploads.limits import Complaint, UploadLimits
from labels.words.sentences import say

BRANDS = frozenset(
    [
        *(b"iso%d" % n for n in range(2, 10)),
        b"isom",
        b"mp41",
        b"mp42",
        b"mp71",
        b"avc1",
        b"m4v ",
        b"msnv",
        b"dash",
    ]
)
"""What the first box of an MP4 may say that it is."""


def check(content: bytes, limits: UploadLimits) -> Iterator[Complaint]:
    try:
        boxes = [kind for kind, _, _ in _boxes(content, 0, len(content))]
        tracks = [
            inner
            for kind, start, end in _boxes(content, 0, len(content))
            if kind == b"moov"
            for inner, _, _ in _boxes(content, start, end)
            if inner == b"trak"
        ]
    except ValueError:
        boxes, tracks = [], []
    if boxes[:1] != [b"ftyp"] or not tracks or not {b"mdat", b"moof"} & set(boxes):
        yield (
            say("It is damaged or incomplete and does not play as an MP4 video."),
            say("Export it again as MP4."),
        )


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the inside of each box between two places (ISO/IEC 14496-12, 4.2)."""
    while start < end:
        if end - start < 8:
            raise ValueError("a box is cut off")
        length, kind = struct.unpack_from(">I4s", content, start)
        head = 8
        if length == 1:
            if end - start < 16:
                raise ValueError("a box is cut off")
            (length,) = struct.unpack_from(">Q", content, start + 8)
            head = 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            raise ValueError("a box is longer than what is there")
        yield kind, start + head, start + length
        start += length
