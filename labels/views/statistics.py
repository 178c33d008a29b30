"""The statistics of organisations: ten years of numbers, by label, stage and organisation, for every door from one function.

What each number means is said in `labels/views/statistic_words.py`, and docs/statistics.md. Numbers behind which fewer
than five people stand are not shown, nor is anything they would follow from (`labels/views/small_numbers.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotFound
from labels.kinds import LabelKind
from labels.people.staff import known_organisation
from labels.record.schema import Organisation
from labels.rules.calendars import school_year
from labels.views import statistic_queries as queries
from labels.views.applications import Scope
from labels.views.counts import COUNTED, Amount, Block, Count, Label, Part, Shown, shown_of, shown_of_all
from labels.views.figures import Figures, figures, of_year
from labels.views.small_numbers import LEAST
from labels.views.statistic_queries import Place

YEARS = 10
"""School years that are told of: the one that is asked for, and those before it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for."""

    year: int | None = None
    """The year in which the school year began; None for the present one."""
    label: LabelKind | None = None
    """None for all labels for which teachers and schools apply."""


@dataclass(frozen=True, slots=True)
class Middle:
    """The middle of some numbers."""

    median: float
    mean: float


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of a year, a label or an organisation; None where one is not shown."""

    counts: Mapping[Count, int | None]
    first_review: Middle | None
    """Days from the day on which an application was received to its first review."""
    decision: Middle | None
    """Days until it was decided for the first time."""

    def share(self, count: Count, of: Count) -> float | None:
        """One count as a part of another, from 0 to 1; None where either is not shown or there is nothing."""
        part, whole = self.counts[count], self.counts[of]
        return part / whole if part is not None and whole else None


@dataclass(frozen=True, slots=True)
class Reviewing:
    """How a year's reviews were given; None where fewer than five people gave them."""

    reviewers: int | None = None
    each: Middle | None = None
    """Reviews that one person gave."""
    days: Middle | None = None
    """From the request to the review, without what the applicant took to answer."""
    pairs: int | None = None
    """Applications for which two people gave a review."""
    apart: Middle | None = None
    """How far the totals of the two lie apart, in points of a hundred that can be reached."""


@dataclass(frozen=True)
class Statistics:
    """All numbers that one page, report or file shows."""

    organisation: Organisation
    """Whose they are; the Central Support Service for those of all organisations."""
    every: bool
    """Whether they are of all organisations."""
    at: datetime
    year: int
    label: Label
    years: Mapping[int, Line]
    """The ten years, the earliest first."""
    labels: Mapping[LabelKind, tuple[Line, Line]]
    """By label: the year that is asked for and the one before; empty where one label is asked for."""
    organisations: Sequence[tuple[Organisation, Line]] = ()
    """Where they are of all: each that received anything in that year, by its id."""
    reviewing: Mapping[int, Reviewing] = field(default_factory=dict)
    """The year that is asked for and the one before."""
    left_out: int = 0
    """Applications that are in no number, since whoever asks has a conflict of interest in them."""

    @property
    def line(self) -> Line:
        """The year that is asked for."""
        return self.years[self.year]

    @property
    def before(self) -> Line:
        """The year before it."""
        return self.years[self.year - 1]

    @cached_property
    def hides(self) -> bool:
        """Whether any number is not shown."""
        lines = [*self.years.values(), *(one for pair in self.labels.values() for one in pair)]
        lines += [line for _, line in self.organisations]
        return any(number is None for line in lines for number in line.counts.values())


def statistics(
    session: Session,
    scope: Scope,
    organisation: str,
    now: datetime,
    filters: Filters | None = None,
    *,
    person: str = "",
) -> Statistics:
    """The statistics of an organisation, or of all for the Central Support Service's id.

    Args:
        session: the record.
        scope: whose applications somebody sees.
        organisation: its id.
        now: the present instant.
        filters: the year and the label.
        person: whoever asks, by their id; applications in which they have a conflict of interest are left out.
            Empty for whoever runs this installation.

    Raises:
        NotFound: there is no such organisation, or it is none of theirs.
        InvalidInput: the year lies in the future, or the label is none that is applied for.
    """
    filters = filters or Filters()
    if scope.organisations is not None and organisation not in scope.organisations:
        raise NotFound(f"There is no organisation {organisation}.")
    whose = known_organisation(session, organisation)
    this = school_year(brussels_day(now))
    year = this if filters.year is None else filters.year
    _check(year, this, filters.label)
    every = whose.kind == "CSS"
    left_out = queries.in_conflict(session, person) if person else frozenset()
    organisations = None if every else frozenset({whose.id})
    asked = queries.Asked(organisations, year - YEARS + 1, year, left_out)
    return _gathered(session, whose, now, filters.label, asked)


def _check(year: int, this: int, label: Label) -> None:
    faults = []
    if not FIRST_YEAR <= year <= this:
        faults.append(
            Fault("year", f"{year} is none of {FIRST_YEAR} to {this}, in which a school year began.")
        )
    if label is not None and label not in COUNTED:
        known = " and ".join(COUNTED)
        faults.append(Fault("label", f"nobody applies for {label}; expected one of {known}."))
    if faults:
        raise InvalidInput("statistics", faults)


