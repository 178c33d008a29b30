"""Plots: what they draw stays where it belongs, however few or odd the numbers are."""

from __future__ import annotations

import re

from adapters.papers.plots import Column, columns


def bars(*shown: Column) -> list[tuple[float, float, float, float]]:
    """Each bar's left side, top, width and height."""
    drawn = columns("Days", "", shown, mirrored=False, name="days")
    found = re.findall(r'<rect [^>]*x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"', drawn)
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height in found]


def test_the_columns_of_a_single_year_are_no_broader_than_those_of_many() -> None:
    [whole, part] = bars(Column("1", 20.1, 13.5, "13.5 / 20.1"))
    assert part[2] < whole[2] <= 60
    many = bars(*(Column(str(n), 20, 10, "") for n in range(6)))
    assert max(width for _, _, width, _ in many) <= 60


def test_a_part_whose_whole_is_not_shown_stays_within_the_plot() -> None:
    for shown in (
        [Column("24/25", None, 18, "*")],
        [Column("24/25", None, 18, "*"), Column("25/26", 9, 3, "9")],
    ):
        drawn = columns("Received", "", shown, mirrored=False, name="received")
        assert min(y for _, y, _, _ in bars(*shown)) >= 20
        [above] = re.findall(r'<text [^>]* y="([^"]+)"[^>]*>\*</text>', drawn)
        assert float(above) < min(y for _, y, _, _ in bars(*shown)), "its sign stands above it"
