"""A plan for many applications as people read it: titles and names in place of ids, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.many import Plan, Planned, Wish, is_refused, kept_wish, loads_of, own_plan
from labels.applications.titles import titles_of
from labels.people.persons import batches
from labels.people.roles import Role
from labels.record.schema import (
    Application,
    BulkPlan,
    Organisation,
    Person,
    Staff,
    Step,
    StepKind,
)
from labels.words.sentences import Sentence

PAGE = 50
"""Rows of one page."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row of a plan."""

    application: str
    title: str
    step: str
    kind: StepKind | None
    whose: str
    """The name of who has it now; empty for nobody."""
    to: str
    """The name of who has it then, where somebody else does."""
    due: datetime | None
    until: datetime | None
    why_not: Sentence | None
    warning: Sentence | None


@dataclass(frozen=True, slots=True)
class LoadChange:
    """How many open reviews somebody has before and after."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PlanShown:
    """A plan, or a page of it."""

    id: str
    wish: Wish
    to: str
    """The name of who is to review, where the plan names somebody."""
    whose: str
    made_at: datetime
    done_at: datetime | None
    number: int
    """Of rows about which something is done."""
    applications: int
    """Of those."""
    not_done: tuple[PlanRow, ...]
    """The first of those about which nothing can be done."""
    more_not_done: int
    rows: tuple[PlanRow, ...]
    """What is done, from a row on."""
    first: int
    further: int | None
    """From which row the next page goes on; None on the last."""
    loads: tuple[LoadChange, ...]


def shown(
    session: Session, identifier: str, who: str, *, first: int = 0, limit: int | None = PAGE
) -> PlanShown:
    """A plan of somebody's own, from a row on.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = own_plan(session, identifier, who)
    done = [one for one in row.rows["rows"] if not is_refused(one)]
    refused = [one for one in row.rows["rows"] if is_refused(one)]
    last = len(done) if limit is None else first + limit
    part = _Part(
        tuple(map(Planned.from_json, done[first:last])),
        len(done),
        len({one[0] for one in done}),
        tuple(map(Planned.from_json, refused if limit is None else refused[:limit])),
        len(refused),
        first,
    )
    return _shown(session, row, kept_wish(row), part, loads_of(row))


def not_kept(session: Session, who: str, plan: Plan, now: datetime) -> PlanShown:
    """A whole plan that is only looked at."""
    done, refused = plan.done, tuple(one for one in plan.rows if one.why_not is not None)
    part = _Part(done, len(done), len({one.application for one in done}), refused, len(refused), 0)
    return _shown(
        session, BulkPlan(id="", person=who, made_at=now, done_at=None), plan.wish, part, plan.loads
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of a plan that are shown, and how many there are."""

    done: tuple[Planned, ...]
    number: int
    applications: int
    refused: tuple[Planned, ...]
    number_refused: int
    first: int


def _shown(
    session: Session,
    of: BulkPlan,
    wish: Wish,
    part: _Part,
    loads: Mapping[str, tuple[int, int]],
) -> PlanShown:
    here, left, last = part.done, part.refused, part.first + len(part.done)
    names = _names(session, {one for row in (*here, *left) for one in (row.whose, row.to)} | loads.keys())
    named = _names_known(session, of.person, {wish.to, wish.whose})
    titles = titles_of(session, [one.application for one in (*here, *left)])

    def row(one: Planned) -> PlanRow:
        return PlanRow(
            one.application,
            titles.get(one.application, ""),
            one.step,
            one.kind,
            names.get(one.whose, ""),
            names.get(one.to, ""),
            one.due,
            one.until,
            one.why_not,
            one.warning,
        )

    return PlanShown(
        id=of.id,
        wish=wish,
        to=named.get(wish.to, wish.to),
        whose=named.get(wish.whose, wish.whose),
        made_at=of.made_at,
        done_at=of.done_at,
        number=part.number,
        applications=part.applications,
        not_done=tuple(map(row, left)),
        more_not_done=part.number_refused - len(left),
        rows=tuple(map(row, here)),
        first=part.first,
        further=last if last < part.number else None,
        loads=tuple(
            sorted(
                (LoadChange(names.get(one, one), *numbers) for one, numbers in loads.items()),
                key=lambda one: (-one.after, one.name),
            )
        ),
    )


def _names(session: Session, ids: Collection[str]) -> dict[str, str]:
    return {
        row.id: row.name
        for some in batches(sorted(ids))
        for row in session.execute(sa.select(Person.id, Person.name).where(Person.id.in_(some)))
    }


def _names_known(session: Session, who: str, typed: Collection[str]) -> dict[str, str]:
    """The names of those whom somebody has to do with, of the ids that they sent: of the staff of an organisation that
    they coordinate, or asked for something there. Nobody learns who has an id elsewhere."""
    own = sa.select(Organisation.id).where(
        sa.or_(
            Organisation.person == who,
            sa.exists().where(
                Staff.person == who, Staff.organisation == Organisation.id, Staff.role == Role.COORDINATOR
            ),
        )
    )
    asked = sa.exists().where(
        Step.person == Person.id, Step.application == Application.id, Application.organisation.in_(own)
    )
    on_staff = sa.exists().where(Staff.person == Person.id, Staff.organisation.in_(own))
    found = sa.select(Person.id, Person.name).where(Person.id.in_(typed), sa.or_(on_staff, asked))
    return {row.id: row.name for row in session.execute(found)}
