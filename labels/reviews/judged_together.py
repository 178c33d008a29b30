"""Reads whom and what many applications are about, all of them together: what `conflicts.judged` reads of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import KINDS, Applicant
from labels.people.persons import batches
from labels.record.schema import Application, FormerSchool, Member, Person, School, Teacher
from labels.registry.history import all_numbers
from labels.reviews.choosing import Judged
from labels.reviews.conflicts import MEMBER, counted_since, judged


def judged_by_application(session: Session, applications: Sequence[Application]) -> dict[str, Judged]:
    """Whom and what each of these applications is about; those of organisations are left out, nobody reviews them."""
    if len(applications) == 1:
        return {one.id: judged(session, one) for one in applications if _is_judged(one)}
    found: dict[str, Judged] = {}
    for applicant, read in ((Applicant.TEACHER, _judged_teachers), (Applicant.SCHOOL, _judged_schools)):
        theirs = [one for one in applications if KINDS[one.label].applicant is applicant]
        for some in batches(theirs, AT_ONCE):
            found |= read(session, some)
    return found


AT_ONCE = 1_000
"""Applications of which all is read together: a question to the database names so many projects and teachers."""


def _judged_teachers(session: Session, applications: Sequence[Application]) -> dict[str, Judged]:
    around = {
        "projects": list({one.project for one in applications}),
        "teachers": list({one.teacher for one in applications}),
    }
    of_project: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    shared: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(MANY_AROUND, around):
        of_project[row.project].append(row)
        shared[row.id].add(row.project)
    applicants = {row.id: row for row in session.execute(_APPLICANTS, around)}
    since = {one.id: counted_since(session, one) for one in applications}
    counted = [day for day in since.values() if day is not None]
    left: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    if counted:
        whose = {*applicants, *(row.id for rows in of_project.values() for row in rows)}
        for gone in session.execute(LEFT, {"teachers": list(whose), "since": min(counted)}):
            left[gone.teacher].append(gone)

    def near(application: Application) -> tuple[set[str], set[str]]:
        """The schools of the applicant, and of the project."""
        applicant, members = applicants[application.teacher or ""], of_project[application.project or ""]
        day = since[application.id]
        gone = {
            who: {row.school for row in left[who] if day is not None and row.until > day}
            for who in (applicant.id, *(row.id for row in members))
        }
        mine = {applicant.school, application.school or applicant.school} | gone[applicant.id]
        others = {one for row in members for one in (row.school, row.school_then)}
        return mine, others.union(*gone.values())

    schools = all_numbers(session, *(one for application in applications for one in near(application)))
    found = {}
    for place, one in enumerate(applications):
        applicant, members = applicants[one.teacher or ""], of_project[one.project or ""]
        found[one.id] = Judged(
            applicant_email=applicant.address,
            school=one.school,
            project=one.project or "",
            project_schools=schools[2 * place + 1],
            named=frozenset(
                {(applicant.person, applicant.name), *((member.person, member.name) for member in members)}
            ),
            member_emails=frozenset(member.address for member in members),
            shared_projects=frozenset(shared[applicant.id]),
            teachers=frozenset(member.id for member in members) | {applicant.id},
            former_schools=schools[2 * place],
            since=since[one.id],
        )
    return found


_APPLICANTS = (
    sa.select(Teacher.id, Teacher.name, Teacher.school, Person.id.label("person"), Person.address)
    .join(Person, Person.id == Teacher.person)
    .where(Teacher.id.in_(sa.bindparam("teachers", expanding=True)))
)


def _judged_schools(session: Session, applications: Sequence[Application]) -> dict[str, Judged]:
    """A school's application is about all who teach there, and about its principal."""
    ids = [one.school for one in applications if one.school]
    schools = {row.id: row for row in session.execute(_PRINCIPALS, {"schools": ids})}
    numbers = dict(zip(ids, all_numbers(session, *([one] for one in ids)), strict=True))
    teachers: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in session.execute(_TEACH_AT, {"schools": list(set().union(*numbers.values()))}):
        teachers[row.school].append(row)
    found = {}
    for one in applications:
        school = schools[one.school or ""]
        there = [row for number in numbers[school.id] for row in teachers[number]]
        found[one.id] = Judged(
            applicant_email=school.address,
            school=school.id,
            project="",
            project_schools=numbers[school.id],
            named=frozenset(
                {(school.principal, school.principal_name), *((row.person, row.name) for row in there)}
            ),
            member_emails=frozenset(row.address for row in there),
            shared_projects=frozenset(),
            teachers=frozenset(row.id for row in there),
            since=counted_since(session, one),
        )
    return found


_PRINCIPALS = (
    sa.select(School.id, School.principal, School.principal_name, Person.address)
    .join(Person, Person.id == School.principal)
    .where(School.id.in_(sa.bindparam("schools", expanding=True)))
)
_TEACH_AT = (
    sa.select(Teacher.id, Teacher.name, Teacher.school, Teacher.person, Person.address)
    .join(Person, Person.id == Teacher.person)
    .where(Teacher.school.in_(sa.bindparam("schools", expanding=True)))
)


MANY_AROUND = (
    sa.select(*MEMBER)
    .join(Member, Member.teacher == Teacher.id)
    .join(Person, Person.id == Teacher.person)
    .where(
        sa.or_(
            Member.project.in_(sa.bindparam("projects", expanding=True)),
            Member.teacher.in_(sa.bindparam("teachers", expanding=True)),
        )
    )
)
"""The members of some projects, and what else some teachers are members of."""

LEFT = sa.select(FormerSchool.teacher, FormerSchool.school, FormerSchool.until).where(
    FormerSchool.teacher.in_(sa.bindparam("teachers", expanding=True)),
    FormerSchool.until > sa.bindparam("since", type_=sa.Date),
)
"""The schools that some teachers left after a day."""


def _is_judged(application: Application) -> bool:
    return KINDS[application.label].applicant in (Applicant.TEACHER, Applicant.SCHOOL)
