"""In which applications somebody has a conflict of interest themselves: what they are shown in numbers leaves these out."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.people.likeness import same
from labels.record.schema import Application, Member, Person, School, Teacher
from labels.registry.history import all_numbers, ever_at
from labels.reviews.choosing import Candidate, conflicts_of_interest
from labels.reviews.conflicts import anybody
from labels.reviews.judged_together import judged_by_application
from labels.views.finding import find

NAMESAKES = 200
"""Teachers with somebody's name who are looked at."""


def in_conflict(session: Session, person: str) -> frozenset[str]:
    """The applications that somebody would not be asked to review, each by the rules that choose reviewers.

    What is near to them is found along indexes, and then judged as it is where reviewers are chosen, all together.
    """
    somebody = anybody(session, {person})[person]
    declared = {kind: {target for one, target in somebody.declared if one == kind} for kind in _DECLARED}
    [schools] = all_numbers(
        session, somebody.schools | {school for school, _ in somebody.left} | declared["school"]
    )
    teachers = declared["teacher"] | _namesakes(session, somebody) | _at_their_address(session, somebody)
    teachers |= set(session.scalars(ever_at(schools))) if schools else set()
    projects = set(somebody.projects) | declared["project"] | _projects_of(session, teachers)
    teachers |= _members_of(session, somebody.projects)
    of_teachers = Application.label != LabelKind.SCHOOL
    schools |= _schools_of(session, teachers, somebody)
    # What nothing can be in is not asked for: it would have every application read.
    near = [
        sa.and_(column.in_(those), *more)
        for column, those, more in (
            (Application.project, projects, (of_teachers,)),
            (Application.teacher, teachers, (of_teachers,)),
            (Application.school, schools, ()),
        )
        if those
    ]
    if not near:
        return frozenset()
    found = session.scalars(
        sa.select(Application)
        .where(Application.label.in_((LabelKind.NATIONAL, LabelKind.SCHOOL)), sa.or_(*near))
        .options(orm.defer(Application.content))
    ).all()
    about = judged_by_application(session, found)
    return frozenset(one for one, judged in about.items() if conflicts_of_interest(somebody, judged))


_DECLARED = ("teacher", "school", "project")


def _namesakes(session: Session, somebody: Candidate) -> set[str]:
    hits = find(session, somebody.name, None, shown=NAMESAKES).hits.get("teacher", ())
    return {one.id for one in hits if same(one.name, somebody.name)}


def _at_their_address(session: Session, somebody: Candidate) -> set[str]:
    query = sa.select(Teacher.id).join(Person, Person.id == Teacher.person)
    return set(session.scalars(query.where(Person.address == somebody.email)))


def _projects_of(session: Session, teachers: Collection[str]) -> set[str]:
    return set(session.scalars(sa.select(Member.project).where(Member.teacher.in_(teachers))))


def _members_of(session: Session, projects: Collection[str]) -> set[str]:
    return set(session.scalars(sa.select(Member.teacher).where(Member.project.in_(projects))))


def _schools_of(session: Session, teachers: Collection[str], somebody: Candidate) -> set[str]:
    """The schools that somebody's namesakes teach at, or that they are the principal of."""
    query = sa.select(Teacher.school).where(Teacher.id.in_(teachers))
    led = sa.select(School.id).where(School.principal == somebody.person)
    return set(session.scalars(query)) | set(session.scalars(led))
