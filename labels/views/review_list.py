"""A reviewer's own list: what is to be done, what waits for an applicant, what was sent; filtered, and paged by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, defer

from labels.clock import brussels_day, end_of_day
from labels.kinds import LabelKind
from labels.record.schema import (
    Application,
    Instant,
    Project,
    Review,
    ReviewDraft,
    School,
    Staff,
    Step,
    StepKind,
    StepState,
)
from labels.rules.kept import rules_of
from labels.words.text import clean

PAGE = 20
"""Rows of one page."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a review without a deadline stands among the others: last."""


class Tab(StrEnum):
    """The parts of the list."""

    TO_DO = "to-do"
    WAITING = "waiting"
    """The applicant was asked something."""
    SENT = "sent"


class Due(StrEnum):
    """By when something is due."""

    OVERDUE = "overdue"
    WEEK = "week"
    """Within seven days, and what is overdue."""
    MONTH = "month"


class State(StrEnum):
    """How far a reviewer is with one review."""

    NOT_BEGUN = "not begun"
    CONFLICT = "conflict"
    """Whether there is a conflict of interest has not been said yet."""
    DRAFT = "draft"
    ANSWER_CAME = "answer came"
    """The applicant's answer, or the end of the time for it, is not looked at yet."""
    WAITING = "waiting"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the list is asked for."""

    tab: Tab = Tab.TO_DO
    due: Due | None = None
    label: LabelKind | None = None
    country: str | None = None
    language: str | None = None
    words: str = ""
    """Part of a project's title, a school's name or an application's identifier."""


@dataclass(frozen=True, slots=True)
class Key:
    """A row's place in the order of the list, after which the next page begins."""

    at: datetime
    step: str