FIRST_YEAR = 2005
"""When eTwinning began."""


def _gathered(
    session: Session, whose: Organisation, now: datetime, label: Label, asked: queries.Asked
) -> Statistics:
    year, every = asked.last, asked.organisations is None
    found = figures(session, asked)
    blocks = _blocks(session, asked, found)

    def shown_in(one: int) -> Shown:
        if not every:
            return shown_of(blocks[one].get(whose.id, _NOTHING), whose.id)
        return shown_of_all(tuple(sorted(blocks[one].items())))

    def line(one: int, of: Label) -> Line:
        shown, there = shown_in(one), blocks[one].values()
        counts = {
            count: sum(block.number(of, count) for block in there) if (of, count) in shown else None
            for count in Count
        }
        return _line(counts, of_year(found.first_review, one, of), of_year(found.decision, one, of))

    def line_of(organisation: str, block: Block) -> Line:
        shown = shown_of(block, organisation)
        counts = {count: block.number(label, count) if (label, count) in shown else None for count in Count}
        return _line(
            counts,
            of_year(found.first_review, year, label, organisation),
            of_year(found.decision, year, label, organisation),
        )

    known = {one.id: one for one in session.scalars(sa.select(Organisation))} if every else {}
    return Statistics(
        organisation=whose,
        every=every,
        at=now,
        year=year,
        label=label,
        years={one: line(one, label) for one in range(asked.first, year + 1)},
        labels={} if label else {one: (line(year, one), line(year - 1, one)) for one in COUNTED},
        organisations=[
            (known[name], line_of(name, block))
            for name, block in (sorted(blocks[year].items()) if every else ())
            if block.number(label, Count.RECEIVED)
        ],
        reviewing={
            one: _reviewing(found, one, label, (label, Count.REVIEWS) in shown_in(one))
            for one in (year, year - 1)
        },
        left_out=queries.how_many(session, asked),
    )


_NOTHING = Block()


def _line(counts: Mapping[Count, int | None], first: Counter[int], decided: Counter[int]) -> Line:
    shown = counts[Count.DECIDED] is not None
    return Line(counts, middle(first), middle(decided) if shown else None)


def middle(days: Mapping[Any, int]) -> Middle | None:
    """The middle of numbers, of each of which there are so many; None of fewer than five."""
    total = sum(days.values())
    if total < LEAST:
        return None
    return Middle(
        _median(sorted(days.items()), total), sum(day * times for day, times in days.items()) / total
    )


def _median(sorted_days: Iterable[tuple[float, int]], total: int) -> float:
    lower, upper = (total - 1) // 2, total // 2
    seen, found = 0, list[float]()
    for day, times in sorted_days:
        seen += times
        found += [day] * ((lower < seen) + (upper < seen) - len(found))
        if len(found) == 2:
            break
    return sum(found) / 2


def _blocks(session: Session, asked: queries.Asked, found: Figures) -> Mapping[int, dict[str, Block]]:
    """By year and organisation, what there is."""
    amounts: dict[Place, dict[tuple[LabelKind, Part], Amount]] = defaultdict(dict)
    for (year, organisation, label, part), number in queries.amounts(session, asked).items():
        amounts[year, organisation][label, part] = Amount(number, number)
    for place, by_label in found.reviewers.items():
        for label, people in by_label.items():
            if people:
                amounts[place][label, Part.REVIEWS] = Amount(people.total(), len(people))
    blocks: dict[int, dict[str, Block]] = {year: {} for year in range(asked.first, asked.last + 1)}
    for (year, organisation), parts in amounts.items():
        blocks[year][organisation] = Block(
            tuple((label, part, parts[label, part]) for label, part in sorted(parts)),
            len(of_year(found.reviewers, year, None, organisation)),
        )
    return blocks


def _reviewing(found: Figures, year: int, label: Label, shown: bool) -> Reviewing:
    people = of_year(found.reviewers, year, label)
    if not shown or len(people) < LEAST:
        return Reviewing()
    apart = of_year(found.apart, year, label)
    return Reviewing(
        reviewers=len(people),
        each=middle(Counter(people.values())),
        days=middle(of_year(found.review_days, year, label)),
        pairs=apart.total() if apart.total() >= LEAST else None,
        apart=middle(apart),
    )


def choices(session: Session, scope: Scope) -> list[Organisation]:
    """The organisations whose statistics somebody can be shown; the Central Support Service, which stands for all, first."""
    query = sa.select(Organisation).order_by(Organisation.kind != "CSS", Organisation.id)
    if scope.organisations is not None:
        query = query.where(Organisation.id.in_(scope.organisations))
    return list(session.scalars(query))


def of_whom(session: Session, scope: Scope, asked: str) -> str:
    """The organisation whose statistics somebody is shown: the one that they ask for, else their own.

    Raises:
        NotFound: they coordinate none.
    """
    if asked:
        return asked
    own = sa.select(Organisation.id).where(Organisation.id.in_(scope.named or ()))
    first = session.scalar(own.order_by(Organisation.kind != "CSS", Organisation.id).limit(1))
    if first is None:
        raise NotFound("There is no organisation of yours.")
    return first
