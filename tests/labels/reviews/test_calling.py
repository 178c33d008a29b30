"""One more reviewer by a coordinator's choice, and decisions that the rules leave to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from labels.errors import NotAllowed
from labels.mail import messages
from labels.privacy.scrubbing import emptied
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Decision, Journal, Mail, Outcome, Review, Stage, Step, StepKind, StepState
from labels.reviews import calling, conflicts, deciding
from labels.reviews.ruling import Ruling
from labels.steps.step import locked
from labels.turn import Turn
from labels.views.case import case_of
from labels.views.process import Station, process_of
from tests.labels.reviews.test_lateness import QUIET, case_under, decided, states, time_passes
from tests.support.case import COORDINATOR, Case
from tests.support.mails import told_by
from tests.support.people import KEY

BY_RULES: dict[str, Any] = {"most": 2, "chosen_by": "rules"}
BY_HAND: dict[str, Any] = {"most": 2, "chosen_by": "coordinator"}


def free_reviewer(case: Case) -> str:
    """Somebody of the staff who was not asked yet."""
    asked = {step.assignee for step in case.all(Step) if step.kind is StepKind.REVIEW}
    return next(f"r{n}@nss.example" for n in range(1, 6) if f"r{n}@nss.example" not in asked)


def call(case: Case, to: str = "") -> Any:
    return case.do_as(COORDINATOR, calling.call_one_more, case.id, to, "I am not sure.")


def rule(case: Case, step: Step, ruling: Ruling, to: str = "") -> Any:
    return case.do_as(COORDINATOR, calling.decide, step.id, ruling, "It is the better for it.", to)


# One more reviewer --------------------------------------------------------------------------------


def test_by_default_nobody_calls_more_reviewers_than_the_rules(record: Record) -> None:
    case = case_under(record)
    case.ask()
    with pytest.raises(NotAllowed, match="let nobody call more reviewers"):
        call(case)


def test_a_coordinator_calls_one_more_whom_the_rules_choose(record: Record) -> None:
    case = case_under(record, additional=BY_RULES)
    first, second = case.ask()
    call(case)
    third = case.ask()[-1]
    assert third.seat == 3
    assert third.assignee not in {first.assignee, second.assignee}
    assert {step.id for step in case.ask()} == {first.id, second.id, third.id}, "and nobody else"
    for step in (first, second, third):
        case.review(step)
    assert decided(case) is Outcome.AWARDED
    [entry] = [one for one in case.all(Journal) if one.what == Event.CALLED_ONE_MORE]
    assert (entry.who, entry.details["because"]) == (COORDINATOR, "I am not sure.")


def test_whoever_is_named_is_asked_at_once(record: Record) -> None:
    case = case_under(record, additional=BY_RULES)
    first, second = case.ask()
    named = free_reviewer(case)
    step = call(case, named)
    assert (step.assignee, step.seat) == (named, 3)
    assert [one.to_address for one in case.all(Mail) if one.step == step.id] == [named]
    with pytest.raises(NotAllowed, match="judges or judged this application already"):
        call(case, first.assignee)
    assert {one.id for one in case.ask()} == {first.id, second.id, step.id}


def test_no_more_are_called_than_the_rules_allow(record: Record) -> None:
    case = case_under(record, additional=BY_RULES)
    case.ask()
    call(case)
    call(case)
    with pytest.raises(NotAllowed, match="2 more were called"):
        call(case)


def test_where_a_coordinator_chooses_they_are_asked_whom(record: Record) -> None:
    case = case_under(record, additional=BY_HAND)
    case.ask()
    call(case)
    assignment = case.ask()[-1]
    assert (assignment.kind, assignment.seat) == (StepKind.ASSIGNMENT, 3)
    [mail] = [one for one in case.all(Mail) if one.template == "assignment_asked"]
    assert told_by(mail, messages.AssignmentAsked).chosen


def test_the_seat_of_one_more_is_filled_anew_where_they_decline_or_have_a_conflict(record: Record) -> None:
    from labels.steps.answers import Decline

    case = case_under(record, additional=BY_RULES)
    case.ask()
    step = call(case, free_reviewer(case))
    case.answer(step, Decline(decline="No time."))
    again = case.ask()[-1]
    assert (again.seat, again.state) == (3, StepState.OPEN)
    with record.writing() as session:
        turn = Turn(session, case.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, locked(session, case.id), again.person, reason="Cousins.")
    assert case.ask()[-1].seat == 3


def test_one_more_is_called_only_while_it_is_in_review(record: Record) -> None:
    case = case_under(record, additional=BY_RULES)
    with pytest.raises(NotAllowed, match="is not in review"):
        call(case)
    for step in case.ask():
        case.review(step)
    decided(case)
    with pytest.raises(NotAllowed, match="has an outcome already"):
        call(case)


# A person decides ---------------------------------------------------------------------------------


def person_decides(record: Record, **rules: Any) -> tuple[Case, Step]:
    """An application of which two reviews are in, and the step of the coordinator who decides."""
    case = case_under(record, decided_by="coordinator", **rules)
    for step in case.ask():
        case.review(step)
    [step] = case.ask()
    return case, step


@pytest.mark.parametrize(
    ("ruling", "outcome"), [(Ruling.AWARD, Outcome.AWARDED), (Ruling.REFUSE, Outcome.REFUSED)]
)
def test_a_coordinator_decides_once_the_reviews_are_in(
    record: Record, ruling: Ruling, outcome: Outcome
) -> None:
    case, step = person_decides(record)
    assert (step.kind, step.assignee) == (StepKind.DECISION, COORDINATOR)
    assert step.due_at is not None, "so that they are reminded"
    assert [one.id for one in case.ask()] == [step.id], "asked once"
    with pytest.raises(ValueError, match="awaits the decision of a coordinator"):
        case.do(deciding.decide, case.id)
    rule(case, step, ruling)
    assert decided(case) is outcome
    [decision] = case.all(Decision)
    assert decision.verdict["ruling"] == "It is the better for it."
    assert "It is the better for it." in decision.verdict["reasons"][0]
    [entry] = [one for one in case.all(Journal) if one.what == Event.ending(outcome)]
    assert entry.who == COORDINATOR
    told = [one for one in case.all(Mail) if one.template == ruling.value.rstrip("e") + "ed"]
    assert [one.to_address for one in told] == ["t-1@school.example"]


def test_a_decision_that_was_erased_is_no_refusal_but_is_asked_for_again(record: Record) -> None:
    case, step = person_decides(record)
    rule(case, step, Ruling.AWARD)
    with record.writing() as session:
        given = session.get_one(Step, step.id)
        given.answer = emptied(given.answer)
    with pytest.raises(ValueError, match="was erased"):
        case.do(deciding.decide, case.id)
    [again] = case.ask()
    assert again.kind is StepKind.DECISION
    assert again.id != step.id
    case.now += timedelta(hours=1)
    rule(case, again, Ruling.AWARD)
    assert decided(case) is Outcome.AWARDED


def test_a_coordinator_who_decides_sees_what_the_reviewers_gave_and_nobody_before(record: Record) -> None:
    case = case_under(record, decided_by="coordinator")
    first, second = case.ask()
    case.review(first)
    with record.reading() as session:
        assert [one.scores for one in case_of(session, case.id).reviews] == [None]
    case.review(second)
    case.ask()
    with record.reading() as session:
        assert all(one.scores for one in case_of(session, case.id).reviews)
        process = process_of(session, locked(session, case.id))
    assert process is not None
    assert process.here is Station.DECISION


def test_one_more_reviewer_is_called_before_the_decision(record: Record) -> None:
    case, step = person_decides(record, additional=BY_RULES)
    rule(case, step, Ruling.ANOTHER)
    [third] = case.ask()
    assert (third.kind, third.seat) == (StepKind.REVIEW, 3)
    case.now += timedelta(hours=1)
    case.review(third)
    [again] = case.ask()
    assert again.kind is StepKind.DECISION
    rule(case, again, Ruling.REFUSE)
    assert decided(case) is Outcome.REFUSED


def test_a_decision_is_not_asked_for_while_somebody_reviews(record: Record) -> None:
    case, step = person_decides(record, additional=BY_RULES)
    third = call(case, free_reviewer(case))
    assert [one.id for one in case.ask()] == [third.id]
    with pytest.raises(NotAllowed, match="awaits no decision"):
        rule(case, step, Ruling.AWARD)


def test_a_conflict_found_while_somebody_decides_has_another_reviewer_asked_first(record: Record) -> None:
    case, step = person_decides(record)
    review = case.all(Review)[0]
    with record.writing() as session:
        reviewer = session.get_one(Step, review.step)
        turn = Turn(session, case.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, locked(session, case.id), reviewer.person, reason="Cousins.")
    [instead] = case.ask()
    assert instead.kind is StepKind.REVIEW
    with record.reading() as session:
        assert session.get_one(Step, step.id).state is StepState.VOID
    case.now += timedelta(hours=1)
    case.review(instead)
    assert [one.kind for one in case.ask()] == [StepKind.DECISION]


def test_too_few_reviews_are_no_ground_for_a_decision_but_for_one_more_reviewer(record: Record) -> None:
    late = QUIET | {"ends_after": 0, "enough": 2}
    case = case_under(record, decided_by="coordinator", late=late, additional=BY_RULES)
    first, _ = case.ask()
    case.review(first)
    time_passes(case)
    [step] = case.ask()
    assert step.kind is StepKind.DECISION
    with pytest.raises(NotAllowed, match="1 of at least 2 reviews are in"):
        rule(case, step, Ruling.AWARD)
    rule(case, step, Ruling.ANOTHER)
    [third] = case.ask()
    time_passes(case)
    assert states(case)[third.seat] == ["expired"]
    [step] = case.ask()
    rule(case, step, Ruling.ANOTHER)
    [fourth] = case.ask()
    case.review(fourth)
    [step] = case.ask()
    rule(case, step, Ruling.AWARD)
    assert decided(case) is Outcome.AWARDED


def test_where_no_more_may_be_called_a_coordinator_fills_the_seat_instead(record: Record) -> None:
    late = QUIET | {"ends_after": 0, "enough": 2}
    case = case_under(record, decided_by="coordinator", late=late)
    first, second = case.ask()
    case.review(first)
    time_passes(case)
    [step] = case.ask()
    assert (step.kind, step.seat) == (StepKind.ASSIGNMENT, second.seat)
    assert case.row().stage is Stage.ASSIGNMENT


def test_a_coordinator_who_applies_does_not_decide(record: Record) -> None:
    from labels.answering.proving import prove_coordinator
    from labels.record.schema import Staff
    from labels.steps.outcome import Refusal
    from labels.steps.proof import SignedIn
    from tests.support.persons import person_at

    case, _ = person_decides(record)
    with record.writing() as session:
        session.add(
            Staff(
                email="t-1@school.example", role="coordinator", name="Zażółć Gęślą", organisation="NSS-PL",
                language="pl", school=None,
            )
        )  # fmt: skip
    by = SignedIn(person_at(record, "t-1@school.example"), "passkey", case.now)
    with record.writing() as session:
        turn = Turn(session, case.now, KEY)
        assert isinstance(prove_coordinator(turn, locked(session, case.id), by), Refusal)
