"""The decision: made once, and repeatable from the record."""

from __future__ import annotations

from labels.record.schema import Application, Award, Decision, Mail, Outcome, Stage
from labels.reviews import asking, deciding
from labels.steps.outcome import Accepted
from tests.support.case import Case, decided


def test_a_good_application_is_awarded_with_one_award_and_one_mail_of_each_kind(case: Case) -> None:
    first, second = case.ask()
    assert {first.assignee, second.assignee} <= {f"r{n}@nss.example" for n in range(1, 6)}
    assert isinstance(case.review(first), Accepted)
    assert [step.id for step in case.ask()] == [second.id]
    assert isinstance(case.review(second), Accepted)
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    [award] = case.all(Award)
    assert (award.teacher, award.project, award.score) == ("T-1", "P-1", 24.0)
    kinds = sorted(mail.template for mail in case.all(Mail))
    assert kinds == ["awarded", "receipt", "review_asked", "review_asked"]
    assert case.row().stage is Stage.DECIDED


def test_the_decision_can_be_repeated_from_the_record_alone(case: Case) -> None:
    from labels.reviews.scoring import judge
    from labels.rules.kept import rules_of

    decided(case, 5)
    with case.record.reading() as session:
        application: Application = session.get_one(Application, case.id)
        verdict = judge(asking.assessments(session, application), rules_of(session, application))
        kept = session.get_one(Decision, (case.id, 1))
    assert verdict.inputs_digest == kept.inputs_digest
    assert kept.verdict["reasons"] == list(verdict.reasons)
