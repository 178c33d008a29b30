"""Who is near to labels that are decided on where nobody applies: screened, awarded, or taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Award, Person, School, Teacher
from labels.registry.history import all_numbers
from labels.reviews.choosing import Candidate, Judged, conflicts_of_interest
from labels.reviews.conflicts import anybody
from labels.reviews.judged_together import LEFT, MANY_AROUND
from labels.words.sentences import Sentence

TOGETHER = 500
"""Labels that are looked at with one set of queries."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label, or a project with its labels: what somebody decides on."""

    id: str
    """What it is called where it is decided on: the label's id, or the project's."""
    project: str = ""
    """None of a School Label."""
    teachers: frozenset[str] = frozenset()
    """Who holds it, by id."""
    schools: frozenset[str] = frozenset()
    """Where it was won."""

    @classmethod
    def of(cls, award: Award) -> Labelled:
        """A label that is in the record."""
        return cls(
            award.id,
            award.project or "",
            frozenset({award.teacher} if award.teacher else ()),
            frozenset({award.school} if award.school else ()),
        )


def near_to(
    session: Session, person_id: str, labels: Sequence[Labelled], since: date | None = None
) -> dict[str, list[Sentence]]:
    """Those of some labels with which a person has a conflict of interest, each with why.

    What counts is what does where somebody applies: holder, members and schools of the project, and what was declared.

    Args:
        session: the record.
        person_id: who decides.
        labels: on what; thousands take some queries for each five hundred.
        since: the day after which a school that somebody left counts as theirs; none does without it.
    """
    me = _under_all_numbers(session, anybody(session, {person_id})[person_id])
    found: dict[str, list[Sentence]] = {}
    for first in range(0, len(labels), TOGETHER):
        for one, judged in _judged(session, labels[first : first + TOGETHER], since):
            if why := conflicts_of_interest(me, judged):
                found[one.id] = why
    return found


def _under_all_numbers(session: Session, who: Candidate) -> Candidate:
    """The same with each school under every number that it had, so that those of the labels need not be looked up."""
    declared = {target for kind, target in who.declared if kind == "school"}
    left = sorted(who.left)
    schools, named, *each = all_numbers(session, who.schools, declared, *([school] for school, _ in left))
    return replace(
        who,
        schools=schools,
        declared=who.declared | {("school", one) for one in named},
        left=frozenset(
            (one, until) for numbers, (_, until) in zip(each, left, strict=True) for one in numbers
        ),
    )


def _judged(
    session: Session, labels: Sequence[Labelled], since: date | None
) -> Iterator[tuple[Labelled, Judged]]:
    holders = {teacher for one in labels for teacher in one.teachers}
    projects = {one.project for one in labels if one.project}
    of_schools = {school for one in labels if not one.project for school in one.schools}
    members: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    shared: dict[str, set[str]] = defaultdict(set)
    for member in session.execute(MANY_AROUND, {"projects": list(projects), "teachers": list(holders)}):
        members[member.project].append(member)
        shared[member.id].add(member.project)
    people: dict[str, sa.Row[Any]] = {
        one.id: one for one in session.execute(_TEACHERS, {"teachers": list(holders)})
    }
    teaching: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for one in session.execute(_TEACHING, {"schools": list(of_schools)}):
        teaching[one.school].append(one)
    principals = {school.id: school for school in session.execute(_PRINCIPALS, {"schools": list(of_schools)})}
    left: dict[str, set[str]] = defaultdict(set)
    if since is not None:
        around = holders | {row.id for project in projects for row in members[project]}
        for gone in session.execute(LEFT, {"teachers": list(around), "since": since}):
            left[gone.teacher].add(gone.school)
    for label in labels:
        near = [*members[label.project]] if label.project else []
        near += [people[teacher] for teacher in label.teachers if teacher in people]
        near += [row for school in label.schools if not label.project for row in teaching[school]]
        named = {(row.person, row.name) for row in near}
        named |= {
            (principals[school].person, principals[school].name)
            for school in label.schools
            if school in principals
        }
        schools = set(label.schools) | {school for row in near for school in left[row.id]}
        if label.project:
            schools |= {school for row in near for school in (row.school, row.school_then) if school}
        yield (
            label,
            Judged(
                applicant_email="",
                school=min(label.schools) if len(label.schools) == 1 else None,
                project=label.project,
                project_schools=frozenset(schools),
                named=frozenset(named),
                member_emails=frozenset(row.address for row in near),
                shared_projects=frozenset(
                    project for teacher in label.teachers for project in shared[teacher]
                ),
                teachers=frozenset(row.id for row in near) | label.teachers,
                since=since,
            ),
        )


_EACH = sa.select(
    Teacher.id,
    Teacher.name,
    Teacher.person,
    Person.address,
    Teacher.school,
    sa.null().label("school_then"),
).join(Person, Person.id == Teacher.person)
_TEACHERS = _EACH.where(Teacher.id.in_(sa.bindparam("teachers", expanding=True)))
_TEACHING = _EACH.where(Teacher.school.in_(sa.bindparam("schools", expanding=True)))
_PRINCIPALS = sa.select(
    School.id, School.principal.label("person"), School.principal_name.label("name")
).where(School.id.in_(sa.bindparam("schools", expanding=True)))
