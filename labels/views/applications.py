"""The applications of some organisations as a list: filtered, sorted, paged by key, each with whom it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from labels.answering.deadlines import STILL_OPEN
from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.kinds import LabelKind
from labels.people.persons import named
from labels.record.schema import (
    Application,
    Decision,
    Instant,
    Outcome,
    Person,
    Project,
    School,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.sessions.accounts import Account, account_of
from labels.steps.kinds import AWAITED

PAGE = 30
"""Rows of one page."""

AT_ONCE = 500
"""Rows that are read together for an export."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where what has no date stands among what is due: last."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose applications somebody sees, and of whose staff they see the names."""

    organisations: frozenset[str] | None
    """None for those of all."""
    named: frozenset[str] | None
    """The organisations whose reviewers are named; None for all. The Central Support Service sees no other's."""


EVERYTHING = Scope(None, None)
"""For whoever runs this installation."""


def scope_of(account: Account) -> Scope:
    """What a coordinator sees: their organisations; of the Central Support Service all, without others' names."""
    own = frozenset(account.coordinates)
    return Scope(None if account.central else own, own)


def scope_at(session: Session, who: str) -> Scope:
    """The same of the coordinator whom an address or `PER-…` names.

    Raises:
        NotAllowed: they coordinate no organisation, or several people read the mail at that address.
    """
    somebody = named(session, who)
    account = account_of(session, somebody.address, somebody.id) if somebody else None
    if account is None or not account.coordinates:
        raise NotAllowed(f"{who} coordinates no organisation.")
    return scope_of(account)


class Urgent(StrEnum):
    """What a coordinator looks after first."""

    UNASSIGNED = "unassigned"
    """No reviewer without a conflict of interest is left: a coordinator finds one."""
    LATE = "late"
    """Somebody who is awaited is past their deadline."""
    DISAGREEMENT = "disagreement"
    """The reviews are too far apart: another one is awaited."""
    QUESTION = "question"
    """A reviewer waits for the applicant's answer."""
    DECISION = "decision"
    """The day by which it was to be decided is past."""


class Part(StrEnum):
    """Which applications, by how far they are."""

    OPEN = "open"
    ENDED = "ended"


class Order(StrEnum):
    """By what the list is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    """By the day on which the decision is due."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the list is asked for."""

    part: Part | None = None
    urgent: Urgent | None = None
    labels: tuple[LabelKind, ...] = ()
    """Any of these kinds; all where there are none."""
    stage: Stage | None = None
    outcome: Outcome | None = None
    organisation: str = ""
    year: int | None = None
    """The year in which the school year began that it counts for."""
    about: str = ""
    """The number of a teacher, a school or a project."""
    reviewer: str = ""
    """The id of somebody who has or had a review of it."""
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True)
class Key:
    """A row's place in the order of the list, after which the next page begins."""

    at: datetime
    application: str


@dataclass(frozen=True, slots=True)
class Waits:
    """Somebody whom it waits for."""

    kind: StepKind
    name: str
    """Empty where it is not to be seen."""
    due_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One application of the list."""

    application: str
    title: str
    """The project's title, or the school's name where a school applies."""
    applicant: str
    """The teacher's name; empty where a school applies, or an organisation nominates."""
    school: str
    city: str
    label: LabelKind
    organisation: str
    country: str
    language: str
    attempt: int
    year: int
    stage: Stage
    since: datetime
    outcome: Outcome | None
    submitted_at: datetime
    decide_by: datetime | None
    decided_at: datetime | None
    points: float | None
    """Once it is decided, and never before."""
    maximum: int | None
    days: int
    """Days from its submission to its decision, or until now."""
    waits: tuple[Waits, ...]
    teacher_number: str | None = None
    project_number: str | None = None
    school_number: str | None = None


@dataclass(frozen=True, slots=True)
class Applications:
    """One page of the list."""

    rows: tuple[Row, ...]
    matching: int
    """How many the filters leave."""
    next: Key | None = None
    """Where the next page begins; None on the last."""


def applications(
    session: Session,
    scope: Scope,
    now: datetime,
    filters: Filters | None = None,
    *,
    after: Key | None = None,
    limit: int = PAGE,
) -> Applications:
    """A page of the applications of some organisations; None for those of all."""
    filters = filters or Filters()
    rows, following = _page(session, scope, filters, now, after, limit)
    (matching,) = how_many(session, scope, now, filters)
    return Applications(rows, matching, following)


