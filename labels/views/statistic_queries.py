"""What the statistics ask the record: counts and days by year, organisation and label, never a person's row."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.kinds import LabelKind
from labels.record.schema import (
    Application,
    Award,
    Cause,
    Decision,
    Outcome,
    Reopening,
    Review,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.rules.kept import kept_rules
from labels.views.counts import COUNTED, Label, Part
from labels.views.own_conflicts import in_conflict

__all__ = [
    "Asked",
    "Days",
    "Reviews",
    "amounts",
    "days_to_decision",
    "days_to_first_review",
    "how_many",
    "in_conflict",
]

_DECIDED = (Outcome.AWARDED, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which applications."""

    organisation: str | None
    """None for all."""
    first: int
    """The first year."""
    last: int
    without: frozenset[str] = frozenset()
    """Applications that are not counted."""

    def conditions(self, first: int | None = None) -> list[sa.ColumnElement[bool]]:
        """What an application has to be: received by the organisation in those years, for a label that is applied for."""
        found = self._whose(first)
        return [*found, Application.id.not_in(self.without)] if self.without else found

    def left_out(self) -> list[sa.ColumnElement[bool]]:
        """The same of those that are not counted."""
        return [*self._whose(None), Application.id.in_(self.without)]

    def _whose(self, first: int | None) -> list[sa.ColumnElement[bool]]:
        found = [
            Application.label.in_(COUNTED),
            Application.school_year.between(self.first if first is None else first, self.last),
            # asked for last: of most it is known without looking for the declaration
            sa.or_(Application.label != LabelKind.SCHOOL, Application.outcome.in_(_DECIDED), _DECLARED),
        ]
        return found if self.organisation is None else [Application.organisation == self.organisation, *found]


_Declaration = aliased(Step)
_DECLARED = (
    sa.exists()
    .where(
        _Declaration.application == Application.id,
        _Declaration.kind == StepKind.DECLARATION,
        _Declaration.state == StepState.ANSWERED,
    )
    .correlate(Application)
)
"""A school's application is received once its principal declared it."""

_WHERE = (Application.school_year, Application.organisation, Application.label)
Where = tuple[int, str, LabelKind]


def how_many(session: Session, asked: Asked) -> int:
    """How many applications are left out."""
    if not asked.without:
        return 0
    return session.scalar(sa.select(sa.func.count()).select_from(Application).where(*asked.left_out())) or 0


# Counts -------------------------------------------------------------------------------------------


def amounts(session: Session, asked: Asked) -> Mapping[tuple[int, str, LabelKind, Part], int]:
    """How many applications and appeals there are of each part; none where there are none."""
    found: Counter[tuple[int, str, LabelKind, Part]] = Counter()
    states = (Application.outcome, Application.stage)
    for year, organisation, label, outcome, stage, number in session.execute(
        sa.select(*_WHERE, *states, sa.func.count()).where(*asked.conditions()).group_by(*_WHERE, *states)
    ):
        found[year, organisation, label, _part(outcome, stage)] += number
    for year, organisation, label, number in session.execute(
        sa.select(*_WHERE, sa.func.count())
        .join(Award, Award.id == Application.id)
        .where(*asked.conditions(), Application.outcome == Outcome.AWARDED, _REVOKED)
        .group_by(*_WHERE)
    ):
        found[year, organisation, label, Part.REVOKED] += number
        found[year, organisation, label, Part.STANDING] -= number
    for year, organisation, label, outcome, number in session.execute(_appeals(asked)):
        found[year, organisation, label, _became(outcome)] += number
    return +found


_REVOKED = Award.revoked_at.is_not(None)
_PART_OF_OUTCOME = {
    Outcome.AWARDED: Part.STANDING,
    Outcome.REFUSED: Part.REFUSED,
    Outcome.INELIGIBLE: Part.INELIGIBLE,
    Outcome.WITHDRAWN: Part.WITHDRAWN,
    Outcome.EXPIRED: Part.EXPIRED,
}
_PART_OF_STAGE = {
    Stage.REVIEW: Part.REVIEWED,
    Stage.INFORMATION: Part.ASKED,
    Stage.ASSIGNMENT: Part.UNASSIGNED,
}


def _part(outcome: Outcome | None, stage: Stage) -> Part:
    return _PART_OF_STAGE.get(stage, Part.CHECKED) if outcome is None else _PART_OF_OUTCOME[outcome]


