"""Plots as SVG, for pages and papers: a few shapes and numbers, without a script or a style of their own.

Small templates do it: libraries for plots bring styles, fonts or scripts that neither the desk's pages nor PDF/UA may
have, and none of them runs from right to left. Shapes have the certificates' ink as attributes, for papers, and
classes, by which a page gives them the ink of its own. Beside each plot stands a table with the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

INK, PALE, GOLD, LINE, QUIET = "#0e4551", "#e3cda4", "#83591a", "#cfc7b4", "#565a5f"
"""The certificates' ink, gold that is pale, gold that can be read, lines, and the grey of what is said beside."""

_WIDTH, _HEIGHT = 540, 184
_TOP, _BASE = 24, 158
_SIZE = 13
_WIDEST = 90
"""A column's place at most: of a single year, it is no wall."""


@dataclass(frozen=True, slots=True)
class Column:
    """One place of a plot: what it is called, its numbers and how these are written; None where one is not there."""

    name: str
    whole: float | None
    part: float | None
    text: str


def columns(title: str, told: str, shown: Sequence[Column], *, mirrored: bool, name: str) -> Markup:
    """Columns for wholes, each with its part in ink; `mirrored` where reading runs from right to left.

    Args:
        title: what it shows.
        told: the same in a sentence or two, for whoever doesn't see it.
        shown: the columns, in their order in time.
        mirrored: whether time runs from right to left.
        name: tells its ids from those of the page's other plots.
    """
    most = max((max(one.whole or 0, one.part or 0) for one in shown), default=0) or 1
    width = _WIDTH / len(shown)
    broad = min(width, _WIDEST)

    def drawn() -> Iterator[str]:
        for place, one in enumerate(shown):
            left = _left(place, len(shown), mirrored)
            middle = left + width / 2
            for value, css, colour, share in (
                (one.whole, "lastbar", PALE, 0.66),
                (one.part, "bar", INK, 0.38),
            ):
                if value:
                    height = (_BASE - _TOP) * value / most
                    yield _rect(
                        middle - share * broad / 2, _BASE - height, share * broad, height, css, colour
                    )
            # Where the whole is not shown, its sign stands above the part.
            top = _BASE - (_BASE - _TOP) * max(one.whole or 0, one.part or 0) / most
            yield _text(middle, top - 6, one.text, strong=True)
            yield _text(middle, _BASE + 19, one.name)

    return _svg(title, told, "".join(drawn()), name)


@dataclass(frozen=True, slots=True)
class Series:
    """Points along a line; None where one is not there."""

    values: Sequence[float | None]
    texts: Sequence[str]
    first: bool
    """Whether it is the line in ink; the other is in gold, and dashed."""


def lines(
    title: str, told: str, names: Sequence[str], shown: Sequence[Series], *, mirrored: bool, name: str
) -> Markup:
    """Lines over the same places as `columns` has; numbers stand above the line in ink, below the other."""
    most = max((value or 0 for one in shown for value in one.values), default=0) or 1
    width = _WIDTH / len(names)

    def at(place: int, value: float) -> tuple[float, float]:
        across = _left(place, len(names), mirrored) + width / 2
        return across, _BASE - 22 - (_BASE - 22 - _TOP) * value / most

    def drawn() -> Iterator[str]:
        for one in shown:
            colour, css = (INK, "line") if one.first else (GOLD, "last")
            dashed = "" if one.first else ' stroke-dasharray="5 4"'
            for run in _runs(one.values):
                points = " ".join("{:.1f},{:.1f}".format(*at(place, value)) for place, value in run)
                yield f'<polyline class="{css}" points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
            for place, (value, text) in enumerate(zip(one.values, one.texts, strict=True)):
                if value is None:
                    continue
                x, y = at(place, value)
                yield f'<circle class="dot-{css}" cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                yield _text(x, y - 9 if one.first else y + 19, text, strong=one.first)
        for place, text in enumerate(names):
            yield _text(_left(place, len(names), mirrored) + width / 2, _BASE + 19, text)

    return _svg(title, told, "".join(drawn()), name)


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The points that stand beside each other, with no gap between."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((place, value))
    if run:
        yield run


def _left(place: int, of: int, mirrored: bool) -> float:
    return _WIDTH / of * (of - 1 - place if mirrored else place)


def _svg(title: str, told: str, drawn: str, name: str) -> Markup:
    # Numbers alone stand in it: they run from left to right on every page.
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" direction="ltr"'
        ' aria-labelledby="{0}-title {0}-told" xmlns="http://www.w3.org/2000/svg">'
        '<title id="{0}-title">{1}</title><desc id="{0}-told">{2}</desc>'
        f'<path class="grid" d="M0 {_BASE}.5H{_WIDTH}" stroke="{LINE}" stroke-width="1"/>{{3}}</svg>'
    ).format(name, title, told, Markup(drawn))


def _rect(x: float, y: float, width: float, height: float, css: str, colour: str) -> str:
    return f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, *, strong: bool = False) -> str:
    css, colour, weight = ("strong", "#2c2f33", 600) if strong else ("name", QUIET, 400)
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-family="Noto Sans" font-size="{_SIZE}"'
        f' font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
    )
