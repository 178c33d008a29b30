"""A review whose time is over: another reviewer, a decision with what is in, or a coordinator who finds somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from labels.answering import deadlines
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Journal, Mail, Outcome, Stage, Step, StepKind, StepState
from labels.reviews import coordinating, deciding
from labels.reviews.repeating import decided_again
from labels.rules.model import RuleEdition
from labels.steps.outcome import Refusal
from labels.views.case import case_of
from labels.views.stuck import Problem, stuck
from tests.support.case import Case, reviewed_by
from tests.support.people import KEY, populate

QUIET: dict[str, Any] = {"pauses": [], "tell_every": 7}


def case_under(record: Record, **rules: Any) -> Case:
    """An application in review under rules of its own."""
    with record.writing() as session:
        populate(session)
    case = Case(record, edition=reviewed_by(**rules))
    assert case.conditions()
    return case


def time_passes(case: Case, days: int = 60) -> list[str]:
    """The reviews that are awaited end by their rules; what upkeep says of it."""
    case.now += timedelta(days=days)
    passed = deadlines.pass_deadlines(case.record, now=case.now, key=KEY)
    return [one.did for one in passed]


def states(case: Case) -> dict[int, list[str]]:
    """What became of the reviews of each seat."""
    found: dict[int, list[str]] = {}
    for step in sorted(case.all(Step), key=lambda one: one.number):
        if step.kind is StepKind.REVIEW:
            found.setdefault(step.seat, []).append(step.state.value)
    return found


def decided(case: Case) -> Outcome:
    """The decision, once nobody is awaited; made again from the record alone it is the same."""
    assert case.ask() == []
    outcome: Outcome = case.do(deciding.decide, case.id)
    with case.record.reading() as session:
        import sqlalchemy as sa

        from labels.record.schema import Application

        [again] = decided_again(session, applications=sa.select(Application.id))
    assert again.differing == ()
    return outcome


def test_by_default_a_late_review_stays_open_for_ever(record: Record) -> None:
    case = case_under(record)
    case.ask()
    assert time_passes(case, 300) == []
    assert states(case) == {1: ["open"], 2: ["open"]}


def test_another_reviewer_is_asked_for_the_seat_of_who_did_not_answer(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 5, "others": 1})
    first, second = case.ask()
    case.review(first)
    assert len(time_passes(case)) == 1
    [instead] = case.ask()
    assert (instead.seat, instead.state) == (second.seat, StepState.OPEN)
    assert instead.assignee not in {first.assignee, second.assignee}
    assert instead.due_at is not None
    assert instead.due_at > case.now, "with a fresh date"
    assert states(case) == {1: ["answered"], 2: ["expired", "open"]}
    told = [mail for mail in case.all(Mail) if mail.template == "review_void"]
    assert [mail.to_address for mail in told] == [second.assignee]
    assert Event.REVIEW_NOT_GIVEN in [one.what for one in case.all(Journal)]
    refused = case.review(second)
    assert isinstance(refused, Refusal)
    assert "deadline of this step has passed" in str(refused.why)


def test_once_enough_others_were_asked_a_coordinator_finds_somebody(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 0, "others": 1})
    first, second = case.ask()
    case.review(first)
    time_passes(case)
    case.ask()
    time_passes(case)
    [assignment] = case.ask()
    assert (assignment.kind, assignment.seat) == (StepKind.ASSIGNMENT, second.seat)
    assert case.row().stage is Stage.ASSIGNMENT
    asked = {step.assignee for step in case.all(Step) if step.kind is StepKind.REVIEW}
    free = next(f"r{n}@nss.example" for n in range(1, 6) if f"r{n}@nss.example" not in asked)
    named = case.do(coordinating.reassign, assignment.id, free, "has time")
    assert [step.id for step in case.ask()] == [named.id]
    case.review(named)
    assert decided(case) is Outcome.AWARDED


def test_the_rules_decide_with_what_is_in_where_that_is_enough(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 5, "enough": 1})
    first, second = case.ask()
    case.review(first)
    assert [step.id for step in case.ask()] == [second.id], "not before the time of the other is over"
    time_passes(case)
    assert decided(case) is Outcome.AWARDED


def test_with_fewer_than_enough_a_coordinator_finds_somebody(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 5, "enough": 1})
    case.ask()
    time_passes(case)
    [assignment] = case.ask()
    assert (assignment.kind, assignment.seat) == (StepKind.ASSIGNMENT, 1)
    with pytest.raises(ValueError, match="too few to decide"):
        case.do(deciding.decide, case.id)


def test_a_third_voice_that_does_not_come_leaves_the_decision_to_the_two(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 5, "enough": 2})
    first, second = case.ask()
    case.review(first, 5)
    case.review(second, 2)
    [third] = case.ask()
    assert third.seat == 3
    time_passes(case)
    assert decided(case) is Outcome.AWARDED


def test_a_late_answer_counts_until_the_review_ends(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 200, "enough": 1})
    first, second = case.ask()
    assert time_passes(case, 100) == []
    case.review(first)
    case.review(second)
    assert decided(case) is Outcome.AWARDED


def test_the_radar_and_the_case_say_when_a_late_review_ends(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 10, "others": 1})
    first, second = case.ask()
    case.review(first)
    assert second.due_at is not None
    case.now = second.due_at + timedelta(days=1)
    with record.reading() as session:
        [late] = [one for one in stuck(session, case.now) if one.problem is Problem.OVERDUE]
        [awaited] = case_of(session, case.id).awaiting
    assert "It ends by itself 2026-04-" in late.reason
    assert awaited.ends is not None
    assert awaited.ends > second.due_at
    with record.reading() as session:  # and nobody did upkeep
        after = stuck(session, awaited.ends + timedelta(hours=1))
    assert Problem.DEADLINE_PASSED in {one.problem for one in after}
    case.now = awaited.ends + timedelta(seconds=1)
    assert len(time_passes(case, 0)) == 1
    with record.reading() as session:
        assert not [one for one in stuck(session, case.now) if one.problem is Problem.OVERDUE]


def test_a_review_whose_message_left_late_has_the_time_that_it_was_to_have(record: Record) -> None:
    case = case_under(record, late=QUIET | {"ends_after": 0, "enough": 1})
    first, _ = case.ask()
    case.now += timedelta(days=60)
    with record.writing() as session:
        for mail in session.query(Mail).filter(Mail.step == first.id):
            mail.attempts, mail.sent_at = 5, case.now
    done = deadlines.pass_deadlines(record, now=case.now, key=KEY)
    assert sorted(one.did for one in done)[0].startswith("the message that asked left late")
    assert states(case) == {1: ["open"], 2: ["expired"]}


def test_rules_that_have_no_effect_are_named(tmp_path: Any) -> None:
    from labels.rules.contradictions import contradictions

    def wrong(**late: Any) -> list[str]:
        edition: RuleEdition = reviewed_by(late=QUIET | late)
        return [".".join(at) for at, _ in contradictions(edition)]

    assert wrong(others=1) == ["national.review.late.others"]
    assert wrong(enough=1) == ["national.review.late.enough"]
    assert wrong(ends_after=3, enough=3) == ["national.review.late.enough"]
    assert wrong(ends_after=3, others=2, enough=2) == []