def every_application(
    session: Session, scope: Scope, now: datetime, filters: Filters | None = None
) -> Iterator[Row]:
    """All that the filters leave, in their order."""
    filters = filters or Filters()
    after: Key | None = None
    while True:
        rows, after = _page(session, scope, filters, now, after, AT_ONCE)
        yield from rows
        if after is None:
            return


def those_of(session: Session, scope: Scope, now: datetime, filters: Filters, most: int) -> list[str]:
    """The numbers of all that the filters leave, in their order; no more than `most`."""
    statement = _numbers(scope, filters, now).order_by(*_sorted(filters.order))
    return list(session.scalars(statement.limit(most)))


def how_many(session: Session, scope: Scope, now: datetime, *wanted: Filters) -> tuple[int, ...]:
    """How many applications each of these filters leaves."""
    counts = [
        sa.select(sa.func.count()).select_from(_numbers(scope, one, now).subquery()).scalar_subquery()
        for one in wanted
    ]
    return tuple(session.execute(sa.select(*counts)).one())


def _page(
    session: Session,
    scope: Scope,
    filters: Filters,
    now: datetime,
    after: Key | None,
    limit: int,
) -> tuple[tuple[Row, ...], Key | None]:
    # Only numbers are sorted: among fifty thousand, whole rows would take ten times as long.
    numbers = _numbers(scope, filters, now)
    if after:
        numbers = numbers.where(_beyond(filters.order, after))
    here = numbers.order_by(*_sorted(filters.order)).limit(limit + 1).subquery()
    statement = (
        sa.select(Application, Project.title, School.name, School.city, Teacher.name)
        .join(here, here.c.id == Application.id)
        .outerjoin(Project, Project.id == Application.project)
        .outerjoin(School, School.id == Application.school)
        .outerjoin(Teacher, Teacher.id == Application.teacher)
        .options(defer(Application.content))
    )
    found = session.execute(statement.order_by(*_sorted(filters.order))).all()
    ids = [row[0].id for row in found[:limit]]
    waits, decided = _waits(session, scope, ids, now), _decided(session, ids)
    rows = tuple(_row(one, waits.get(one[0].id, ()), decided.get(one[0].id), now) for one in found[:limit])
    last = found[limit - 1][0] if len(found) > limit else None
    return rows, Key(_key(last, filters.order), last.id) if last is not None else None


def _numbers(scope: Scope, filters: Filters, now: datetime) -> sa.Select[tuple[str]]:
    """The numbers of those that the filters leave."""
    numbers = sa.select(Application.id).where(*_chosen(scope, filters, now))
    steps = _urgent_steps(filters.urgent, now)
    if not steps:
        return numbers
    # Looked for first: they are few, and an index has them, while each application would have to be asked for its own.
    those = sa.select(Step.application, Step.instance).where(*steps).distinct().subquery()
    present = sa.and_(those.c.application == Application.id, those.c.instance == Application.instance)
    return numbers.join(those, present)


