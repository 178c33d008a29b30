"""What a played year came to: how long who waited, how much reviewers had to do, what was late, mails and papers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.people.roles import Role
from labels.record.schema import (
    Application,
    Decision,
    Issued,
    Mail,
    Outcome,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)

DAY = timedelta(days=1)
WAITED_FOR = (
    StepKind.REVIEW, StepKind.ASSIGNMENT, StepKind.INFORMATION, StepKind.SELF_ASSESSMENT, StepKind.DECLARATION,
    StepKind.SCREENING, StepKind.AWARDING,
)  # fmt: skip
"""What somebody is waited for with; rights are nobody's to use."""
SHOWN = 200
"""Late cases that are named, the latest first."""


@dataclass(frozen=True)
class Wait:
    """One thing that was waited for."""

    kind: StepKind
    country: str
    application: str
    opened: datetime
    closed: datetime | None
    due: datetime | None
    state: StepState

    @property
    def days(self) -> float:
        """Days until it was given, or taken back."""
        return ((self.closed or self.opened) - self.opened) / DAY

    @property
    def late(self) -> bool:
        """Whether it was given after its due date."""
        return bool(self.due and self.closed and self.closed > self.due)


def waits(session: Session) -> list[Wait]:
    """Everything that was asked of anybody."""
    rows = session.execute(
        sa.select(
            Step.kind,
            Application.country,
            Step.application,
            Step.opened_at,
            Step.closed_at,
            Step.due_at,
            Step.state,
        )
        .join(Application, Application.id == Step.application)
        .where(Step.kind.in_(WAITED_FOR))
    )
    return [Wait(*row) for row in rows]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else float("nan")


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Spread(_Told):
    """How many, and of these the middle, what nine of ten do not exceed, and the most; None where there are none."""

    number: int
    median: float | None
    p90: float | None
    longest: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of these values, to a tenth."""
        if not values:
            return cls(number=0, median=None, p90=None, longest=None)
        middle, high = (round(quantile(values, share), 1) for share in (0.5, 0.9))
        return cls(number=len(values), median=middle, p90=high, longest=round(max(values), 1))


class StepWait(_Told):
    """How long one kind of step took, in days from being asked."""

    step: str
    asked: int
    days: Spread
    """Of those that were given."""
    late: int
    """Given after the due date."""
    left_open: int
    """Still open in the end."""


class LateCase(_Told):
    """An application that was decided after its date, or not at all."""

    application: str
    decide_by: datetime
    decided_at: datetime | None
    days: int
    """By which it was late, until the end where it was not decided."""


class Played(_Told):
    """One year as it was played: with so many reviewers, by such dates."""

    name: str
    """Also of its folder."""
    reviewers: int
    last_day: date
    """Of applications, where labels are awarded all year; else of the last round."""
    applications: int
    """For the National Quality Label."""
    stages: dict[str, dict[str, int]]
    """For each label, how many cases ended how, or are at which stage still."""
    decision: Spread
    """Days from an application to its decision."""
    late: int
    """Decided after their date, or not at all."""
    steps: list[StepWait]
    load: Spread
    """Reviews for each reviewer, in a whole year: divided by the share that was played."""
    idle: int
    """Reviewers who were asked for none."""
    mails: dict[str, int]
    papers: dict[str, int]
    late_cases: list[LateCase]
    nobody_left: int
    """Seats for which no reviewer without a conflict of interest was found."""
    after_deadline: int
    """Answers that came too late to be taken."""
    refused: list[str]
    """What somebody who may was refused: worth a look, since either the rules or the program are wrong."""
    ended_at: datetime
    took_s: float


class Rehearsal(_Told):
    """Several years side by side."""

    organisation: str
    """Empty for all."""
    name: str
    """Of the organisation, or nothing."""
    made_at: datetime
    begins: date
    ends: date
    factor: float
    """Share of a year's applications."""
    a_week: float
    """Reviews that a reviewer manages in a week."""
    seed: int
    schools: int
    teachers: int
    played: list[Played]


@dataclass(frozen=True)
class Course:
    """What happened while a year was played that is in no table."""

    nobody_left: int
    after_deadline: int
    refused: Sequence[str]
    took_s: float