def _appeals(asked: Asked) -> sa.Select[Any]:
    """Appeals and what was decided on each: those of applicants, and those that were granted by reopening a decision."""
    own = sa.select(Step.application, (Step.instance + 1).label("instance")).where(*_LODGED)
    granted = sa.select(Reopening.application, Reopening.instance).where(Reopening.cause == Cause.APPEAL)
    heard = sa.union(own, granted).subquery()
    return (
        sa.select(*_WHERE, Decision.outcome, sa.func.count())
        .select_from(heard)
        .join(Application, Application.id == heard.c.application)
        .outerjoin(
            Decision,
            sa.and_(Decision.application == heard.c.application, Decision.instance == heard.c.instance),
        )
        .where(*asked.conditions())
        .group_by(*_WHERE, Decision.outcome)
    )


# Written out, since an index of some rows serves a query only where it sees that it is these rows.
_LODGED = (
    Step.kind == sa.literal(StepKind.APPEAL, Step.kind.type, literal_execute=True),
    Step.state == sa.literal(StepState.ANSWERED, Step.state.type, literal_execute=True),
)


def _became(outcome: Outcome | None) -> Part:
    if outcome is None:
        return Part.PENDING
    return Part.UPHELD if outcome is Outcome.AWARDED else Part.NOT_UPHELD


# Days ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """How many applications took how many days."""

    by_label: Mapping[tuple[int, LabelKind], Counter[int]]
    by_organisation: Mapping[tuple[int, LabelKind, str], Counter[int]]
    """Of the last year alone."""

    def of(self, year: int, label: Label, organisation: str = "") -> Counter[int]:
        """Those of a year and a label, of all organisations or one."""
        found: Counter[int] = Counter()
        for one in COUNTED if label is None else (label,):
            if organisation:
                found.update(self.by_organisation.get((year, one, organisation), {}))
            else:
                found.update(self.by_label.get((year, one), {}))
        return found


def days_to_decision(session: Session, asked: Asked) -> Days:
    """From the instant at which an application was received to its first decision, of those that are decided now."""
    first = (
        sa.select(Decision.decided_at)
        .where(Decision.application == Application.id, Decision.instance == 1)
        .scalar_subquery()
    )
    return _days(session, asked, first, Application.outcome.in_(_DECIDED))


def days_to_first_review(session: Session, asked: Asked) -> Days:
    """From the instant at which an application was received to the first review that counts."""
    # Joined: applications without any, which are many while reviews are given, are not gone through for their days.
    reviewed = sa.and_(Review.application == Application.id, Review.void_at.is_(None))
    return _days(session, asked, sa.func.min(Review.given_at), each_of=reviewed)


def _days(
    session: Session,
    asked: Asked,
    until: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
    each_of: sa.ColumnElement[bool] | None = None,
) -> Days:
    """`each_of`: which reviews of an application `until` is taken from."""
    days = _days_between(session, Application.submitted_at, until).label("days")
    whose: sa.ColumnElement[str] = sa.literal("")
    if asked.organisation is None:
        whose = sa.case((Application.school_year == asked.last, Application.organisation), else_="")
    whose = whose.label("whose")
    each = sa.select(Application.school_year, Application.label, whose, days)
    if each_of is not None:
        each = each.join_from(Application, Review, each_of).group_by(Application.id)
    taken = each.where(*asked.conditions(), *conditions).subquery()
    by_label: dict[tuple[int, LabelKind], Counter[int]] = defaultdict(Counter)
    by_organisation: dict[tuple[int, LabelKind, str], Counter[int]] = defaultdict(Counter)
    for year, label, organisation, took, number in session.execute(
        sa.select(*taken.c, sa.func.count()).group_by(*taken.c)
    ):
        if took is None:
            continue
        by_label[year, label][took] += number
        if organisation:
            by_organisation[year, label, organisation][took] += number
    return Days(by_label, by_organisation)


def _days_between(session: Session, begin: Any, end: Any) -> sa.ColumnElement[int]:
    """The full days, of 24 hours each, between two instants; none where the second comes first."""
    return _full(session, _days_as_number(session, begin, end))


