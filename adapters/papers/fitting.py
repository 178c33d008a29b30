"""How a text of any length fits its place: it shrinks by its measured width, then wraps, and is never cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from labels.words.text import cut

MILLIMETRES_A_POINT = 25.4 / 72

Gauge = Callable[[Sequence[tuple[str, str]]], list[float]]
"""Widths in ems of (style, text) runs, as `Press.widths` measures them."""

_LINE_MAY_END = re.compile(r"(?<=[-‐–/])(?=\w)|\s+")
_SLACK = 1.012
"""A line is laid out as one run, measured as several: kerning between them may add a little."""


@dataclass(frozen=True)
class Room:
    """The place a text has."""

    style: str
    """The class of the style sheet that sets its font."""
    width: float
    """Millimetres."""
    height: float
    """Millimetres, for all its lines."""
    largest: float
    """Points."""
    wraps_below: float
    """Points: a text stays on one line down to this size, smaller than this it wraps instead."""
    smallest: float = 5.0
    """Points: only a text that fills its room at this size is set smaller still."""
    leading: float = 1.18
    """Line height, in ems."""


@dataclass(frozen=True)
class Setting:
    """A text as it is to be set."""

    lines: tuple[str, ...]
    size: float
    """Points."""
    leading: float

    @property
    def height(self) -> float:
        """Millimetres."""
        return len(self.lines) * self.size * self.leading * MILLIMETRES_A_POINT


@dataclass(frozen=True)
class _Part:
    """What stays on one line."""

    text: str
    spaced: bool
    width: float


def fit(wanted: Sequence[tuple[str, Room]], gauge: Gauge) -> list[Setting]:
    """Every text in its room, measured together.

    The largest size wins at which the text stays on one line; below `wraps_below` the largest at which
    it fits the room on several lines of even width.
    """
    whole = _measured(((room.style, text) for text, room in wanted), gauge)
    split = {
        (text, room): _parts(text)
        for text, room in wanted
        if _on_one_line(room, whole[room.style, text]) < min(room.wraps_below, room.largest)
    }
    pieces = {(room.style, part) for (_, room), parts in split.items() for part, _ in parts}
    spaces = {(room.style, around) for _, room in split for around in ("n n", "nn")}
    widths = _measured(sorted(pieces | spaces), gauge)
    settings = []
    for text, room in wanted:
        if (text, room) not in split:
            settings.append(
                Setting((text,), _rounded(_on_one_line(room, whole[room.style, text])), room.leading)
            )
            continue
        space = widths[room.style, "n n"] - widths[room.style, "nn"]
        parts = split[text, room]
        measured = [_Part(part, spaced, widths[room.style, part]) for part, spaced in parts]
        settings.append(_wrap(room, measured, space))
    return settings


def _measured(runs: Iterable[tuple[str, str]], gauge: Gauge) -> dict[tuple[str, str], float]:
    distinct = list(dict.fromkeys(runs))
    return dict(zip(distinct, gauge(distinct), strict=True))


def _on_one_line(room: Room, width: float) -> float:
    """The largest size, in points, at which a text that is so many ems wide stays on one line."""
    size = min(room.largest, room.width / MILLIMETRES_A_POINT / max(width, 0.01) / _SLACK)
    return min(size, room.height / MILLIMETRES_A_POINT / room.leading)


def _parts(text: str) -> list[tuple[str, bool]]:
    """The parts after which a line may end, each with whether a space follows it."""
    found: list[tuple[str, bool]] = []
    position = 0
    for match in _LINE_MAY_END.finditer(text):
        found.append((text[position : match.start()], bool(match.group())))
        position = match.end()
    found.append((text[position:], False))
    pieces = []
    for part, spaced in found:
        while len(part) > 24:  # nothing a language writes as one word is wider than the page: chop it
            dot = part.rfind(".", 4, 23) + 1  # of an address
            head = part[:dot] or cut(part, 20) or part[:20]
            pieces.append((head, False))
            part = part[len(head) :]
        if part:
            pieces.append((part, spaced))
    return pieces


def _wrap(room: Room, parts: list[_Part], space: float) -> Setting:
    """The largest size at which the parts fit their room on several lines of even width."""

    def ems(size: float) -> float:
        return room.width / MILLIMETRES_A_POINT / size / _SLACK

    size = min(room.largest, room.wraps_below * 1.12)
    while True:
        lines = _wrapped(parts, ems(size), space)
        setting = Setting(tuple(map(_joined, lines)), _rounded(size), room.leading)
        widest = max(part.width for part in parts)
        if setting.height <= room.height and widest <= ems(size):
            return Setting(tuple(map(_joined, _evened(parts, ems(size), space))), setting.size, room.leading)
        if size <= 2:  # a room too small for a legal text is a fault of the layout, found by its tests
            return setting
        size *= 0.97


def _rounded(size: float) -> float:
    return int(size * 100) / 100


def _joined(line: list[_Part]) -> str:
    return "".join(part.text + (" " if part.spaced else "") for part in line).strip()


def _wrapped(parts: list[_Part], width: float, space: float) -> list[list[_Part]]:
    lines: list[list[_Part]] = [[]]
    filled = 0.0
    for part in parts:
        if lines[-1] and filled + part.width > width:
            lines.append([])
            filled = 0.0
        lines[-1].append(part)
        filled += part.width + (space if part.spaced else 0)
    return lines


def _evened(parts: list[_Part], width: float, space: float) -> list[list[_Part]]:
    """The same number of lines, as narrow as they get."""
    lines = _wrapped(parts, width, space)
    low, high = max(part.width for part in parts), width
    for _ in range(12):
        middle = (low + high) / 2
        if len(_wrapped(parts, middle, space)) > len(lines):
            low = middle
        else:
            high = middle
    return _wrapped(parts, high, space)
