"""Handing in: the same again is the same application, and when another may follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labels.answering import accepting
from labels.errors import NotAllowed
from labels.mail import messages
from labels.mending import HandInAgain
from labels.papers.due import due_papers
from labels.papers.facts import CertificateFacts
from labels.record import Record
from labels.record.schema import Application, Award, Decision, Mail, Outcome
from labels.reviews import deciding
from labels.steps.answers import ReviewAnswer
from labels.views.case import case_of
from tests.support.case import Case, decided, open_case, withdrawn
from tests.support.mails import told_by
from tests.support.people import STAMP, TODAY, points, populate


def test_the_same_submission_again_is_the_same_application(case: Case) -> None:
    assert case.submit() == case.id
    assert len(case.all(Application)) == 1
    with pytest.raises(NotAllowed, match="still open"):
        case.submit(description="Another text.")


def test_what_was_withdrawn_can_be_handed_in_again_as_it_is_and_counts_for_nothing(record: Record) -> None:
    case = open_case(record)
    for _ in range(5):  # more often than a teacher may apply in a school year
        withdrawn(case)
        former, case.id = case.id, case.submit()
        assert case.id != former
        assert case.submit() == case.id
        assert case.conditions()
    assert decided(case, 1) is Outcome.REFUSED
    [decision] = [one for one in case.all(Decision) if one.application == case.id]
    assert "You may apply again" in decision.verdict["routes"][0]


def told(case: Case, again: bool = False, **changes: Any) -> str:
    return case.handed_in(again=again, **changes).remark


def test_who_hands_in_the_same_again_is_told_how_it_stands_and_what_to_do(record: Record) -> None:
    case = open_case(record)
    assert "under way (stage review, since 2026-03-16" in told(case)
    assert decided(case, 1) is Outcome.REFUSED
    assert "was refused on 2026-03-16. You may apply again" in told(case)
    assert "has what the comments propose" in told(case)
    case.id = case.submit(description="Better.")
    assert case.conditions()
    assert decided(case, 1) is Outcome.REFUSED
    assert "allow one re-application" in told(case, description="Better.")


def test_what_was_awarded_and_taken_back_is_not_called_awarded_with_nothing_left_to_do(
    record: Record,
) -> None:
    case = open_case(record)
    assert decided(case, 5) is Outcome.AWARDED
    assert "Nothing is left to do." in told(case)
    with record.writing() as session:
        session.get_one(Award, case.id).revoked_at = case.now + timedelta(days=1)
    said = case.handed_in()
    assert "was awarded on 2026-03-16. The label was taken back on 2026-03-17." in said.remark
    assert (said.created, said.mend) == (False, HandInAgain())
    assert case.handed_in(again=True).created


def test_a_refusal_says_until_when_one_may_apply_again_and_to_whom_to_write(record: Record) -> None:
    case = open_case(record)
    assert decided(case, 1) is Outcome.REFUSED
    [decision] = case.all(Decision)
    again, questions = map(str, decision.verdict["routes"])
    assert again.endswith("with what the comments propose. Applications are taken all year.")
    assert questions == "Questions about this decision: nss@nss.example"


@pytest.mark.parametrize(
    ("organisation", "country", "closes"),
    [
        ("NSS-CZ", "CZ", "2027-02-28"),
        ("NSS-IT", "IT", "2026-06-30"),
        ("NSS-FI", "FI", "2026-05-13"),
        ("PSA-MD", "MD", "2026-05-15"),
    ],
)
def test_a_refusal_in_a_country_with_rounds_says_until_when_the_next_one_is_open(
    record: Record, organisation: str, country: str, closes: str
) -> None:
    case = open_case(record, organisation, country)
    assert decided(case, 1) is Outcome.REFUSED
    [decision] = case.all(Decision)
    assert str(decision.verdict["routes"][0]).endswith(f"The next round closes on {closes} 23:59 (Brussels).")


def test_a_letter_speaks_of_no_comments_where_there_are_none(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reviews of before comments were asked for."""
    case = open_case(record)
    monkeypatch.setattr(accepting, "check_comment", lambda *_: [])
    while steps := case.ask():
        for step in steps:
            case.answer(step, ReviewAnswer(scores=points(1), comment=" \u200b"))
    assert case.do(deciding.decide, case.id) is Outcome.REFUSED
    [decision] = case.all(Decision)
    assert not decision.verdict["comments"]
    assert "comments" not in " ".join(map(str, decision.verdict["routes"]))


def test_a_refused_teacher_is_told_to_name_the_criteria_in_spain(record: Record) -> None:
    case = open_case(record, "NSS-ES", "ES")
    assert decided(case, 1) is Outcome.REFUSED
    assert 'names under "reapplication" the criteria' in told(case)


def test_what_met_no_conditions_is_handed_in_again_by_express_wish_alone(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(record, project="P-2")
    assert not case.conditions()
    before = case.handed_in(project="P-2")
    assert (
        "did not meet the conditions on 2026-03-16. Ask a founder of the project to add you" in before.remark
    )
    assert before.mend == HandInAgain()
    assert case.handed_in(project="P-2", again=True).created


def test_a_late_application_is_judged_at_once_but_belongs_to_the_year_of_its_round(record: Record) -> None:
    case = open_case(record, "NSS-CZ", "CZ")
    [receipt] = case.all(Mail)
    [warning] = told_by(receipt, messages.Receipt).warnings
    assert "round Annual round 2027, which opens on 2026-10-01 00:00" in warning
    assert "school year 2026/2027" in warning
    with record.reading() as session:
        shown = case_of(session, case.id)
    assert (shown.round, shown.school_year) == ("Annual round 2027", 2026)
    assert shown.round_opens == datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
    assert len(case.ask()) == 3
    assert decided(case, 4) is Outcome.AWARDED
    with record.reading() as session:
        certificate = due_papers(session, case.id, STAMP)[0].facts
    assert isinstance(certificate, CertificateFacts)
    assert (certificate.school_year, certificate.awarded_on) == ("2026/27", TODAY)
