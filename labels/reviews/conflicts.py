"""Reads from the record who may judge an application, and what might stand between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.kinds import KINDS, Applicant
from labels.people.persons import person
from labels.people.roles import Role
from labels.record.rows import read
from labels.record.schema import (
    Application,
    Conflict,
    DifferentPersons,
    FormerSchool,
    FormerStaff,
    FormerStaffSchool,
    Instant,
    Member,
    Organisation,
    Person,
    School,
    Staff,
    Teacher,
)
from labels.registry.history import all_numbers, beside, school_of_member
from labels.reviews.abilities import UNKNOWN, Ability, of_reviewers
from labels.reviews.choosing import Candidate, Judged, conflicts_of_interest
from labels.rules.kept import rules_of
from labels.turn import Turn
from labels.words.sentences import Sentence

# Built once: they are asked at every turn, and building a query takes longer than running it.


MEMBER = (
    Teacher.id,
    Teacher.name,
    Person.id.label("person"),
    Person.address,
    Teacher.school,
    Member.project,
    school_of_member(Member, Teacher).label("school_then"),
)
"""What is read of a member of a project."""


def _around() -> sa.CompoundSelect[Any]:
    """The members of a project, what else its applicant is a member of, and the numbers of all their schools.

    In one query, for it is asked at every turn: a member's school that was left not long ago comes in a row of its
    own, and so do two numbers of one school, as `school` and `succeeds` without a member.
    """
    members = (
        sa.select(*MEMBER, FormerSchool.school.label("school_left"))
        .join(Member, Member.teacher == Teacher.id)
        .join(Person, Person.id == Teacher.person)
        .outerjoin(
            FormerSchool,
            sa.and_(
                FormerSchool.teacher == Teacher.id, FormerSchool.until > sa.bindparam("since", type_=sa.Date)
            ),
        )
        .where(sa.or_(Member.project == sa.bindparam("project"), Member.teacher == sa.bindparam("teacher")))
        .cte("members")
    )
    columns = members.c
    schools = sa.union(
        *(
            sa.select(one.label("school"))
            for one in (columns.school, columns.school_then, columns.school_left)
        ),
        *(sa.select(sa.bindparam(one, type_=sa.Text)) for one in ("school", "school_then")),
    ).cte("schools")
    nothing = [sa.cast(sa.null(), sa.Text)] * 4
    numbers = (
        sa.select(*nothing, two.c.id, *nothing[:3], two.c.succeeds)
        for two in (select.subquery() for select in beside(schools))
    )
    return sa.union_all(sa.select(members, sa.cast(sa.null(), sa.Text).label("succeeds")), *numbers)


_AROUND = _around()
_TODAY = sa.bindparam("today", None, type_=sa.Date)


def _close_to(condition: sa.ColumnElement[bool]) -> sa.CompoundSelect[Any]:
    """The staff under a condition, with their projects and declared conflicts, as rows below one another.

    Joined side by side, each project would come with each conflict: rows by multiplication. Who shares an
    address with a teacher may be that teacher, so what is close to either counts.
    """
    people = sa.select(Staff).where(condition).cte("people")
    who, own, sharing = people.c, orm.aliased(Person), orm.aliased(Person)
    nothing: dict[str, sa.ColumnElement[Any]] = {
        "address": sa.null(),
        "name": sa.null(),
        "language": sa.null(),
        "organisation": sa.null(),
        "school": sa.null(),
        "project": sa.null(),
        "kind": sa.null(),
        "target": sa.null(),
        "until": sa.cast(sa.null(), sa.Date),
        "different": sa.null(),
        "away": sa.null(),
    }

    def rows(**told: Any) -> sa.Select[Any]:
        return sa.select(who.person, *(value.label(name) for name, value in (nothing | told).items()))

    def shared(**told: Any) -> sa.Select[Any]:
        """The same of everybody at their address."""
        query = rows(**told).join(own, own.id == who.person)
        return query.join(sharing, sharing.address == own.address)

    themselves = rows(
        address=own.address,
        name=who.name,
        language=who.language,
        organisation=who.organisation,
        school=who.school,
        away=sa.case(
            (
                sa.and_(who.away_from <= _TODAY, sa.or_(who.away_until.is_(None), who.away_until >= _TODAY)),
                1,
            )
        ),
    )
    return sa.union_all(
        themselves.join(own, own.id == who.person),
        shared(school=Teacher.school, project=Member.project)
        .join(Teacher, Teacher.person == sharing.id)
        .outerjoin(Member, Member.teacher == Teacher.id),
        shared(kind=Conflict.kind, target=Conflict.target).join(Conflict, Conflict.person == sharing.id),
        shared(school=FormerSchool.school, until=FormerSchool.until)
        .join(Teacher, Teacher.person == sharing.id)
        .join(FormerSchool, FormerSchool.teacher == Teacher.id),
        shared(school=FormerStaffSchool.school, until=FormerStaffSchool.until).join(
            FormerStaffSchool, FormerStaffSchool.person == sharing.id
        ),
        shared(school=FormerStaff.school, until=FormerStaff.left_on)
        .join(FormerStaff, FormerStaff.person == sharing.id)
        .where(FormerStaff.school.is_not(None)),
        rows(different=DifferentPersons.other).join(DifferentPersons, DifferentPersons.one == who.person),
        rows(different=DifferentPersons.one).join(DifferentPersons, DifferentPersons.other == who.person),
    )


_REVIEWERS = _close_to(
    sa.and_(Staff.organisation == sa.bindparam("organisation"), Staff.role == Role.REVIEWER)
)
_PERSON = _close_to(Staff.person == sa.bindparam("person"))
_PEOPLE = _close_to(Staff.person.in_(sa.bindparam("persons", expanding=True)))


def judged(session: Session, application: Application) -> Judged:
    """Whom and what an application is about.

    Raises:
        ValueError: an organisation's is reviewed by nobody.
    """
    match KINDS[application.label].applicant:
        case Applicant.TEACHER:
            return _judged_teacher(session, application)
        case Applicant.SCHOOL:
            return _judged_school(session, application)
    raise ValueError(f"{application.id}: a {application.label} is not reviewed")


def _judged_teacher(session: Session, application: Application) -> Judged:
    applicant = session.get_one(Teacher, application.teacher)
    since = counted_since(session, application)
    whom = {
        "project": application.project,
        "teacher": application.teacher,
        "since": since or date.max,
        "school": applicant.school,
        "school_then": application.school,
    }
    found = read(session, _AROUND, whom).all()
    rows = [row for row in found if row.id is not None]
    members = [row for row in rows if row.project == application.project]
    left = {row.school_left for row in rows if row.school_left and row.id == applicant.id}
    mine = {applicant.school, application.school or applicant.school} | left
    others = {
        one
        for member in members
        for one in (member.school, member.school_then, member.school_left)
        if one is not None
    }
    told = [(row.school, row.succeeds) for row in found if row.id is None]
    own, schools = all_numbers(session, mine, others | left, told=told)
    return Judged(
        applicant_email=person(session, applicant.person).address,
        school=application.school,
        project=application.project or "",
        project_schools=schools,
        named=frozenset(
            {(applicant.person, applicant.name), *((member.person, member.name) for member in members)}
        ),
        member_emails=frozenset(member.address for member in members),
        shared_projects=frozenset(row.project for row in rows if row.id == applicant.id),
        teachers=frozenset(member.id for member in members) | {applicant.id},
        former_schools=own,
        since=since,
    )


def counted_since(session: Session, application: Application) -> date | None:
    """The day after which a school that somebody left still counts as theirs; none where the rules know no such thing."""
    years = rules_of(session, application).national.review.former_school_years
    if years is None or not years.value:
        return None
    day = brussels_day(application.submitted_at)
    return day.replace(
        year=max(day.year - years.value, 1), day=min(day.day, 28) if day.month == 2 else day.day
    )


def _judged_school(session: Session, application: Application) -> Judged:
    """A school's application is about all who teach there, and about its principal."""
    school = session.get_one(School, application.school)
    [numbers] = all_numbers(session, [school.id])
    teachers = session.execute(
        sa.select(Teacher.id, Teacher.name, Teacher.person, Person.address)
        .join(Person, Person.id == Teacher.person)
        .where(Teacher.school.in_(numbers))
    ).all()
    return Judged(
        applicant_email=person(session, school.principal).address,
        school=school.id,
        project="",
        project_schools=numbers,
        named=frozenset(
            {(school.principal, school.principal_name), *((one.person, one.name) for one in teachers)}
        ),
        member_emails=frozenset(one.address for one in teachers),
        shared_projects=frozenset(),
        teachers=frozenset(one.id for one in teachers),
        since=counted_since(session, application),
    )


