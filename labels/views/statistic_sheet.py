"""The statistics as a flat list of figures, for files, other programs and whoever compares what the doors show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labels.kinds import KINDS, LabelKind
from labels.record.schema import Organisation
from labels.rules.calendars import in_writing
from labels.views.counts import Label
from labels.views.sheet import Cell
from labels.views.statistic_words import HIDDEN, NUMBERS, OF_LINES, Number, Unit, Value
from labels.views.statistics import Line, Reviewing, Statistics


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, with what it is of."""

    table: str
    """`years`, `labels` or `organisations`."""
    organisation: Organisation
    year: int
    label: Label
    number: Number
    value: Value
    hidden: bool
    """Whether it is there, and not shown."""

    @property
    def cell(self) -> Cell:
        """As it stands in a file."""
        if self.value is None:
            return HIDDEN if self.hidden else None
        return self.value if self.number.unit is Unit.COUNT else round(float(self.value), 2)


_NOBODY = Reviewing()


def figures(found: Statistics) -> Iterator[Figure]:
    """Every figure: the ten years, then by label, then by organisation."""
    for year, line in found.years.items():
        reviewing = found.reviewing.get(year)
        numbers = OF_LINES if reviewing is None else NUMBERS
        yield from _of("years", found.organisation, year, found.label, line, numbers, reviewing)
    for label, lines in found.labels.items():
        for year, line in zip((found.year, found.year - 1), lines, strict=True):
            yield from _of("labels", found.organisation, year, label, line, OF_LINES)
    for organisation, line in found.organisations:
        yield from _of("organisations", organisation, found.year, found.label, line, OF_LINES)


def _of(
    table: str,
    organisation: Organisation,
    year: int,
    label: Label,
    line: Line,
    numbers: tuple[Number, ...],
    reviewing: Reviewing | None = None,
) -> Iterator[Figure]:
    for number in numbers:
        value = number.of(line, reviewing or _NOBODY)
        hidden = value is None and number.count is not None
        yield Figure(table, organisation, year, label, number, value, hidden)


HEADINGS = ("table", "organisation", "country", "school year", "label", "number", "value", "what it counts")


def rows(found: Statistics) -> Iterator[tuple[Cell | Label, ...]]:
    """The figures as rows below `HEADINGS`, before labels and sentences are worded."""
    for one in figures(found):
        yield (
            one.table,
            one.organisation.id,
            one.organisation.country,
            in_writing(one.year),
            one.label,
            one.number.name,
            one.cell,
            one.number.means,
        )


def as_json(found: Statistics) -> dict[str, Any]:
    """The statistics for other programs; a figure that is not shown is `hidden`, and its value null."""
    return {
        "organisation": found.organisation.id,
        "of_all_organisations": found.every,
        "at": found.at,
        "year": found.year,
        "label": found.label,
        "left_out": found.left_out,
        "figures": [
            {
                "table": one.table,
                "organisation": one.organisation.id,
                "year": one.year,
                "label": one.label,
                "number": one.number.id,
                "value": one.value,
                "hidden": one.hidden,
            }
            for one in figures(found)
        ],
    }


def label_name(label: LabelKind | None) -> str:
    """What a label is called, in English."""
    return "all labels" if label is None else KINDS[label].name
