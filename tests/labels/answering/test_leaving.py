"""Somebody leaves a staff: what was asked of them is asked of others, once, and nothing reaches them any more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from adapters.mail.rendering import compose
from labels.answering import leaving
from labels.answering.leaving import Departure, Whose
from labels.errors import NotAllowed, NotFound
from labels.people.staff import OPERATOR
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import FormerStaff, Journal, Mail, Staff, Step, StepKind, StepState
from labels.sessions import session as sessions
from labels.sessions.session import Visitor
from labels.steps.answers import Question
from labels.steps.outcome import Accepted
from tests.support.case import COORDINATOR, Case, open_case, staff
from tests.support.people import NOW, TODAY, code_of
from tests.support.persons import OFFERED

TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


def leave(case: Case, address: str, on: date = TODAY) -> list[Departure]:
    return list(case.do(leaving.leave, Whose(address), on))


def text_of(mail: Mail) -> str:
    """A mail as whoever reads English gets it."""
    mail.language = "en"
    message = compose(mail, None, [], "Labels <labels@etwinning.example>", NOW)
    text = message.get_body(("plain",))
    assert text
    return " ".join(f"{message['Subject']} {text.get_content()}".split())


def mails(case: Case, template: str) -> list[Mail]:
    return [one for one in case.all(Mail) if one.template == template]


def test_a_review_of_somebody_who_leaves_goes_to_the_next_by_the_rules(case: Case) -> None:
    first, second = case.ask()
    code = code_of(first)
    [left] = leave(case, first.assignee)
    assert (left.address, left.roles, left.applications) == (first.assignee, ("reviewer",), (case.id,))
    with case.record.reading() as session:
        gone = session.get_one(Step, first.id)
        assert gone.state is StepState.VOID
        new = session.scalars(
            sa.select(Step).where(
                Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN, Step.seat == first.seat
            )
        ).one()
        assert new.assignee not in (first.assignee, second.assignee)
        assert session.scalars(sa.select(Staff.email).where(Staff.email == first.assignee)).all() == []
        assert session.scalars(sa.select(FormerStaff.email)).all() == [first.assignee]
    assert not isinstance(case.answer(first, Question(question="What?"), code=code), Accepted)
    assert {one.id for one in case.ask()} == {second.id, new.id}


def test_the_one_who_left_and_the_coordinators_are_told_once(case: Case) -> None:
    first, _ = case.ask()
    leave(case, first.assignee)
    assert case.do(leaving.end_due) == []
    [farewell] = mails(case, "left_staff")
    [told] = mails(case, "colleague_left")
    assert (farewell.to_address, told.to_address) == (first.assignee, COORDINATOR)
    assert told.context["message"]["handed"][0]["application"] == case.id
    assert mails(case, "review_void") == []


def test_mail_that_waits_for_somebody_who_left_is_not_sent(case: Case) -> None:
    first, _ = case.ask()
    leave(case, first.assignee)
    waiting = {one.template for one in case.all(Mail) if one.to_address == first.assignee and not one.sent_at}
    assert waiting == {"left_staff"}


def test_a_question_stays_with_the_applicant_and_its_answer_goes_to_whoever_reviews_then(case: Case) -> None:
    first, _ = case.ask()
    assert isinstance(case.answer(first, Question(question="Which rivers?")), Accepted)
    leave(case, first.assignee)
    with case.record.reading() as session:
        asked = session.scalars(sa.select(Step).where(Step.kind == StepKind.INFORMATION)).one()
        assert asked.state is StepState.OPEN
        new = session.get_one(Step, asked.asked_by)
        assert (new.state, new.assignee == first.assignee) == (StepState.ASKED, False)


def test_the_coordinator_is_asked_where_nobody_is_left_by_the_rules(case: Case) -> None:
    first, _ = case.ask()
    for n in range(1, 6):
        if f"r{n}@nss.example" != first.assignee:
            leave(case, f"r{n}@nss.example")
    leave(case, first.assignee)
    with case.record.reading() as session:
        still = session.scalars(sa.select(Step).where(Step.state == StepState.OPEN)).all()
        asked = [one for one in still if one.kind is StepKind.ASSIGNMENT]
        assert [one.assignee for one in asked] == [COORDINATOR]
    told = [one.context["message"]["handed"] for one in mails(case, "colleague_left")]
    assert any(each["chooses"] for handed in told for each in handed)


def test_what_a_coordinator_was_asked_is_asked_of_another(case: Case) -> None:
    staff(case.record, "second@nss.example", "coordinator")
    for n in range(1, 6):
        leave(case, f"r{n}@nss.example")
    [step] = case.ask()
    [left] = leave(case, step.assignee)
    assert left.applications == (case.id,)
    [new] = case.ask()
    assert new.kind is StepKind.ASSIGNMENT
    assert new.assignee == ({COORDINATOR, "second@nss.example"} - {step.assignee}).pop()


def test_who_stays_in_another_role_keeps_what_that_role_may(case: Case) -> None:
    first, _ = case.ask()
    with case.record.writing() as session:
        one = session.get_one(Staff, (first.assignee, "reviewer"))
        session.add(
            Staff(
                email=one.email, role="coordinator", name=one.name, organisation=one.organisation,
                language="pl", school=None, person=one.person,
            )
        )  # fmt: skip
    case.do(leaving.leave, Whose(first.assignee, role="coordinator"), TODAY)
    with case.record.reading() as session:
        assert session.get_one(Step, first.id).state is StepState.OPEN


def second_role(case: Case, address: str, role: str) -> None:
    with case.record.writing() as session:
        one = session.scalars(sa.select(Staff).where(Staff.email == address)).one()
        session.add(
            Staff(
                email=one.email,
                role=role,
                name=one.name,
                organisation=one.organisation,
                language="pl",
                school=None,
                person=one.person,
            )
        )


def test_who_coordinates_no_longer_and_still_reviews_is_told_so_and_not_that_they_left(case: Case) -> None:
    staff(case.record, "second@nss.example", "coordinator")
    for n in range(1, 6):
        leave(case, f"r{n}@nss.example")
    [step] = case.ask()
    second_role(case, step.assignee, "reviewer")
    [left] = case.do(leaving.leave, Whose(step.assignee, role="coordinator"), TODAY)
    assert (left.ended, left.stays, left.applications) == (("coordinator",), ("reviewer",), (case.id,))
    assert left.worded == "no longer coordinator of NSS-PL"
    with case.record.reading() as session:
        reasons = {one.details.get("because") for one in session.scalars(sa.select(Journal))}
    assert "no longer coordinator of NSS-PL" in reasons
    [farewell] = [one for one in mails(case, "left_staff") if one.to_address == step.assignee]
    told = mails(case, "colleague_left")[-1]
    for mail in (farewell, told):
        assert mail.context["message"]["stays"] == ["reviewer"]
        assert "left the staff" not in text_of(mail)
        assert "still a reviewer" in text_of(mail)
    assert "no more mail" not in text_of(farewell)
    assert "asked of others now" in text_of(farewell)


def test_who_reviews_no_longer_and_still_coordinates_is_told_so(case: Case) -> None:
    second_role(case, COORDINATOR, "reviewer")
    case.do(leaving.leave, Whose(COORDINATOR, role="reviewer"), TODAY)
    [farewell] = mails(case, "left_staff")
    assert "still a coordinator" in text_of(farewell)
    assert "no longer on the staff" not in text_of(farewell)


def test_who_leaves_in_both_roles_at_once_left_the_staff(case: Case) -> None:
    second_role(case, "r1@nss.example", "coordinator")
    [left] = leave(case, "r1@nss.example")
    assert (left.ended, left.stays) == (("coordinator", "reviewer"), ())
    [farewell] = mails(case, "left_staff")
    assert "You are no longer on the staff" in text_of(farewell)


def test_nobody_is_told_that_they_left_whose_role_goes_on_with_another_address(case: Case) -> None:
    with case.record.writing() as session:
        one = session.get_one(Staff, ("r1@nss.example", "reviewer"))
        one.left_on, one.left_by = TODAY, OPERATOR
        session.add(
            Staff(
                email="r1@other.example",
                role="reviewer",
                name=one.name,
                organisation=one.organisation,
                language="pl",
                school=None,
                person=one.person,
            )
        )
    [left] = case.do(leaving.end_due)
    assert (left.ended, left.stays) == ((), ("reviewer",))
    assert mails(case, "left_staff") == []


def test_sessions_at_the_desk_end(case: Case) -> None:
    first, second = case.ask()
    tokens = {one: case.do(sessions.begin, one.assignee, "mail code") for one in (first, second)}
    leave(case, first.assignee)
    with case.record.reading() as session:
        assert sessions.visitor(session, tokens[first], NOW, OFFERED) is None
        assert isinstance(sessions.visitor(session, tokens[second], NOW, OFFERED), Visitor)


def test_a_day_to_come_takes_effect_on_that_day_and_not_before(case: Case) -> None:
    first, _ = case.ask()
    assert leave(case, first.assignee, TOMORROW) == []
    assert case.do(leaving.end_due) == []
    assert case.all(FormerStaff) == []
    case.now = datetime(TOMORROW.year, TOMORROW.month, TOMORROW.day, tzinfo=UTC) - timedelta(minutes=59)
    [left] = case.do(leaving.end_due)
    assert (left.address, left.left_on) == (first.assignee, TOMORROW)


def test_who_left_may_come_back_and_is_the_same_person(case: Case) -> None:
    first, _ = case.ask()
    leave(case, first.assignee)
    [back] = case.do(leaving.rejoin, Whose(first.assignee))
    assert (back.email, back.person) == (first.assignee, first.person)
    assert case.all(FormerStaff) == []
    leave(case, first.assignee, TOMORROW)
    case.do(leaving.rejoin, Whose(first.person))
    case.now += timedelta(days=3)
    assert case.do(leaving.end_due) == [], "the day was taken back"


def test_of_two_former_places_with_one_address_and_role_one_has_to_be_named(case: Case) -> None:
    with case.record.writing() as session:
        one = session.get_one(Staff, ("r1@nss.example", "reviewer"))
        for organisation in ("NSS-PL", "NSS-PT"):
            session.add(
                FormerStaff(
                    person=one.person,
                    organisation=organisation,
                    role="reviewer",
                    email="r1@nss.example",
                    name=one.name,
                    language="pl",
                    school=None,
                    id=None,
                    left_on=TODAY,
                    left_by=OPERATOR,
                )
            )
        session.delete(one)
    with pytest.raises(
        NotAllowed, match=r"r1@nss.example was reviewer of NSS-PL and NSS-PT.*name the organisation"
    ):
        case.do(leaving.rejoin, Whose("r1@nss.example"))
    [back] = case.do(leaving.rejoin, Whose("r1@nss.example", organisation="NSS-PT"))
    assert back.organisation == "NSS-PT"
    with pytest.raises(NotAllowed, match="as reviewer of NSS-PT"):
        case.do(leaving.rejoin, Whose("r1@nss.example", organisation="NSS-PL"))


def test_nobody_is_guessed_where_two_read_one_mailbox(case: Case) -> None:
    with case.record.writing() as session:
        session.add(
            Staff(
                email="R1@nss.example".lower(), role="coordinator", name="Somebody Else", organisation="NSS-PL",
                language="pl", school=None,
            )
        )  # fmt: skip
    with pytest.raises(NotAllowed, match="Several people read"):
        leave(case, "r1@nss.example")
    with pytest.raises(NotFound):
        leave(case, "nobody@nss.example")
    with pytest.raises(NotFound):
        case.do(leaving.rejoin, Whose("r2@nss.example"))


def test_the_journal_keeps_who_left_when_and_what_went_to_others(case: Case) -> None:
    first, _ = case.ask()
    leave(case, first.assignee)
    [entry] = [one for one in case.all(Journal) if one.what == Event.LEFT_A_STAFF]
    assert entry.details["person"] == first.person
    assert entry.details["applications"] == [case.id]
    assert first.assignee not in str(entry.details), "an address in it would have to be erased"