def candidates(session: Session, application: Application, today: date | None = None) -> list[Candidate]:
    """The reviewers of the application's organisation, with what they are close to and can, their load, and who is away.

    Until the end of the transaction nobody else assigns them; the application is locked already.
    """
    lock_reviewers(session, application.organisation)
    return reviewers(session, application.organisation, application.school_year, today)


def lock_reviewers(session: Session, organisation: str) -> None:
    """Has others who assign reviewers of an organisation wait until the end of the transaction, so that each sees the
    other's choice.

    On PostgreSQL the organisation's row is locked. Whoever locks applications too locks all of them before, in order
    of their ids. On SQLite the transaction is alone anyhow.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.get_one(Organisation, organisation, with_for_update=True)


def reviewers(session: Session, organisation: str, year: int, today: date | None = None) -> list[Candidate]:
    """The reviewers of an organisation, with what they are close to, what they can, and their load of a school year.

    Who is away is known of the day that is named, and of no other.
    """
    abilities = of_reviewers(session, organisation, year)
    return list(_read(session, _REVIEWERS, abilities, organisation=organisation, today=today).values())


def staff(session: Session, person_id: str) -> Candidate | None:
    """A person who is on the staff of any organisation; None where they are on none (any more)."""
    return _read(session, _PERSON, person=person_id).get(person_id)


def near(session: Session, persons: Collection[str]) -> dict[str, Candidate]:
    """These people with what they are close to, whatever their role is now; who is on no staff is left out."""
    return _read(session, _PEOPLE, persons=list(persons)) if persons else {}


def own_conflicts(session: Session, application: Application, person_id: str) -> list[Sentence]:
    """What speaks against somebody who decides anything about an application; nothing where an organisation applies."""
    if KINDS[application.label].applicant not in (Applicant.TEACHER, Applicant.SCHOOL):
        return []
    return conflicts_of_interest(anybody(session, {person_id})[person_id], judged(session, application))


def anybody(session: Session, persons: Collection[str]) -> dict[str, Candidate]:
    """These people with what they are close to; of who is on no staff any more, what was declared."""
    found = near(session, persons)
    gone = set(persons) - found.keys()
    declared: dict[str, set[tuple[str, str]]] = defaultdict(set)
    if gone:
        for row in read(session, _DECLARED, {"persons": list(gone)}):
            declared[row.person].add((row.kind, row.target))
    for one in gone:
        who = person(session, one)
        found[one] = Candidate(
            who.address,
            who.name,
            frozenset(),
            frozenset(),
            frozenset(declared[one]),
            0,
            who.language,
            person=one,
        )
    return found


_DECLARED = sa.select(Conflict.person, Conflict.kind, Conflict.target).where(
    Conflict.person.in_(sa.bindparam("persons", expanding=True))
)


@dataclass(slots=True)
class _Near:
    """What is close to one person, as it is read."""

    entry: tuple[str, str, str] | None = None
    """Address, name and language of an entry of the staff."""
    organisations: set[str] = field(default_factory=set)
    schools: set[str] = field(default_factory=set)
    left: set[tuple[str, date]] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    declared: set[tuple[str, str]] = field(default_factory=set)
    different: set[str] = field(default_factory=set)
    away: bool = False


_NOT_ASKED: Mapping[str, Ability] = {}
"""Where nobody asks what people can, and how much they have to judge."""


def _read(
    session: Session, query: sa.Executable, abilities: Mapping[str, Ability] = _NOT_ASKED, **whom: Any
) -> dict[str, Candidate]:
    people: dict[str, _Near] = defaultdict(_Near)
    for row in read(session, query, whom).all():
        # A tuple is read several times as fast as its columns by their names.
        (
            who,
            address,
            name,
            language,
            organisation,
            school,
            project,
            kind,
            target,
            until,
            different,
            away,
        ) = row
        near = people[who]
        if organisation:
            near.organisations.add(organisation)
            near.entry = near.entry or (address, name, language)
        if until is not None:
            near.left.add((school, until))
        elif school:
            near.schools.add(school)
        if project:
            near.projects.add(project)
        if kind:
            near.declared.add((kind, target))
        if different:
            near.different.add(different)
        if away:
            near.away = True
    return {
        person_id: _candidate(person_id, near, abilities.get(person_id, UNKNOWN))
        for person_id, near in people.items()
    }


def _candidate(person_id: str, near: _Near, ability: Ability) -> Candidate:
    assert near.entry is not None  # the query is of the staff
    address, name, language = near.entry
    return Candidate(
        person=person_id,
        email=address,
        name=name,
        schools=frozenset(near.schools),
        left=frozenset(near.left),
        different=frozenset(near.different),
        projects=frozenset(near.projects),
        declared=frozenset(near.declared),
        load=ability.load,
        language=language,
        organisations=frozenset(near.organisations),
        languages=ability.languages,
        subjects=ability.subjects,
        ages=ability.ages,
        given=ability.given,
        away=near.away,
    )


def declare(turn: Turn, application: Application, person_id: str, *, reason: str) -> bool:
    """Keeps a declared conflict of interest with who applies; returns whether it is new."""
    target = application.teacher or application.school
    if target is None:
        raise ValueError(f"nobody applies in {application.id}")
    kind = "teacher" if application.teacher else "school"
    declared = {
        "person": person_id, "kind": kind, "target": target, "reason": reason, "declared_by": turn.by, "declared_at": turn.now,
    }  # fmt: skip
    return turn.session.execute(_DECLARE_ONCE, declared).first() is not None


def lift(turn: Turn, application: Application, person_id: str) -> bool:
    """Takes back what was declared between a person and an application; returns whether there was anything."""
    targets = judged(turn.session, application).declared
    standing = [
        one
        for one in turn.session.scalars(sa.select(Conflict).where(Conflict.person == person_id))
        if (one.kind, one.target) in targets
    ]
    for one in standing:
        turn.session.delete(one)
    turn.session.flush()
    return bool(standing)


_DECLARE_ONCE = sa.text(
    "INSERT INTO conflict (person, kind, target, reason, declared_by, declared_at)"
    " VALUES (:person, :kind, :target, :reason, :declared_by, :declared_at)"
    " ON CONFLICT (person, kind, target) DO NOTHING RETURNING id"
).bindparams(sa.bindparam("declared_at", type_=Instant()))
