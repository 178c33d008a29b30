"""A year as a picture: what people are awaited for from day to day, and what came in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from xml.sax.saxutils import escape

from benchmarks.year.telling import Queues

INK, ACCENT = "#0e4551", "#b9853a"
PAPER, GREY, LINE = "#fdfbf6", "#5f7075", "#d9d5ca"
SHADES = {
    "reviews": "#0e4551",
    "questions to applicants": "#6f9aa3",
    "schools' self-assessments": "#b9853a",
}
HEADING = "A year of Europe’s labels"
WIDTH, HEIGHT = 1200, 640
LEFT, RIGHT = 84, 1164
TOP, MIDDLE, GAP, BOTTOM = 112, 424, 64, 584
"""The upper panel is from TOP to MIDDLE, the lower from MIDDLE + GAP to BOTTOM."""


def draw(queues: Queues, factor: float, marks: Sequence[tuple[date, str]], below: str) -> str:
    """The picture as SVG; `factor` is what the numbers are multiplied by, `marks` are days worth a word."""
    days = len(queues.arrived)
    stacked: list[list[float]] = [[0.0] * days]
    for name in SHADES:
        stacked.append(
            [base + factor * own for base, own in zip(stacked[-1], queues.awaited[name], strict=True)]
        )
    arrived = [factor * number for number in queues.arrived]
    upper_ticks, lower_ticks = _ticks(max(stacked[-1])), _ticks(max(arrived), 3)
    high, arrivals_high = upper_ticks[-1], lower_ticks[-1]

    def x(day: float) -> float:
        return LEFT + (RIGHT - LEFT) * day / days

    def y(value: float) -> float:
        return MIDDLE - (MIDDLE - TOP) * (value / high)

    def z(value: float) -> float:
        return BOTTOM - (BOTTOM - MIDDLE - GAP) * (value / arrivals_high)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="Noto Sans, DejaVu Sans, sans-serif" font-size="13" fill="{INK}" role="img">',
        f"<title>{escape(HEADING)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="40" font-size="21" font-weight="600">{escape(HEADING)}</text>',
        *_legend(),
    ]
    for value in upper_ticks:
        parts += _rule(y(value), f"{value:,.0f}".replace(",", " "))
    for value in lower_ticks:
        parts += _rule(z(value), f"{value:,.0f}".replace(",", " "))
    for month, start in _months(queues.first, days):
        name = month.strftime("%b" if month.month != 1 else "%b %Y")
        parts.append(
            f'<line x1="{x(start):.1f}" x2="{x(start):.1f}" y1="{TOP}" y2="{BOTTOM}" stroke="{LINE}" stroke-width="0.6"/>'
        )
        parts.append(f'<text x="{x(start) + 5:.1f}" y="{BOTTOM + 20}" fill="{GREY}">{name}</text>')
    for name, lower, upper in zip(SHADES, stacked, stacked[1:], strict=False):
        there = [f"{x(d):.1f},{y(v):.1f}" for d, v in enumerate(upper)]
        back = [f"{x(d):.1f},{y(v):.1f}" for d, v in reversed(list(enumerate(lower)))]
        parts.append(f'<polygon points="{" ".join(there + back)}" fill="{SHADES[name]}"/>')
    wide = max(0.8, (RIGHT - LEFT) / days * 0.72)
    for day, number in enumerate(arrived):
        if number:
            parts.append(
                f'<rect x="{x(day):.1f}" y="{z(number):.1f}" width="{wide:.2f}" height="{BOTTOM - z(number):.1f}" fill="{INK}"/>'
            )
    parts.append(
        f'<text x="{LEFT}" y="{MIDDLE + GAP - 18}" font-weight="600">Applications that arrive in a day</text>'
    )
    parts.append(f'<text x="{LEFT}" y="{TOP - 16}" font-weight="600">Answers that are awaited</text>')
    for place, (when, what) in enumerate(marks):
        at = x((when - queues.first).days)
        height = TOP + 14 + 20 * (place % 2)
        end = at > RIGHT - 230
        anchor, shift = ("end", -7) if end else ("start", 7)
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 4}" y2="{MIDDLE}" stroke="{ACCENT}" stroke-width="1.1" stroke-dasharray="3 3"/>'
        )
        parts.append(
            f'<text x="{at + shift:.1f}" y="{height}" text-anchor="{anchor}" fill="#8a5f1f" stroke="{PAPER}" '
            f'stroke-width="4" paint-order="stroke">{escape(what)}</text>'
        )
    parts.append(
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="{MIDDLE}" y2="{MIDDLE}" stroke="{INK}" stroke-width="1"/>'
    )
    parts.append(
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}" stroke="{INK}" stroke-width="1"/>'
    )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 10}" font-size="12" fill="{GREY}">{escape(below)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> list[str]:
    parts, at = [], float(LEFT + 230)
    for name, colour in SHADES.items():
        parts.append(f'<rect x="{at:.0f}" y="{TOP - 27}" width="12" height="12" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{at + 18:.0f}" y="{TOP - 16}">{escape(name)}</text>')
        at += 46 + 7.2 * len(name)
    return parts


def _rule(height: float, text: str) -> list[str]:
    return [
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{LINE}" stroke-width="0.8"/>',
        f'<text x="{LEFT - 10}" y="{height + 4:.1f}" text-anchor="end" fill="{GREY}">{text}</text>',
    ]


def _ticks(most: float, number: int = 5) -> list[float]:
    """Round numbers up to above the highest value, at most so many."""
    step = 1.0
    while True:
        for times in (1, 2, 2.5, 5):
            if step * times * number >= most * 1.05 and (times != 2.5 or step > 1):
                height = step * times
                return [height * n for n in range(1, math.ceil(most * 1.05 / height) + 1)]
        step *= 10


def _months(first: date, days: int) -> list[tuple[date, int]]:
    """The first day of each month, with the number of days to it."""
    return [
        (first + timedelta(days=day), day) for day in range(days) if (first + timedelta(days=day)).day == 1
    ]
