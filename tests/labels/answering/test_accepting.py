"""An answer counts once or not at all, and what is not accepted is kept for the next try."""

from __future__ import annotations

from labels.answering import proving
from labels.record.journal import SYSTEM, Event
from labels.record.schema import Journal, Review, Step, StepState
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from tests.support.case import Case
from tests.support.people import points


def test_every_answer_that_is_refused_is_one_entry_of_the_journal_with_who_gave_it(case: Case) -> None:
    step, _ = case.ask()
    before = len(case.all(Journal))
    case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    case.answer(step, ReviewAnswer(scores={"results": 9}))
    case.answer(step, ReviewAnswer(scores={"results": 9}), email=None)
    wrong, faulty, in_prefect = case.all(Journal)[before:]
    assert (wrong.who, wrong.what, wrong.step) == (SYSTEM, Event.REFUSED_A_CODE, step.id)
    assert wrong.details == {"left": 4, "claimed": step.assignee, "door": "command line"}
    assert (faulty.who, faulty.what) == (step.assignee, Event.NOT_ACCEPTED)
    assert faulty.details["because"] == "it had faults", "neither points nor which were wrong"
    assert in_prefect.who == step.assignee


def test_what_changes_nothing_for_a_run_is_no_news_to_it(case: Case) -> None:
    step, _ = case.ask()
    seen = case.row().revision
    case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    case.answer(step, ReviewAnswer(scores={"results": 9}))
    case.do(proving.send_code, step.id, step.assignee)
    case.do(proving.send_code, case.id, "coordinator@nss.example")
    assert case.row().revision == seen
    case.review(step)
    assert case.row().revision > seen


def test_points_out_of_range_are_all_named(case: Case) -> None:
    step, _ = case.ask()
    refusal = case.answer(step, ReviewAnswer(scores={"results": 9, "fun": 1}))
    assert isinstance(refusal, Refusal)
    assert "scores.results" in refusal.why
    assert "scores.fun" in refusal.why
    assert "scores.technology" in refusal.why


def test_the_same_answer_twice_counts_once_and_says_who_and_when(case: Case) -> None:
    step, _ = case.ask()
    assert isinstance(case.review(step), Accepted)
    again = case.review(step)
    assert isinstance(again, Refusal)
    assert f"already answered by {step.assignee} at 2026-03-16 10:00" in again.why
    assert len(case.all(Review)) == 1


def test_what_a_reviewer_sends_to_a_colleagues_step_is_not_shown_to_the_colleague(case: Case) -> None:
    first, second = case.ask()
    case.answer(first, ReviewAnswer(scores=points(1), note="weak"), email=second.assignee)
    with case.record.reading() as session:
        kept = session.get_one(Step, first.id)
    assert (kept.draft, kept.refused, kept.code_failures) == (None, None, 1)


def test_an_answer_that_counts_leaves_nothing_of_what_was_refused_before(case: Case) -> None:
    step, _ = case.ask()
    case.answer(step, ReviewAnswer(scores={"results": 9}))
    [refused] = [one for one in case.all(Step) if one.id == step.id]
    assert refused.refused
    assert refused.draft
    case.review(step)
    [answered] = [one for one in case.all(Step) if one.id == step.id]
    assert (answered.state, answered.refused, answered.draft) == (StepState.ANSWERED, None, None)
