"""A reviewer's own list: what is to be done, what waits for an applicant, what was sent; filtered, and paged by key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.clock import brussels_day, end_of_day
from labels.kinds import LabelKind
from labels.record.rows import read
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
from labels.rules.kept import kept_rules
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
    wanted = _wanted_by(filters, after)
    values = _values(person, now, filters, after)
    found = read(session, _page(wanted), values | {"limit": limit + 1}).all()
    all_mine = _all_of(read(session, _counted(replace(wanted, after=False)), values).all())
    last = found[limit - 1] if len(found) > limit else None
    return ReviewList(
        rows=tuple(_row(session, one, now) for one in found[:limit]),
        counts=all_mine.counts,
        matching=all_mine.matching,
        overdue=all_mine.overdue,
        this_week=all_mine.this_week,
        choices=all_mine.choices,
        next=Key((last.closed_at if filters.tab is Tab.SENT else last.due_at) or NEVER, last.step)
        if last
        else None,
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which filters are set, without their values: what a statement is built for once and kept by."""

    tab: Tab
    due: Due | None
    label: bool
    country: bool
    language: bool
    words: bool
    after: bool


def _wanted_by(filters: Filters, after: Key | None) -> _Wanted:
    return _Wanted(
        tab=filters.tab,
        due=filters.due,
        label=filters.label is not None,
        country=filters.country is not None,
        language=filters.language is not None,
        words=bool(_words(filters)),
        after=after is not None,
    )


def _words(filters: Filters) -> str:
    return clean(filters.words).strip()


def _values(person: str, now: datetime, filters: Filters, after: Key | None) -> dict[str, Any]:
    """What the statements are asked with."""
    today = brussels_day(now)
    return {
        "reviewer": person,
        "now": now,
        "week": end_of_day(today + timedelta(days=7)),
        "month": end_of_day(today + timedelta(days=31)),
        "label": filters.label,
        "country": filters.country,
        "language": filters.language,
        "words": re.sub("[/%_]", r"/\g<0>", _words(filters)),
        "after_at": after.at if after else None,
        "after_step": after.step if after else None,
    }


