"""What an application asks of a reviewer is the same, whether it is read alone or together with thousands."""

from __future__ import annotations

import sqlalchemy as sa

from labels.kinds import Wish
from labels.record import Record
from labels.record.schema import Application, ReviewerWish, Step, StepKind, Teacher
from labels.reviews.seeking import sought, sought_by_application
from labels.rules.kept import rules_of
from tests.support.case import open_case
from tests.support.past_years import Europe
from tests.support.people import NOW


def test_what_is_sought_is_the_same_for_one_application_and_for_many_in_three_questions(
    record: Record,
) -> None:
    case = open_case(record)
    case.submit()
    case.conditions()
    first, _ = case.ask()
    case.review(first)
    with record.writing() as session:
        Europe({"NSS-PL": 40}, [NOW.year - 1], NOW, seed=2).fill(session)
        own = session.get_one(Application, case.id)
        assert own.content["pupils"]["average_age"]
        session.get_one(Teacher, own.teacher).subjects = "Biology;Music"
        judged = sa.exists().where(Step.application == Application.id, Step.kind == StepKind.REVIEW)
        another = sa.select(Application).where(Application.project != own.project, judged).limit(1)
        session.scalars(another).one().project = own.project  # a colleague applied with the same project
        reviewers = session.scalars(
            sa.select(Step.person).where(Step.kind == StepKind.REVIEW).distinct()
        ).all()
        for person, wish in zip(sorted(reviewers), (Wish.YES, Wish.RATHER_NOT), strict=False):
            session.add(ReviewerWish(person=person, application=case.id, wish=wish, said_at=NOW))
    with record.reading() as session:
        known = session.scalars(sa.select(Application)).all()
        alone = {one.id: sought(session, one, rules_of(session, one)) for one in known}
        asked: list[str] = []
        sa.event.listen(record.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        together = sought_by_application(session, known)
    assert together == alone
    assert len(asked) == 3
    mine = together[case.id]
    assert mine.profile.age == own.content["pupils"]["average_age"]
    assert mine.profile.subjects == {"biology", "music"}
    assert len(mine.wishes) == 2
    assert mine.judged_partner
