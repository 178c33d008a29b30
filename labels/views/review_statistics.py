"""A reviewer's own numbers, each with what it counts: how many, how fast, how many points, how near to the decision."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.record.schema import (
    Application,
    Decision,
    Review,
    Step,
    StepKind,
    StepState,
)
from labels.rules.kept import rules_of
from labels.words.text import word_count

_Row = sa.Row[tuple[Step, Application, Review, float | None]]
Rows = Sequence[_Row]

BANDS = 10
"""Into how many equal parts the points that can be reached are divided."""


@dataclass(frozen=True, slots=True)
class YearLine:
    """One school year."""

    year: int
    """In which it began."""
    asked: int
    """Reviews that the person was asked for, whatever came of them."""
    sent: int
    declined: int
    taken_back: int
    open: int
    """To do, or waiting for the applicant."""
    in_time: int
    """Of those sent, how many by their deadline."""
    median_days: float | None
    """Of those sent: days from the request until it was sent, without the time that the applicant took to answer."""


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """What somebody gave for one criterion."""

    name: str
    maximum: int
    mean: float
    reviews: int


@dataclass(frozen=True, slots=True)
class MyStatistics:
    """The numbers of one reviewer: of their own reviews, and of decisions that are made."""

    years: tuple[YearLine, ...]
    """The latest first."""
    spread: tuple[int, ...]
    """How many of the reviews sent gave 0 to 10 %, 10 to 20 %, … of the points that can be reached."""
    criteria: tuple[CriterionLine, ...]
    """Of the criteria set with the most of their reviews."""
    criteria_set: str
    """Its name; empty where nothing was sent."""
    decided: int
    """Of those sent, how many whose application is decided."""
    distance: float | None
    """Of those: how many points of a hundred that can be reached lie between the person's total and the decision's, on
    average; None where nothing is decided."""
    comment_words: int | None
    """Of those sent: the middle number of words in the comment to the applicant."""

    @property
    def total(self) -> YearLine:
        """All years together, without a median."""

        def add(name: str) -> int:
            return sum(getattr(line, name) for line in self.years)

        return YearLine(
            0,
            add("asked"),
            add("sent"),
            add("declined"),
            add("taken_back"),
            add("open"),
            add("in_time"),
            None,
        )


def my_statistics(session: Session, person: str) -> MyStatistics:
    """A person's numbers; of undecided applications nothing but their own part is in them."""
    rows = session.execute(_MINE, {"person": person}).all()
    waited = _waited(session, person)
    sent = [row for row in rows if row.Step.state is StepState.ANSWERED and row.Review is not None]
    years = [_year(year, of, waited) for year, of in _by_year(rows)]
    shares, distances, by_set = (
        [],
        [],
        defaultdict[str, list[_Row]](list),
    )
    for row in sent:
        criteria = rules_of(session, row.Application).criteria_set
        total = sum(row.Review.scores[one.id] for one in criteria.counted)
        shares.append(total / criteria.maximum)
        by_set[row.Application.rules].append(row)
        if row.score is not None:
            distances.append(100 * abs(total - row.score) / criteria.maximum)
    name, lines = _criteria(session, by_set)
    counted = Counter(min(int(share * BANDS), BANDS - 1) for share in shares)
    return MyStatistics(
        years=tuple(years),
        spread=tuple(counted[band] for band in range(BANDS)) if shares else (),
        criteria=lines,
        criteria_set=name,
        decided=len(distances),
        distance=statistics.mean(distances) if distances else None,
        comment_words=round(statistics.median(word_count(row.Review.comment) for row in sent))
        if sent
        else None,
    )


_MINE = (
    sa.select(Step, Application, Review, Decision.score)
    .join(Application, Application.id == Step.application)
    .outerjoin(Review, sa.and_(Review.step == Step.id, Review.void_at.is_(None)))
    .outerjoin(
        Decision,
        sa.and_(Decision.application == Step.application, Decision.instance == Step.instance),
    )
    .where(Step.person == sa.bindparam("person"), Step.kind == StepKind.REVIEW)
    .order_by(Application.school_year.desc(), Step.id)
)

_Review = aliased(Step)
_WAITED = (
    sa.select(Step.asked_by, Step.opened_at, Step.closed_at)
    .join(_Review, sa.and_(_Review.id == Step.asked_by, _Review.application == Step.application))
    .where(
        _Review.person == sa.bindparam("person"),
        Step.kind == StepKind.INFORMATION,
        Step.closed_at.is_not(None),
    )
)


def _waited(session: Session, person: str) -> Mapping[str, timedelta]:
    """By review: how long applicants took to answer."""
    found: dict[str, timedelta] = defaultdict(timedelta)
    for row in session.execute(_WAITED, {"person": person}):
        found[row.asked_by] += row.closed_at - row.opened_at
    return found


def _by_year(rows: Rows) -> list[tuple[int, Rows]]:
    years: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        years[row.Application.school_year].append(row)
    return list(years.items())


def _year(year: int, rows: Rows, waited: Mapping[str, timedelta]) -> YearLine:
    steps = [row.Step for row in rows]
    states = Counter(step.state for step in steps)
    sent = [step for step in steps if step.state is StepState.ANSWERED]
    days = [_took(step, waited) for step in sent if step.closed_at]
    return YearLine(
        year=year,
        asked=len(steps),
        sent=states[StepState.ANSWERED],
        declined=states[StepState.DECLINED],
        taken_back=states[StepState.VOID] + states[StepState.EXPIRED],
        open=states[StepState.OPEN] + states[StepState.ASKED],
        in_time=sum(1 for step in sent if step.closed_at and step.due_at and step.closed_at <= step.due_at),
        median_days=statistics.median(days) if days else None,
    )


def _took(step: Step, waited: Mapping[str, timedelta]) -> float:
    closed: datetime = step.closed_at or step.opened_at
    return max((closed - step.opened_at - waited.get(step.id, timedelta())) / timedelta(days=1), 0.0)


def _criteria(session: Session, by_rules: Mapping[str, Rows]) -> tuple[str, tuple[CriterionLine, ...]]:
    """The criteria of the set that most reviews are by, with the mean of what was given."""
    by_set: dict[str, list[_Row]] = defaultdict(list)
    sets = {}
    for rows in by_rules.values():
        criteria = rules_of(session, rows[0].Application).criteria_set
        by_set[criteria.id].extend(rows)
        sets[criteria.id] = criteria
    if not by_set:
        return "", ()
    most = max(by_set, key=lambda name: (len(by_set[name]), name))
    return sets[most].name, tuple(
        CriterionLine(one.name, one.maximum, statistics.mean(given), len(given))
        for one in sets[most].criteria
        if (given := [row.Review.scores[one.id] for row in by_set[most] if one.id in row.Review.scores])
    )