_Asked = aliased(Step)
_ON_THE_STAFF = Application.organisation.in_(
    sa.select(Staff.organisation).where(Staff.person == sa.bindparam("reviewer"))
)
_THEIRS: tuple[sa.ColumnElement[bool], ...] = (
    Step.person == sa.bindparam("reviewer"),
    Step.kind == StepKind.REVIEW,
    Step.state.in_(list(_STATES.values())),
    _ON_THE_STAFF,
)
"""A person's reviews, of organisations on whose staff they are."""
_ANSWER_CAME = (
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


@cache
def _page(wanted: _Wanted) -> sa.Select[Any]:
    """A person's reviews that match the filters, with all that is shown of each."""
    place = _place(wanted.tab)
    order = (place.desc(), Step.id.desc()) if wanted.tab is Tab.SENT else (place.asc(), Step.id.asc())
    conditions = [*_THEIRS, *_chosen(wanted)]
    if wanted.after:
        conditions.append(_beyond(place, wanted.tab))
    # Those of the page first: what is shown of them would be read of all that are sorted.
    of_page = _among(wanted, sa.select(Step.id)).where(*conditions).order_by(*order)
    on_page = Step.id.in_(of_page.limit(sa.bindparam("limit", type_=sa.Integer())).correlate(None))
    return (
        sa.select(
            Step.id.label("step"),
            Step.state,
            Step.due_at,
            Step.closed_at,
            Application.id.label("application"),
            Application.label,
            Application.country,
            Application.language,
            Application.rules,
            Project.title,
            School.name.label("school"),
            ReviewDraft.no_conflict_at,
            ReviewDraft.number.label("saves"),
            ReviewDraft.saved_at,
            ReviewDraft.body["scores"].label("drafted"),
            Review.scores.label("sent"),
            _ANSWER_CAME.label("answered_at"),
        )
        .join(Application, Application.id == Step.application)
        .outerjoin(Project, Project.id == Application.project)
        .outerjoin(School, School.id == Application.school)
        .outerjoin(ReviewDraft, ReviewDraft.step == Step.id)
        .outerjoin(Review, Review.step == Step.id)
        .where(on_page)
        .order_by(*order)
    )


def _among(wanted: _Wanted, chosen: sa.Select[Any]) -> sa.Select[Any]:
    """A question about steps, with what the filters look at."""
    joined = chosen.join_from(Step, Application, Application.id == Step.application)
    if wanted.words:
        joined = joined.outerjoin(Project, Project.id == Application.project)
        joined = joined.outerjoin(School, School.id == Application.school)
    return joined


def _chosen(wanted: _Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = [Step.state == _STATES[wanted.tab]]
    if wanted.due:
        conditions.append(_due_by(wanted.due))
    if wanted.label:
        conditions.append(Application.label == sa.bindparam("label"))
    if wanted.country:
        conditions.append(Application.country == sa.bindparam("country"))
    if wanted.language:
        conditions.append(Application.language == sa.bindparam("language"))
    if wanted.words:
        words = sa.bindparam("words", type_=sa.Text())
        among = (Project.title, School.name, Application.id)
        conditions.append(sa.or_(*(one.icontains(words, escape="/") for one in among)))
    return conditions


_UNTIL = {Due.OVERDUE: "now", Due.WEEK: "week", Due.MONTH: "month"}


def _due_by(due: Due) -> sa.ColumnElement[bool]:
    """Of what is to be done, what is due by then."""
    until = sa.bindparam(_UNTIL[due], type_=Instant())
    return sa.and_(Step.state == StepState.OPEN, Step.due_at.is_not(None), Step.due_at < until)


def _place(tab: Tab) -> sa.ColumnElement[datetime]:
    column = Step.closed_at if tab is Tab.SENT else Step.due_at
    return sa.func.coalesce(column, sa.literal(NEVER, Instant()), type_=Instant())


def _beyond(place: sa.ColumnElement[datetime], tab: Tab) -> sa.ColumnElement[bool]:
    at = sa.bindparam("after_at", type_=Instant())
    step = sa.bindparam("after_step", type_=sa.Text())
    if tab is Tab.SENT:
        return sa.or_(place < at, sa.and_(place == at, Step.id < step))
    return sa.or_(place > at, sa.and_(place == at, Step.id > step))


@dataclass(frozen=True, slots=True)
class _AllMine:
    """What a list says of all of somebody's reviews, on whichever page."""

    counts: Mapping[Tab, int]
    matching: int
    overdue: int
    this_week: int
    choices: Choices


@cache
def _counted(wanted: _Wanted) -> sa.Select[Any]:
    """All of it in one query: each goes over the same rows, of which no more is read than is counted."""

    def how_many(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))

    overdue = _due_by(Due.OVERDUE)
    by = (Step.state, Application.label, Application.country, Application.language)
    counted = sa.select(
        *by,
        sa.func.count().label("all"),
        how_many(*_chosen(wanted)).label("matching"),
        how_many(overdue).label("overdue"),
        how_many(_due_by(Due.WEEK), ~overdue).label("this_week"),
    )
    return _among(wanted, counted).where(*_THEIRS).group_by(*by)


def _all_of(found: Sequence[sa.Row[Any]]) -> _AllMine:
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
    criteria = kept_rules(found.rules, session).criteria_set
    scores = found.sent or found.drafted or {}
    given = [scores[one.id] for one in criteria.counted if one.id in scores]
    return Row(
        step=found.step,
        application=found.application,
        title=found.title or found.school or "",
        label=found.label,
        country=found.country,
        language=found.language,
        state=_state(found),
        due_at=found.due_at,
        late=found.state is StepState.OPEN and found.due_at is not None and found.due_at < now,
        closed_at=found.closed_at,
        total=sum(given) if given else None,
        maximum=criteria.maximum,
    )


def _state(found: sa.Row[Any]) -> State:
    if found.state is StepState.ANSWERED:
        return State.SENT
    if found.state is StepState.ASKED:
        return State.WAITING
    if found.no_conflict_at is None:
        return State.CONFLICT
    if found.answered_at and (found.saved_at is None or found.saved_at < found.answered_at):
        return State.ANSWER_CAME
    return State.DRAFT if found.saves else State.NOT_BEGUN
