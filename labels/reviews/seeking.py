"""Reads from the record what makes a reviewer suit an application: what they can, their experience, wishes, who judged its partners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import Wish
from labels.record.rows import read
from labels.record.schema import Application, ReviewerWish, Staff, Step, StepKind, StepState, Teacher
from labels.reviews.choosing import Candidate
from labels.reviews.suiting import Profile, Sought
from labels.rules.model import RuleEdition

_GIVEN = (
    sa.select(sa.func.count())
    .where(Step.person == Staff.person, Step.kind == StepKind.REVIEW, Step.state == StepState.ANSWERED)
    .correlate(Staff)
    .scalar_subquery()
)
_CAN = sa.select(
    Staff.person, Staff.language, Staff.languages, Staff.subjects, Staff.ages, _GIVEN.label("given")
).where(Staff.person.in_(sa.bindparam("persons", expanding=True)))

_SOUGHT = sa.union_all(
    sa.select(ReviewerWish.person, ReviewerWish.wish).where(
        ReviewerWish.application == sa.bindparam("application")
    ),
    sa.select(Step.person, sa.cast(sa.null(), ReviewerWish.wish.type))
    .join(Application, Application.id == Step.application)
    .where(
        Application.project == sa.bindparam("project"),
        Application.id != sa.bindparam("application"),
        Step.kind == StepKind.REVIEW,
        Step.state == StepState.ANSWERED,
    ),
)
"""What reviewers said of an application; and, without a word, who judged another one of its project."""


def sought(session: Session, application: Application, edition: RuleEdition) -> Sought:
    """What an application asks of a reviewer by its rules; nothing where they have no weights."""
    rules = edition.national.review.assignment
    if rules is None:
        return Sought(Profile())
    teacher = session.get(Teacher, application.teacher) if application.teacher else None
    profile = Profile(
        rules,
        application.language,
        frozenset(one.casefold() for one in values(teacher.subjects if teacher else None)),
        (application.content.get("pupils") or {}).get("average_age"),
    )
    wishes: dict[str, Wish] = {}
    judged = set()
    about = {"application": application.id, "project": application.project}
    for person, wish in read(session, _SOUGHT, about):
        if wish is None:
            judged.add(person)
        else:
            wishes[person] = wish
    return Sought(profile, wishes, frozenset(judged))


def with_what_they_can(session: Session, people: Iterable[Candidate]) -> list[Candidate]:
    """The same people with what they read and teach, and how many reviews they have given."""
    people = list(people)
    entries: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in read(session, _CAN, {"persons": [one.person for one in people]}):
        entries[row.person].append(row)
    return [_with(one, entries[one.person]) for one in people]


def _with(one: Candidate, entries: Sequence[sa.Row[Any]]) -> Candidate:
    if not any(row.languages or row.subjects or row.ages or row.given for row in entries):
        return one  # nothing is known of them
    said = {code for row in entries for code in values(row.languages)}
    return replace(
        one,
        # The language that somebody is written to in is one of them; alone it says nothing of the others.
        languages=frozenset(said | {row.language for row in entries}) if said else frozenset(),
        subjects=frozenset(subject.casefold() for row in entries for subject in values(row.subjects)),
        ages=frozenset(_range(ages) for row in entries for ages in values(row.ages)),
        given=max((row.given for row in entries), default=0),
    )


def values(text: str | None) -> list[str]:
    """The values of a column that has several, `;` between."""
    return text.split(";") if text else []


def _range(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(low), int(high)