@dataclass(frozen=True, slots=True)
class Row:
    """One review of the list."""

    step: str
    application: str
    title: str
    """The project's title, or the school's name."""
    label: LabelKind
    country: str
    language: str
    """In which it is written."""
    state: State
    due_at: datetime | None
    late: bool
    closed_at: datetime | None
    total: int | None
    """The points of the draft or the review so far, of what counts in the total; None before any."""
    maximum: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from in the filters: what occurs among the reviewer's own."""

    labels: tuple[LabelKind, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewList:
    """One page of a reviewer's list."""

    rows: tuple[Row, ...]
    counts: Mapping[Tab, int]
    """How many there are in each part, whatever the filters."""
    matching: int
    """How many of the part that is shown the filters leave."""
    overdue: int
    this_week: int
    """To do by the end of the seventh day from now, without what is overdue."""
    choices: Choices = field(default=Choices())
    next: Key | None = None
    """Where the next page begins; None on the last."""


_STATES = {Tab.TO_DO: StepState.OPEN, Tab.WAITING: StepState.ASKED, Tab.SENT: StepState.ANSWERED}


def review_list(
    session: Session,
    person: str,
    now: datetime,
    filters: Filters | None = None,
    *,
    after: Key | None = None,
    limit: int = PAGE,
) -> ReviewList:
    """The reviews of one person, by their id, that match the filters, those first that are due first; sent ones by when they were sent.

    Nothing of anybody else's reviews has a part in it.
    """
    filters = filters or Filters()
    mine = _mine(person)
    place = _place(filters.tab)
    conditions = _chosen(filters, now)
    chosen = mine.where(*conditions)
    page = chosen.where(_beyond(place, filters.tab, after)) if after else chosen
    found = session.execute(page.order_by(*_order(place, filters.tab)).limit(limit + 1)).all()
    rows = tuple(_row(session, one, now) for one in found[:limit])
    all_mine = _all_of(session, person, filters, conditions, now)
    last = found[limit - 1] if len(found) > limit else None
    return ReviewList(
        rows=rows,
        counts=all_mine.counts,
        matching=all_mine.matching,
        overdue=all_mine.overdue,
        this_week=all_mine.this_week,
        choices=all_mine.choices,
        next=Key(_key(last[0], filters.tab), last[0].id) if last else None,
    )


def next_review(
    session: Session, person: str, now: datetime, filters: Filters | None = None, *, but: str = ""
) -> Row | None:
    """The review to take up next; of those that match the filters, then of all. `but` is the one just left."""
    for one in (filters, None):
        chosen = Filters() if one is None else one
        found = review_list(session, person, now, chosen if chosen.tab is Tab.TO_DO else Filters(), limit=2)
        for row in found.rows:
            if row.step != but:
                return row
    return None


_Asked = aliased(Step)


def _theirs(person: str) -> list[sa.ColumnElement[bool]]:
    """A person's reviews, of organisations on whose staff they are."""
    on_the_staff = sa.exists().where(
        Staff.person == Step.person, Staff.organisation == Application.organisation
    )
    return [
        Step.person == person,
        Step.kind == StepKind.REVIEW,
        Step.state.in_(list(_STATES.values())),
        on_the_staff,
    ]


def _mine(person: str) -> sa.Select[Any]:
    """A person's reviews, with all that is shown of each."""
    answer_came = (
        sa.select(sa.func.max(_Asked.closed_at))
        .where(
            _Asked.application == Step.application,  # by an index; who asked has none
            _Asked.asked_by == Step.id,
            _Asked.kind == StepKind.INFORMATION,
            _Asked.state.in_([StepState.ANSWERED, StepState.EXPIRED]),
        )
        .correlate(Step)
        .scalar_subquery()
    )
    return (
        sa.select(Step, Application, Project.title, School.name, ReviewDraft, Review.scores, answer_came)
        .join(Application, Application.id == Step.application)
        .outerjoin(Project, Project.id == Application.project)
        .outerjoin(School, School.id == Application.school)
        .outerjoin(ReviewDraft, ReviewDraft.step == Step.id)
        .outerjoin(Review, Review.step == Step.id)
        .options(defer(Application.content))
        .where(*_theirs(person))
    )


def _chosen(filters: Filters, now: datetime) -> list[sa.ColumnElement[bool]]:
    conditions = [Step.state == _STATES[filters.tab]]
    if filters.due:
        conditions.append(_due_by(now, filters.due))
    if filters.label:
        conditions.append(Application.label == filters.label)
    if filters.country:
        conditions.append(Application.country == filters.country)
    if filters.language:
        conditions.append(Application.language == filters.language)
    if words := clean(filters.words).strip():
        conditions.append(
            sa.or_(
                Project.title.icontains(words, autoescape=True),
                School.name.icontains(words, autoescape=True),
                Application.id.icontains(words, autoescape=True),
            )
        )
    return conditions


def _due_by(now: datetime, due: Due) -> sa.ColumnElement[bool]:
    """Of what is to be done, what is due by then."""
    days = {Due.WEEK: 7, Due.MONTH: 31}
    until = now if due is Due.OVERDUE else end_of_day(brussels_day(now) + timedelta(days=days[due]))
    return sa.and_(Step.state == StepState.OPEN, Step.due_at.is_not(None), Step.due_at < until)


def _place(tab: Tab) -> sa.ColumnElement[datetime]:
    column = Step.closed_at if tab is Tab.SENT else Step.due_at
    return sa.func.coalesce(column, sa.literal(NEVER, Instant()), type_=Instant())


def _key(step: Step, tab: Tab) -> datetime:
    return (step.closed_at if tab is Tab.SENT else step.due_at) or NEVER


def _order(place: sa.ColumnElement[datetime], tab: Tab) -> tuple[sa.ColumnElement[Any], ...]:
    return (place.desc(), Step.id.desc()) if tab is Tab.SENT else (place.asc(), Step.id.asc())


def _beyond(place: sa.ColumnElement[datetime], tab: Tab, after: Key) -> sa.ColumnElement[bool]:
    at = sa.literal(after.at, Instant())
    if tab is Tab.SENT:
        return sa.or_(place < at, sa.and_(place == at, Step.id < after.step))
    return sa.or_(place > at, sa.and_(place == at, Step.id > after.step))


@dataclass(frozen=True, slots=True)
class _AllMine:
    """What a list says of all of somebody's reviews, on whichever page."""

    counts: Mapping[Tab, int]
    matching: int
    overdue: int
    this_week: int
    choices: Choices


def _all_of(
    session: Session, person: str, filters: Filters, chosen: Sequence[sa.ColumnElement[bool]], now: datetime
) -> _AllMine:
    """All of it in one query: each goes over the same rows, of which no more is read than is counted."""

    def how_many(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))

    overdue, by = _due_by(now, Due.OVERDUE), (Step.state, Application.label, Application.country)
    counted = sa.select(
        *by,
        Application.language,
        sa.func.count().label("all"),
        how_many(*chosen).label("matching"),
        how_many(overdue).label("overdue"),
        how_many(_due_by(now, Due.WEEK), ~overdue).label("this_week"),
    ).join_from(Step, Application, Application.id == Step.application)
    if filters.words:
        counted = counted.outerjoin(Project, Project.id == Application.project)
        counted = counted.outerjoin(School, School.id == Application.school)
    found = session.execute(counted.where(*_theirs(person)).group_by(*by, Application.language)).all()
    return _AllMine(
        counts={tab: sum(row.all for row in found if row.state == state) for tab, state in _STATES.items()},
        matching=sum(row.matching for row in found),
        overdue=sum(row.overdue for row in found),
        this_week=sum(row.this_week for row in found),
        choices=Choices(
            labels=tuple(sorted({row.label for row in found})),
            countries=tuple(sorted({row.country for row in found})),
            languages=tuple(sorted({row.language for row in found})),
        ),
    )


def _row(session: Session, found: sa.Row[Any], now: datetime) -> Row:
    step, application, title, school, draft, sent, answered_at = found
    criteria = rules_of(session, application).criteria_set
    scores = sent or (draft.body.get("scores") if draft else None) or {}
    given = [scores[one.id] for one in criteria.counted if one.id in scores]
    return Row(
        step=step.id,
        application=application.id,
        title=title or school or "",
        label=application.label,
        country=application.country,
        language=application.language,
        state=_state(step, draft, answered_at),
        due_at=step.due_at,
        late=step.state is StepState.OPEN and step.due_at is not None and step.due_at < now,
        closed_at=step.closed_at,
        total=sum(given) if given else None,
        maximum=criteria.maximum,
    )


def _state(step: Step, draft: ReviewDraft | None, answered_at: datetime | None) -> State:
    if step.state is StepState.ANSWERED:
        return State.SENT
    if step.state is StepState.ASKED:
        return State.WAITING
    if draft is None or draft.no_conflict_at is None:
        return State.CONFLICT
    if answered_at and (draft.saved_at is None or draft.saved_at < answered_at):
        return State.ANSWER_CAME
    return State.DRAFT if draft.number else State.NOT_BEGUN
