"""Draws the emblem, band, ground, ornament and seal of the documents as SVG files in `art/`.

Everything is our own and made of two ideas: links that hold each other (schools that work together)
and two leaves on one stem that are an open book. No mark of the European Union or of eTwinning.

    python templates/assets/make_art.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import acos, atan2, cos, degrees, hypot, pi, radians, sin, tau
from pathlib import Path

ART = Path(__file__).resolve().parent / "art"

Point = tuple[float, float]
Curve = Callable[[float], Point]


@dataclass(frozen=True)
class Palette:
    """The four inks of one label."""

    ink: str
    accent: str
    tint: str
    paper: str = "#fffefa"


PALETTES = {
    "national": Palette("#0e4551", "#b9853a", "#e3eeee"),
    "european": Palette("#232f6b", "#b8912f", "#e6e9f5"),
    "pupil": Palette("#6a2150", "#c9812c", "#f6e9f0"),
    "school": Palette("#22512f", "#ae8d2c", "#e5f0e6"),
}


def number(value: float, places: int = 2) -> str:
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def traced(curve: Curve, start: float, end: float, spans: int, places: int = 2) -> str:
    """Path data of a parametric curve: one cubic Bézier a span, with the curve's own tangents."""
    step, nudge = (end - start) / spans, 1e-5

    def tangent(t: float) -> Point:
        (ax, ay), (bx, by) = curve(t - nudge), curve(t + nudge)
        return (bx - ax) / (2 * nudge), (by - ay) / (2 * nudge)

    x, y = curve(start)
    parts = [f"M{number(x, places)} {number(y, places)}"]
    for index in range(spans):
        a, b = start + index * step, start + (index + 1) * step
        (ax, ay), (bx, by) = curve(a), curve(b)
        (dax, day), (dbx, dby) = tangent(a), tangent(b)
        points = (ax + dax * step / 3, ay + day * step / 3, bx - dbx * step / 3, by - dby * step / 3, bx, by)
        parts.append("C" + " ".join(number(p, places) for p in points))
    return "".join(parts)


def stroke(path: str, colour: str, width: float, opacity: float = 1.0, cap: str = "butt") -> str:
    faint = "" if opacity == 1 else f' stroke-opacity="{number(opacity)}"'
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{number(width)}"{faint}'
        f' stroke-linecap="{cap}"/>'
    )


def svg(width: float, height: float, body: str, *, centred: bool = False) -> str:
    corner = f"{number(-width / 2)} {number(-height / 2)}" if centred else "0 0"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{corner} {number(width)} {number(height)}">'
        f"{body}</svg>\n"
    )


def trochoid(radius: float, arm: float, loops: int, wraps: int = 1) -> Curve:
    """A point on an arm that turns `loops` times while its hub goes `wraps` times round."""
    return lambda t: (
        radius * cos(wraps * t) + arm * cos((wraps - loops) * t),
        radius * sin(wraps * t) + arm * sin((wraps - loops) * t),
    )


def waves(radius: float, swing: float, lobes: int, turns: int, places: int = 2) -> str:
    """A guilloche ring: one lobed ring, drawn `turns` times with its phase moved on."""

    def ring(phase: float) -> Curve:
        def at(t: float) -> Point:
            r = radius + swing * sin(lobes * t + phase)
            return r * cos(t), r * sin(t)

        return at

    return "".join(traced(ring(tau * turn / turns), 0, tau, lobes * 3, places) + "Z" for turn in range(turns))


def arc(centre: Point, radius: float, start: float, end: float) -> str:
    """Path data of a part of a circle, angles in degrees, clockwise on the page."""
    (x, y), a, b = centre, radians(start), radians(end)
    large = int(abs(end - start) > 180)
    sweep = int(end > start)
    return (
        f"M{number(x + radius * cos(a))} {number(y + radius * sin(a))}"
        f"A{number(radius)} {number(radius)} 0 {large} {sweep}"
        f" {number(x + radius * cos(b))} {number(y + radius * sin(b))}"
    )


