"""What the registry knows of earlier times: where a teacher taught on a day, and which schools go on under another number.

The files say where a teacher is now. An import that finds them in another school notes the former one and until
when; whatever began or was awarded before that day stays the former school's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.record.schema import Award, FormerSchool, Member, Project, School, Teacher

# Where somebody taught ----------------------------------------------------------------------------


def _left_after(teacher: Any, day: Any) -> sa.ScalarSelect[str]:
    """SQL for the school that a teacher was in on a day and has left since; nothing where they are there still."""
    former = orm.aliased(FormerSchool)
    return (
        sa.select(former.school)
        .where(former.teacher == teacher, former.until > day)
        .order_by(former.until)
        .limit(1)
        .correlate_except(former)
        .scalar_subquery()
    )


def school_on(teacher: type[Teacher], day: Any) -> sa.ColumnElement[str]:
    """SQL for the school of a teacher on a day, where `teacher` is in the query."""
    return sa.func.coalesce(_left_after(teacher.id, day), teacher.school)


def school_of_member(member: type[Member], teacher: type[Teacher]) -> sa.ColumnElement[str]:
    """SQL for the school of a member when they joined, where both tables are in the query."""
    return sa.func.coalesce(member.school, school_on(teacher, member.joined_on))


def school_of_award(award: type[Award], teacher: type[Teacher]) -> sa.ColumnElement[str]:
    """SQL for the school at which a label was won, where both tables are in the query."""
    return sa.func.coalesce(award.school, school_on(teacher, award.awarded_on))


Narrowed = Callable[[sa.Select[Any], Any], sa.Select[Any]]
"""Keeps of a query's involvements those that are asked for; it is handed the day from which each is, as SQL."""


def involvements(narrowed: Narrowed, *columns: Any) -> sa.CompoundSelect[Any]:
    """The schools that were or are in projects: `school`, and `columns` of `Member` and what `narrowed` joins.

    A school is in a project from the day on which somebody joins it who teaches there, or on which a member comes
    there who has not left the project, while it runs. It was in it for ever then, wherever its teachers are now.
    """
    # Cast, so that SQLite knows that it is text and may make an index of it.
    then = sa.cast(school_of_member(Member, Teacher), sa.Text)
    joined = sa.select(then.label("school"), *columns).select_from(Member)
    came = FormerSchool.until
    later = (
        sa.select(sa.cast(school_on(Teacher, came), sa.Text), *columns)
        .select_from(FormerSchool)
        .join(Member, Member.teacher == FormerSchool.teacher)
        .join(Project, Project.id == Member.project)
        .where(came > Member.joined_on)
        .where(sa.or_(Member.left_on.is_(None), came <= Member.left_on))
        .where(sa.or_(Project.ended_on.is_(None), came <= Project.ended_on))
    )
    return sa.union_all(
        narrowed(joined.join(Teacher, Teacher.id == Member.teacher), Member.joined_on),
        narrowed(later.join(Teacher, Teacher.id == Member.teacher), came),
    )


def ever_at(schools: Any) -> sa.CompoundSelect[Any]:
    """The teachers who were or are in one of some schools, as far as the registry knows."""
    return sa.union_all(
        sa.select(Teacher.id).where(Teacher.school.in_(schools)),
        sa.select(FormerSchool.teacher).where(FormerSchool.school.in_(schools)),
        sa.select(Member.teacher).where(Member.school.in_(schools)),
    )


# One school under several numbers -----------------------------------------------------------------


def successions() -> sa.CTE:
    """The schools that go on from others, at once or by several steps: `school` and `former`, both ids."""
    own = (
        sa.select(School.id.label("school"), School.succeeds.label("former"))
        .where(School.succeeds.is_not(None))
        .cte("succession", recursive=True)
    )
    before = orm.aliased(School)
    return own.union(  # of rows that are there already none is added: a circle ends
        sa.select(own.c.school, before.succeeds)
        .join(before, before.id == own.c.former)
        .where(before.succeeds.is_not(None))
    )


Beside = tuple[str, str]
"""Two numbers of one school: of the school that goes on, and of the one that it goes on from."""


def all_numbers(
    session: Session, *several: Collection[str], told: Collection[Beside] | None = None
) -> list[frozenset[str]]:
    """Sets of schools, each with those that its schools go on from and those that go on from them: all their numbers.

    `told` is what `beside` says of all these schools, where the caller asked already.
    """
    pairs: dict[str, set[str]] = defaultdict(set)
    known: set[str] = set()
    fresh: set[str] = set().union(*several)
    while fresh:
        known |= fresh
        if told is None:
            told = [(row.id, row.succeeds) for row in session.execute(_BESIDE, {"schools": list(fresh)})]
        for school, former in told:
            pairs[school].add(former)
            pairs[former].add(school)
        fresh, told = pairs.keys() - known, None
    return [_reached(schools, pairs) for schools in several]


def beside(schools: sa.CTE) -> list[sa.Select[Any]]:
    """SQL for the other numbers of some schools (a column `school`), one step away: `id` and `succeeds` in each select."""
    own = sa.select(School.id, School.succeeds).where(School.succeeds.is_not(None))
    return [
        own.join(schools, schools.c.school == School.id),
        own.join(schools, schools.c.school == School.succeeds),
    ]


def _reached(schools: Collection[str], pairs: Mapping[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    fresh = set(schools)
    while fresh:
        found |= fresh
        fresh = {one for school in fresh for one in pairs.get(school, ())} - found
    return frozenset(found)


_BESIDE = sa.select(School.id, School.succeeds).where(
    School.succeeds.is_not(None),
    sa.or_(
        School.id.in_(sa.bindparam("schools", expanding=True)),
        School.succeeds.in_(sa.bindparam("schools", expanding=True)),
    ),
)
