"""Reads from the record what makes a reviewer suit an application: what it is about, wishes, who judged its partners."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import Wish
from labels.record.rows import read
from labels.record.schema import Application, ReviewerWish, Step, StepKind, StepState, Teacher
from labels.reviews.abilities import values
from labels.reviews.suiting import Profile, Sought
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