def chain(ring: float, links: int, radius: float, width: float, colours: tuple[str, str], gap: str) -> str:
    """Links that go round and hold each other: over the next at its outer crossing, under at its inner."""
    parts = []
    centres = [
        (ring * cos(tau * i / links - pi / 2), ring * sin(tau * i / links - pi / 2)) for i in range(links)
    ]
    for index, (x, y) in enumerate(centres):
        circle = f'cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="none"'
        parts.append(
            f'<circle {circle} stroke="{gap}" stroke-width="{number(width * 1.75)}"/>'
            f'<circle {circle} stroke="{colours[index % 2]}" stroke-width="{number(width)}"/>'
        )

    def facing(a: Point, b: Point, outer: bool) -> float:
        """The angle, seen from link `a`, of its outer or inner crossing with link `b`."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        direction, spread = atan2(dy, dx), acos(hypot(dx, dy) / 2 / radius)
        options = (direction + spread, direction - spread)

        def reach(angle: float) -> float:
            return hypot(a[0] + radius * cos(angle), a[1] + radius * sin(angle))

        return degrees(max(options, key=reach) if outer else min(options, key=reach))

    for index, here in enumerate(centres):
        after, before = centres[(index + 1) % links], centres[index - 1]
        for angle in (facing(here, after, True), facing(here, before, False)):
            path = arc(here, radius, angle - 15, angle + 15)
            parts.append(stroke(path, gap, width * 1.75))
            parts.append(stroke(arc(here, radius, angle - 19, angle + 19), colours[index % 2], width))
    return "".join(parts)


def twin_leaves(p: Palette, scale: float) -> str:
    """Two leaves on one stem, which are an open book."""
    left = "M0 22C-3 8-13 0-29-2C-30-15-25-26-19-31C-8-26 0-15 0 0Z"
    vein = "M-1.6 14C-6-2-12-13-18.5-21M-5.4 1.5C-11-2.5-17-5-23-6M-9.6-7.5C-12-12.5-13-17-13.2-22"
    half = (
        f'<path d="{left}" fill="{{fill}}"/>'
        f'<path d="{vein}" fill="none" stroke="{p.tint}" stroke-width="1.1" stroke-linecap="round"/>'
    )
    stem = f'<path d="M0 33V16" stroke="{p.ink}" stroke-width="2.6" stroke-linecap="round"/>'
    fold = f'<path d="M0 15V-1" stroke="{p.tint}" stroke-width="2"/>'
    return (
        f'<g transform="translate(0 1) scale({number(scale)})">{stem}'
        f"<g>{half.format(fill=p.ink)}</g>"
        f'<g transform="scale(-1 1)">{half.format(fill=p.accent)}</g>{fold}</g>'
    )


def emblem(p: Palette) -> str:
    body = (
        f'<circle r="99" fill="{p.paper}"/>'
        + stroke(waves(88, 5.6, 30, 4, 1), p.accent, 0.5)
        + f'<circle r="96.6" fill="none" stroke="{p.ink}" stroke-width="1.5"/>'
        + f'<circle r="79.4" fill="{p.paper}" stroke="{p.accent}" stroke-width=".7"/>'
        + chain(58.5, 12, 18.8, 4.3, (p.ink, p.accent), p.paper)
        + f'<circle r="36.4" fill="{p.tint}"/>'
        + twin_leaves(p, 0.95)
    )
    return svg(200, 200, body, centred=True)


BAND_WIDTH, FIELD_WIDTH, HEIGHT = 62.0, 235.0, 210.0


def band(p: Palette) -> str:
    """The woven band at the side, in millimetres."""
    w, h = BAND_WIDTH, HEIGHT

    def strand(swing: float, period: float, phase: float, drift: float) -> Curve:
        return lambda t: (
            w / 2
            + swing * sin(tau * t / period + phase) * (0.62 + 0.38 * cos(tau * t / h))
            + drift * sin(tau * t / (period * 2) - phase),
            t,
        )

    veil = "".join(traced(strand(24, 105, tau * i / 16, 5), -2, h + 2, 16) for i in range(16))
    core = "".join(traced(strand(8.5, 35, tau * i / 5, 2.5), -2, h + 2, 36) for i in range(5))
    edge = "".join(
        traced(lambda t, s=s: (w - 3.1 + s * 0.95 * sin(pi * t / 3.5), t), -3.5, h + 3.5, 124)
        for s in (1, -1)
    )
    body = (
        f'<rect width="{w}" height="{h}" fill="{p.ink}"/>'
        + stroke(veil, p.paper, 0.15, 0.34)
        + stroke(core, p.accent, 0.2, 0.8)
        + f'<rect x="{number(w - 5.2)}" width="5.2" height="{h}" fill="{p.ink}"/>'
        + stroke(f"M{number(w - 5.2)} 0V{h}", p.accent, 0.22)
        + stroke(edge, p.accent, 0.3)
        + stroke(f"M{number(w - 0.5)} 0V{h}", p.accent, 1)
    )
    return svg(w, h, body)


def looped_frame(inset: float, radius: float, width: float, colour: str, gap: str, w: float, h: float) -> str:
    """A rectangle drawn in one line that makes a loop at each corner."""
    l, t, r, b = inset, inset, w - inset, h - inset  # noqa: E741 - left, top, right, bottom
    k = radius
    flat = f"M{number(l - k)} {number(t)}H{number(r + k)}M{number(l - k)} {number(b)}H{number(r + k)}"
    upright = f"M{number(l)} {number(t - k)}V{number(b + k)}M{number(r)} {number(t - k)}V{number(b + k)}"
    loops = (
        arc((r + k, t - k), k, 90, -180)
        + arc((l - k, t - k), k, 90, 360)
        + arc((r + k, b + k), k, -90, 180)
        + arc((l - k, b + k), k, -90, -360)
    )
    crossing = "".join(f"M{number(x)} {number(y - 1.3)}V{number(y + 1.3)}" for x in (l, r) for y in (t, b))
    return (
        stroke(flat + loops, colour, width)
        + stroke(crossing, gap, width + 1.0)
        + stroke(upright, colour, width)
    )


def ground(p: Palette) -> str:
    """The paper beside the band: a pale rosette and a frame whose line loops at the corners."""
    w, h = FIELD_WIDTH, HEIGHT
    rosette = (
        traced(trochoid(52, 27, 37, 5), 0, tau, 37 * 9)
        + "Z"
        + traced(trochoid(27, 12, 23, 3), 0, tau, 23 * 9)
        + "Z"
    )
    body = (
        f'<rect width="{w}" height="{h}" fill="{p.paper}"/>'
        f'<g transform="translate({number(w / 2)} {number(h / 2 + 2)})">{stroke(rosette, p.tint, 0.26)}</g>'
        + looped_frame(14, 2.6, 0.75, p.ink, p.paper, w, h)
        + f'<rect x="16.1" y="16.1" width="{number(w - 32.2)}" height="{number(h - 32.2)}" fill="none"'
        f' stroke="{p.accent}" stroke-width=".25"/>'
        + "".join(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="1" fill="{p.accent}"/>'
            for x in (11.4, w - 11.4)
            for y in (11.4, h - 11.4)
        )
    )
    return svg(w, h, body)


def ornament(p: Palette) -> str:
    """Three links between two hairlines, under a title."""
    links: list[tuple[float, str]] = [(-3.1, p.accent), (0, p.ink), (3.1, p.accent)]
    body = "".join(
        f'<circle cx="{number(x)}" r="2" fill="none" stroke="{colour}" stroke-width=".55"/>'
        for x, colour in links
    )
    for x, middle in ((-3.1, -39), (3.1, 141)):  # where an outer link passes over the inner one
        body += stroke(arc((x, 0), 2, middle - 19, middle + 19), p.paper, 1.1)
        body += stroke(arc((x, 0), 2, middle - 25, middle + 25), p.accent, 0.55)
    body += stroke("M-35 0H-7.4M7.4 0H35", p.accent, 0.28)
    body += f'<circle cx="-7.4" r=".55" fill="{p.accent}"/><circle cx="7.4" r=".55" fill="{p.accent}"/>'
    return svg(70, 6, body, centred=True)


def seal(p: Palette) -> str:
    """The round seal that carries the school year, in millimetres."""
    body = (
        f'<circle r="13.6" fill="{p.paper}"/>'
        + stroke(waves(11.9, 1.5, 24, 4), p.accent, 0.2)
        + f'<circle r="9.5" fill="{p.paper}" stroke="{p.accent}" stroke-width=".3"/>'
        + f'<circle r="8.9" fill="none" stroke="{p.accent}" stroke-width=".12"/>'
    )
    return svg(28, 28, body, centred=True)


def letterhead(p: Palette) -> str:
    """The woven strip at the head of a letter, 210 by 9 millimetres."""
    w, h = 210.0, 9.0

    def strand(swing: float, period: float, phase: float) -> Iterator[str]:
        yield traced(lambda t: (t, h / 2 + swing * sin(tau * t / period + phase)), -3, w + 3, 36)

    veil = "".join("".join(strand(3.4, 42, tau * i / 8)) for i in range(8))
    core = "".join("".join(strand(1.5, 35, pi * i)) for i in range(2))
    body = (
        f'<rect width="{w}" height="{h}" fill="{p.ink}"/>'
        + stroke(veil, p.paper, 0.14, 0.4)
        + stroke(core, p.accent, 0.24)
        + stroke(f"M0 {number(h - 0.3)}H{w}", p.accent, 0.6)
    )
    return svg(w, h, body)


def main() -> None:
    ART.mkdir(exist_ok=True)
    pictures = (emblem, band, ground, ornament, seal, letterhead)
    for label, palette in PALETTES.items():
        for picture in pictures:
            path = ART / f"{picture.__name__}-{label}.svg"
            path.write_text(picture(palette), encoding="utf-8")
            print(f"{path.name:24} {path.stat().st_size:>7,}")


if __name__ == "__main__":
    main()
