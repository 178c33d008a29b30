"""Reads from the record what makes a reviewer suit an application: what it is about, wishes, who judged its partners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.kinds import Wish
from labels.people.persons import batches
from labels.record.rows import read
from labels.record.schema import Application, ReviewerWish, Step, StepKind, StepState, Teacher
from labels.reviews.abilities import values
from labels.reviews.suiting import Profile, Sought
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition

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
    age = (application.content.get("pupils") or {}).get("average_age")
    profile = Profile(rules, application.language, _subjects(teacher.subjects if teacher else None), age)
    wishes: dict[str, Wish] = {}
    judged = set()
    about = {"application": application.id, "project": application.project}
    for person, wish in read(session, _SOUGHT, about):
        if wish is None:
            judged.add(person)
        else:
            wishes[person] = wish
    return Sought(profile, wishes, frozenset(judged))


def sought_by_application(session: Session, applications: Iterable[Application]) -> dict[str, Sought]:
    """The same of many applications, each by the rules that it was submitted under, which are read together.

    Those that ask the same have one profile.
    """
    weights = {one.id: rules_of(session, one).national.review.assignment for one in applications}
    found = {one: Sought(Profile()) for one in weights}
    profiles: dict[tuple[Any, ...], Profile] = {}
    for some in batches(sorted(one for one, rules in weights.items() if rules is not None), AT_ONCE):
        wishes: dict[str, dict[str, Wish]] = defaultdict(dict)
        judged: dict[str, set[str]] = defaultdict(set)
        for application, person, wish in read(session, _WISHES, {"applications": some}):
            wishes[application][person] = wish
        for application, person in read(session, _JUDGED, {"applications": some}):
            judged[application].add(person)
        for application, language, subjects, age in read(session, _ABOUT, {"applications": some}):
            rules = weights[application]
            alike = id(rules), language, subjects, age
            profile = profiles.setdefault(alike, Profile(rules, language, _subjects(subjects), age))
            found[application] = Sought(profile, wishes[application], frozenset(judged[application]))
    return found


AT_ONCE = 1_000
"""Applications that a question to the database names."""


def _subjects(text: str | None) -> frozenset[str]:
    return frozenset(one.casefold() for one in values(text))


_THEM: sa.BindParameter[list[str]] = sa.bindparam("applications", expanding=True)
_ABOUT = (
    sa.select(
        Application.id,
        Application.language,
        Teacher.subjects,
        Application.content["pupils", "average_age"].as_float(),
    )
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .where(Application.id.in_(_THEM))
)
_WISHES = sa.select(ReviewerWish.application, ReviewerWish.person, ReviewerWish.wish).where(
    ReviewerWish.application.in_(_THEM)
)
_Other = aliased(Application)
_JUDGED = (
    sa.select(Application.id, Step.person)
    .join(_Other, sa.and_(_Other.project == Application.project, _Other.id != Application.id))
    .join(Step, Step.application == _Other.id)
    .where(Application.id.in_(_THEM), Step.kind == StepKind.REVIEW, Step.state == StepState.ANSWERED)
)