def _full(session: Session, days: sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    if (
        session.get_bind().dialect.name == "sqlite"
    ):  # whose cast cuts off, and whose `max` looks at its value once
        return sa.cast(sa.func.max(days, 0.0) + _A_MOMENT, sa.Integer)
    return sa.cast(sa.func.floor(sa.case((days < 0, 0.0), else_=days) + _A_MOMENT), sa.Integer)


def _days_as_number(session: Session, begin: Any, end: Any) -> sa.ColumnElement[float]:
    if session.get_bind().dialect.name == "sqlite":
        return sa.type_coerce(sa.func.julianday(end) - sa.func.julianday(begin), sa.Double)
    return sa.type_coerce(sa.extract("epoch", end - begin) / 86_400.0, sa.Double)


_A_MOMENT = 1e-6
"""Days: a tenth of a second, since days as numbers are not exact."""


# Reviews ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reviews:
    """The reviews of the last year and the one before."""

    by_reviewer: Mapping[Where, Counter[str]]
    """How many each person gave."""
    days: Mapping[tuple[int, LabelKind], Counter[int]]
    """How many took how many days."""
    apart: Mapping[tuple[int, LabelKind], list[float]]
    """How far the totals of two people lie apart, in points of a hundred."""

    def of_year(self, year: int, label: Label, organisation: str = "") -> Counter[str]:
        """How many each person gave in a year, for all labels or one."""
        found: Counter[str] = Counter()
        for (one, whose, own), people in self.by_reviewer.items():
            if one == year and label in (None, own) and organisation in ("", whose):
                found.update(people)
        return found

    def days_of(self, year: int, label: Label) -> Counter[int]:
        """How many took how many days."""
        found: Counter[int] = Counter()
        for one in COUNTED if label is None else (label,):
            found.update(self.days.get((year, one), {}))
        return found

    def apart_of(self, year: int, label: Label) -> list[float]:
        """How far two reviews of one application lie apart."""
        return [
            distance
            for one in (COUNTED if label is None else (label,))
            for distance in self.apart.get((year, one), ())
        ]

    @staticmethod
    def of(session: Session, asked: Asked) -> Reviews:
        """Those that count: given, and not void."""
        by_reviewer: dict[Where, Counter[str]] = defaultdict(Counter)
        days: dict[tuple[int, LabelKind], Counter[int]] = defaultdict(Counter)
        given = _given(session, asked).subquery()
        # By people and days at once: to go through all reviews twice takes longer than to add up what is found.
        for year, organisation, label, person, took, number in session.execute(
            sa.select(*given.c, sa.func.count()).group_by(*given.c)
        ):
            by_reviewer[year, organisation, label][person] += number
            days[year, label][took] += number
        apart: dict[tuple[int, LabelKind], list[float]] = defaultdict(list)
        for year, label, rules, one, other in session.execute(_pairs(asked)):
            criteria = kept_rules(rules, session).criteria_set
            counted = tuple(criterion.id for criterion in criteria.counted)
            distance = abs(_total(one, counted) - _total(other, counted))
            apart[year, label].append(100 * distance / criteria.maximum)
        return Reviews(by_reviewer, days, apart)


@lru_cache(maxsize=20_000)
def _total(scores: str, criteria: tuple[str, ...]) -> float:
    """The points of a review, whose scores are JSON as the record has it: the same few are given often."""
    given: dict[str, float] = json.loads(scores)
    return sum(given.get(criterion, 0) for criterion in criteria)


_Waited = aliased(Step)


def _given(session: Session, asked: Asked) -> sa.Select[Any]:
    waited = (
        sa.select(sa.func.sum(_days_as_number(session, _Waited.opened_at, _Waited.closed_at)))
        .where(
            _Waited.application == Step.application,
            _Waited.kind == StepKind.INFORMATION,
            _Waited.asked_by == Step.id,
            _Waited.closed_at.is_not(None),
        )
        .scalar_subquery()
    )
    took = _days_as_number(session, Step.opened_at, Step.closed_at) - sa.func.coalesce(waited, 0.0)
    days = _full(session, took).label("days")
    return (
        sa.select(*_WHERE, Step.person, days)
        .join(Step, Step.application == Application.id)
        .join(Review, Review.step == Step.id)
        .where(*asked.conditions(asked.last - 1), *_COUNTS)
    )


def _is_given(step: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """Written out, as `_LODGED` is."""
    return (
        step.kind == sa.literal(StepKind.REVIEW, Step.kind.type, literal_execute=True),
        step.state == sa.literal(StepState.ANSWERED, Step.state.type, literal_execute=True),
    )


_COUNTS = (*_is_given(Step), Review.void_at.is_(None))


def _pairs(asked: Asked) -> sa.Select[Any]:
    """The points of the two who were asked first, where both gave a review."""
    first, second = (aliased(Step), aliased(Review)), (aliased(Step), aliased(Review))
    statement = sa.select(
        Application.school_year,
        Application.label,
        Application.rules,
        sa.cast(first[1].scores, sa.Text).label("one"),
        sa.cast(second[1].scores, sa.Text).label("other"),
    )
    for seat, (step, review) in enumerate((first, second), 1):
        statement = statement.join(
            step,
            sa.and_(
                step.application == Application.id,
                *_is_given(step),
                step.seat == seat,
                step.instance == (1 if seat == 1 else first[0].instance),
            ),
        ).join(review, sa.and_(review.step == step.id, review.void_at.is_(None)))
    return statement.where(*asked.conditions(asked.last - 1))
