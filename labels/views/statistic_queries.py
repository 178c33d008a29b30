"""What the statistics ask the record: counts and days by year, organisation and label, never a person's row."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

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
from labels.views.counts import COUNTED, Part
from labels.views.own_conflicts import in_conflict

__all__ = [
    "Asked",
    "Counted",
    "Place",
    "amounts",
    "days",
    "how_many",
    "in_conflict",
    "reviews",
]

T = TypeVar("T", int, float, str)
Place = tuple[int, str]
"""A school year and an organisation."""
Counted = Mapping[Place, Mapping[LabelKind, Counter[T]]]
"""How often there is what, by place and label; none where there is nothing."""

_DECIDED = (Outcome.AWARDED, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which applications."""

    organisations: frozenset[str] | None
    """None for all."""
    first: int
    """The first year."""
    last: int
    without: frozenset[str] = frozenset()
    """Applications that are not counted."""
    alone: frozenset[str] | None = None
    """Applications of which alone is asked; None for all."""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What an application has to be: received by the organisations in those years, for a label that is applied for."""
        found = [
            *self.wherever(),
            # asked for last: of most it is known without looking for the declaration
            sa.or_(Application.label != LabelKind.SCHOOL, Application.outcome.in_(_DECIDED), _DECLARED),
        ]
        if self.alone is not None:
            found.append(Application.id.in_(self.alone))
        return [*found, Application.id.not_in(self.without)] if self.without else found

    def wherever(self) -> list[sa.ColumnElement[bool]]:
        """The same of those that are not received yet, too, and those that are not counted."""
        found: list[sa.ColumnElement[bool]] = [
            Application.label.in_(COUNTED),
            Application.school_year.between(self.first, self.last),
        ]
        if self.organisations is None:
            return found
        return [Application.organisation.in_(sorted(self.organisations)), *found]

    def left_out(self) -> Asked:
        """Those that are not counted."""
        return replace(self, without=frozenset(), alone=self.without)

    def at(self, places: Collection[Place]) -> Asked:
        """All that there is at these places, and perhaps at others."""
        years = [year for year, _ in places]
        return Asked(frozenset(whose for _, whose in places), min(years), max(years))


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


def how_many(session: Session, asked: Asked) -> int:
    """How many applications are left out."""
    if not asked.without:
        return 0
    counted = sa.select(sa.func.count()).select_from(Application).where(*asked.left_out().conditions())
    return session.scalar(counted) or 0


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


def days(session: Session, asked: Asked) -> tuple[Counted[int], Counted[int]]:
    """How many applications took how many days from being received to the first review that counts; and to the first
    decision, of those that are decided now."""
    first = (
        sa.select(Decision.decided_at)
        .where(Decision.application == Application.id, Decision.instance == 1)
        .scalar_subquery()
    )
    # Joined: applications without any, which are many while reviews are given, are not gone through for their days.
    reviewed = sa.and_(Review.application == Application.id, Review.void_at.is_(None))
    return (
        _days(session, asked, sa.func.min(Review.given_at), each_of=reviewed),
        _days(session, asked, first, Application.outcome.in_(_DECIDED)),
    )


def _days(
    session: Session,
    asked: Asked,
    until: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
    each_of: sa.ColumnElement[bool] | None = None,
) -> Counted[int]:
    """`each_of`: which reviews of an application `until` is taken from."""
    each = sa.select(*_WHERE, _days_between(session, Application.submitted_at, until).label("days"))
    if each_of is not None:
        each = each.join_from(Application, Review, each_of).group_by(Application.id)
    taken = each.where(*asked.conditions(), *conditions).subquery()
    found = _nothing(int)
    for year, organisation, label, took, number in session.execute(
        sa.select(*taken.c, sa.func.count()).group_by(*taken.c)
    ):
        if took is not None:
            found[year, organisation][label][took] += number
    return found


def _nothing(_: type[T]) -> dict[Place, dict[LabelKind, Counter[T]]]:
    return defaultdict(lambda: defaultdict(Counter))


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


def reviews(session: Session, asked: Asked) -> tuple[Counted[str], Counted[int], Counted[float]]:
    """Of the reviews that count, given and not void: how many each person gave; how many took how many days; and how
    far the totals of two people lie apart, in points of a hundred."""
    by_reviewer, took, apart = _nothing(str), _nothing(int), _nothing(float)
    for year, organisation, label, person, taken, number in session.execute(
        _by_reviewer_and_days(session, asked)
    ):
        if person is not None:
            by_reviewer[year, organisation][label][person] += number
        else:
            took[year, organisation][label][taken] += number
    for year, organisation, label, rules, one, other in session.execute(_pairs(asked)):
        criteria = kept_rules(rules, session).criteria_set
        counted = tuple(criterion.id for criterion in criteria.counted)
        distance = abs(_total(one, counted) - _total(other, counted))
        apart[year, organisation][label][100 * distance / criteria.maximum] += 1
    return by_reviewer, took, apart


@lru_cache(maxsize=20_000)
def _total(scores: str, criteria: tuple[str, ...]) -> float:
    """The points of a review, whose scores are JSON as the record has it: the same few are given often."""
    given: dict[str, float] = json.loads(scores)
    return sum(given.get(criterion, 0) for criterion in criteria)


_Waited = aliased(Step)


def _by_reviewer_and_days(session: Session, asked: Asked) -> sa.CompoundSelect[Any]:
    """The reviews once by person and once by days, of one list of them: in groups of both at once there is little more
    than one in each."""
    given = _given(session, asked).cte("given")
    where, how_many = (given.c.school_year, given.c.organisation, given.c.label), sa.func.count()
    nobody, never = sa.cast(sa.null(), sa.Text), sa.cast(sa.null(), sa.Integer)
    return sa.union_all(
        sa.select(*where, given.c.person, never, how_many).group_by(*where, given.c.person),
        sa.select(*where, nobody, given.c.days, how_many).group_by(*where, given.c.days),
    )


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
        .where(*asked.conditions(), *_is_given(Step))
    )


def _is_given(step: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """That a review was given and counts: a step whose review is taken back is answered no more.

    Written out, as `_LODGED` is.
    """
    return (
        step.kind == sa.literal(StepKind.REVIEW, Step.kind.type, literal_execute=True),
        step.state == sa.literal(StepState.ANSWERED, Step.state.type, literal_execute=True),
    )


def _pairs(asked: Asked) -> sa.Select[Any]:
    """The points of the two who were asked first, where both gave a review."""
    first, second = (aliased(Step), aliased(Review)), (aliased(Step), aliased(Review))
    statement = sa.select(
        *_WHERE,
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
        ).join(
            review,
            sa.and_(review.application == Application.id, review.step == step.id, review.void_at.is_(None)),
        )
    return statement.where(*asked.conditions())