def played(
    session: Session, name: str, last_day: date, now: datetime, factor: float, course: Course
) -> Played:
    """What a played year came to.

    Args:
        name: of this one among others.
        last_day: on which applications may come.
        now: when it ended.
        factor: the share of a year that was played.
        course: what is in no table.
    """
    found = waits(session)
    decisions, late = _decisions(session, now)
    given = Counter(
        session.scalars(
            sa.select(Step.person).where(Step.kind == StepKind.REVIEW, Step.state == StepState.ANSWERED)
        )
    )
    reviewers = set(session.scalars(sa.select(Staff.person).where(Staff.role == Role.REVIEWER)))
    asked = set(session.scalars(sa.select(Step.person).where(Step.kind == StepKind.REVIEW)))
    national = sa.select(sa.func.count()).where(Application.label == LabelKind.NATIONAL)
    return Played(
        name=name,
        reviewers=len(reviewers),
        last_day=last_day,
        applications=session.scalar(national) or 0,
        stages=_stages(session),
        decision=Spread.of(decisions),
        late=len(late),
        steps=_steps(found),
        load=Spread.of([given[one] / factor for one in sorted(reviewers)]),
        idle=len(reviewers - asked),
        mails=_counted(session, Mail.template, Mail.sent_at.is_not(None)),
        papers=_counted(session, Issued.kind),
        late_cases=late[:SHOWN],
        nobody_left=course.nobody_left,
        after_deadline=course.after_deadline,
        refused=list(course.refused),
        ended_at=now,
        took_s=round(course.took_s, 1),
    )


def _decisions(session: Session, now: datetime) -> tuple[list[float], list[LateCase]]:
    """Days to the first decision of each application, and those that were late, the latest first."""
    rows = session.execute(
        sa.select(
            Application.id,
            Application.submitted_at,
            Application.decide_by,
            Application.stage,
            Application.outcome,
            Decision.decided_at,
        )
        .outerjoin(Decision, sa.and_(Decision.application == Application.id, Decision.instance == 1))
        .where(Application.label == LabelKind.NATIONAL)
    ).all()
    days, late = [], []
    for row in rows:
        if row.decided_at and row.outcome not in (Outcome.INELIGIBLE, Outcome.WITHDRAWN):
            days.append((row.decided_at - row.submitted_at) / DAY)
        end = row.decided_at or (now if row.stage is not Stage.CLOSED else None)
        if row.decide_by and end and end > row.decide_by:
            late.append(
                LateCase(
                    application=row.id, decide_by=row.decide_by, decided_at=row.decided_at,
                    days=math.ceil((end - row.decide_by) / DAY),
                )
            )  # fmt: skip
    return days, sorted(late, key=lambda one: (-one.days, one.application))


def _stages(session: Session) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for label, stage, outcome, number in session.execute(
        sa.select(Application.label, Application.stage, Application.outcome, sa.func.count())
        .group_by(Application.label, Application.stage, Application.outcome)
        .order_by(Application.label, Application.stage, Application.outcome)
    ).all():
        name = outcome.value if stage is Stage.CLOSED and outcome else stage.value
        found[label.value][name] = found[label.value].get(name, 0) + number
    return dict(found)


def _steps(found: Iterable[Wait]) -> list[StepWait]:
    groups: dict[StepKind, list[Wait]] = defaultdict(list)
    for one in found:
        groups[one.kind].append(one)
    told = []
    for kind in WAITED_FOR:
        of_kind = groups.get(kind, [])
        given = [one for one in of_kind if one.state is StepState.ANSWERED]
        if of_kind:
            told.append(
                StepWait(
                    step=kind.value, asked=len(of_kind), days=Spread.of([one.days for one in given]),
                    late=sum(one.late for one in given), left_open=sum(one.closed is None for one in of_kind),
                )
            )  # fmt: skip
    return told


def _counted(
    session: Session, column: sa.orm.InstrumentedAttribute[object], *conditions: sa.ColumnElement[bool]
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(*conditions).group_by(column)
    return dict(
        sorted(
            (str(getattr(name, "value", name)), number) for name, number in session.execute(query).tuples()
        )
    )