def _chosen(scope: Scope, filters: Filters, now: datetime) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if scope.organisations is not None:
        conditions.append(Application.organisation.in_(scope.organisations))
    if filters.organisation:
        conditions.append(Application.organisation == filters.organisation)
    if filters.part is Part.OPEN:
        conditions.append(NOT_CLOSED)
    elif filters.part is Part.ENDED:
        conditions.append(Application.stage == Stage.CLOSED)
    if filters.urgent:
        conditions += _urgent(filters.urgent, now)
    if filters.labels:
        conditions.append(Application.label.in_(filters.labels))
    for column, value in (
        (Application.stage, filters.stage),
        (Application.outcome, filters.outcome),
        (Application.school_year, filters.year),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.about:
        of = (Application.teacher, Application.project, Application.school)
        conditions.append(sa.or_(*(column == filters.about for column in of)))
    if filters.reviewer:
        if scope.named is not None:
            conditions.append(Application.organisation.in_(scope.named))
        conditions.append(
            sa.exists().where(
                Step.application == Application.id,
                Step.kind == StepKind.REVIEW,
                Step.person == filters.reviewer,
            )
        )
    return conditions


def _urgent(urgent: Urgent, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Among those that are not decided."""
    undecided = [NOT_CLOSED, Application.outcome.is_(None)]
    match urgent:
        case Urgent.UNASSIGNED:
            return [*undecided, Application.stage == Stage.ASSIGNMENT]
        case Urgent.QUESTION:
            return [*undecided, Application.stage == Stage.INFORMATION]
        case Urgent.DECISION:
            return [*undecided, Application.decide_by < now]
        case Urgent.LATE | Urgent.DISAGREEMENT:
            return undecided


def _urgent_steps(urgent: Urgent | None, now: datetime) -> list[sa.ColumnElement[bool]]:
    """The steps by which an application is urgent, where it is so by a step of its present instance."""
    if urgent is Urgent.LATE:
        return [STILL_OPEN, Step.due_at < now, Step.kind.in_(AWAITED)]
    if urgent is Urgent.DISAGREEMENT:
        return [*FURTHER_REVIEW, Step.state.in_((StepState.OPEN, StepState.ASKED))]
    return []


# Written out, since an index of some rows serves a query only where it sees that it is these rows.
NOT_CLOSED = Application.stage != sa.literal_column(f"'{Stage.CLOSED.value}'")
FURTHER_REVIEW = (
    Step.kind == sa.literal_column(f"'{StepKind.REVIEW.value}'"),
    Step.seat > sa.literal_column("2"),
)
"""Reviews beyond the first two."""


def _key(application: Application, order: Order) -> datetime:
    return (application.decide_by or NEVER) if order is Order.DUE else application.submitted_at


def _sorted(order: Order) -> tuple[sa.ColumnElement[Any], ...]:
    """As indexes have them, which an expression would keep from being used."""
    match order:
        case Order.NEWEST:
            return Application.submitted_at.desc(), Application.id.desc()
        case Order.OLDEST:
            return Application.submitted_at.asc(), Application.id.asc()
        case Order.DUE:
            return Application.decide_by.asc().nulls_last(), Application.id.asc()


def _beyond(order: Order, after: Key) -> sa.ColumnElement[bool]:
    key = sa.tuple_(sa.literal(after.at, Instant()), sa.literal(after.application))
    submitted = sa.tuple_(Application.submitted_at, Application.id)
    match order:
        case Order.NEWEST:
            return submitted < key
        case Order.OLDEST:
            return submitted > key
        case Order.DUE if after.at < NEVER:
            return sa.or_(
                sa.tuple_(Application.decide_by, Application.id) > key, Application.decide_by.is_(None)
            )
        case Order.DUE:
            return sa.and_(Application.decide_by.is_(None), Application.id > after.application)


def _waits(session: Session, scope: Scope, ids: Sequence[str], now: datetime) -> dict[str, tuple[Waits, ...]]:
    found: dict[str, tuple[Waits, ...]] = {}
    steps = session.execute(
        sa.select(Step, Person.name, Application.organisation)
        .join(Person, Person.id == Step.person)
        .join(Application, Application.id == Step.application)
        .where(Step.application.in_(ids), Step.kind.in_(AWAITED), Step.state == StepState.OPEN)
        .order_by(Step.application, Step.seat, Step.id)
    )
    for step, name, organisation in steps:
        named = scope.named is None or organisation in scope.named
        late = step.due_at is not None and step.due_at < now
        one = Waits(step.kind, name if named else "", step.due_at, late)
        found[step.application] = (*found.get(step.application, ()), one)
    return found


def _decided(session: Session, ids: Sequence[str]) -> dict[str, Decision]:
    """The latest decision of each."""
    decisions = session.scalars(
        sa.select(Decision).where(Decision.application.in_(ids)).order_by(Decision.instance)
    )
    return {one.application: one for one in decisions}


def _row(found: sa.Row[Any], waits: tuple[Waits, ...], decision: Decision | None, now: datetime) -> Row:
    one, title, school, city, teacher = found
    ended = one.outcome is not None and decision is not None
    until = decision.decided_at if ended and decision is not None else now
    return Row(
        application=one.id,
        title=title or school or "",
        applicant=teacher or "",
        school=school or "",
        city=city or "",
        label=one.label,
        organisation=one.organisation,
        country=one.country,
        language=one.language,
        attempt=one.attempt,
        year=one.school_year,
        stage=one.stage,
        since=one.stage_since,
        outcome=one.outcome,
        submitted_at=one.submitted_at,
        decide_by=one.decide_by,
        decided_at=decision.decided_at if ended and decision is not None else None,
        points=decision.score if ended and decision is not None else None,
        maximum=decision.verdict.get("maximum") if ended and decision is not None else None,
        days=(brussels_day(until) - brussels_day(one.submitted_at)).days,
        waits=waits,
        teacher_number=one.teacher,
        project_number=one.project,
        school_number=one.school,
    )
