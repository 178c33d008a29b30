"""A review before it is sent: the first question, drafts that lose nothing, and what was checked is what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from labels.answering import reviewing
from labels.errors import NotFound
from labels.record.journal import Event
from labels.record.schema import Journal, Review, ReviewDraft, Staff, Step, StepState
from labels.reviews import coordinating
from labels.steps.answers import Decline, Question, ReviewAnswer, ReviewTyped
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import SignedIn
from tests.support.case import COORDINATOR, Case
from tests.support.people import CRITERIA, points

HALF = ReviewTyped(scores={CRITERIA[0]: 4}, comment="The maps are")
WHOLE = ReviewTyped(scores=points(4), comment="Well done.", note="The best of the year.")


def by(step: Step, case: Case) -> SignedIn:
    return SignedIn(step.person, "mail code", case.now)


def no_conflict(case: Case, step: Step) -> Any:
    return case.do(reviewing.say_no_conflict, step.id, by(step, case))


def save(case: Case, step: Step, typed: ReviewTyped, after: int | None = None) -> Any:
    return case.do(reviewing.save_draft, step.id, by(step, case), typed, after)


def events(case: Case) -> list[str]:
    return [entry.what for entry in case.all(Journal)]


def test_nothing_is_written_before_the_question_of_a_conflict_is_answered(case: Case) -> None:
    first, _ = case.ask()
    assert save(case, first, HALF) == Refusal(reviewing.ASKED_FIRST)
    assert case.do(reviewing.send, first.id, by(first, case), 1) == Refusal(reviewing.ASKED_FIRST)
    assert not case.all(ReviewDraft)


def test_no_conflict_is_said_once_and_stands_in_the_journal(case: Case) -> None:
    first, _ = case.ask()
    revision = case.row().revision
    assert isinstance(no_conflict(case, first), Accepted)
    assert isinstance(no_conflict(case, first), Accepted)
    assert events(case).count(Event.HAS_NO_CONFLICT) == 1
    assert case.row().revision == revision, "no run looks at it"


def test_a_draft_may_be_as_incomplete_as_it_is_and_is_saved_again_and_again(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    assert [save(case, first, HALF).made, save(case, first, WHOLE, after=1).made] == ["1", "2"]
    [draft] = case.all(ReviewDraft)
    assert ReviewTyped.model_validate(draft.body) == WHOLE
    assert draft.saved_at == case.now
    assert not case.all(Review)


def test_the_same_again_is_no_other_save(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    assert [save(case, first, HALF, after=0).made for _ in range(3)] == ["1", "1", "1"]


def test_a_second_window_does_not_overwrite_what_it_has_not_seen(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    save(case, first, HALF, after=0)
    refused = save(case, first, WHOLE, after=0)
    assert isinstance(refused, Refusal)
    assert "saved in another window" in refused.why
    [draft] = case.all(ReviewDraft)
    assert ReviewTyped.model_validate(draft.body) == HALF


@pytest.mark.parametrize("scores", [{"no_criterion": 3}, {CRITERIA[0]: 6}, {CRITERIA[0]: -1}])
def test_points_that_no_criterion_has_are_not_even_drafted(case: Case, scores: dict[str, int]) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    assert isinstance(save(case, first, ReviewTyped(scores=scores)), Refusal)
    assert [draft.number for draft in case.all(ReviewDraft)] == [0]


def test_nobody_drafts_or_sends_for_somebody_else(case: Case) -> None:
    first, second = case.ask()
    no_conflict(case, first)
    for act in (
        (reviewing.say_no_conflict,),
        (reviewing.save_draft, HALF, None),
        (reviewing.send, 0),
    ):
        outcome = case.do(act[0], first.id, by(second, case), *act[1:])
        assert isinstance(outcome, Refusal)
        assert "not yours" in outcome.why
    assert [draft.number for draft in case.all(ReviewDraft)] == [0]
    with pytest.raises(NotFound):
        case.do(reviewing.save_draft, "STEP-NONE", by(second, case), HALF, None)


def test_who_has_left_the_staff_drafts_no_more(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    with case.record.writing() as session:
        session.delete(session.get_one(Staff, (first.assignee, "reviewer")))
    assert "no longer on the staff" in save(case, first, HALF).why


def test_what_was_checked_is_what_is_sent(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    save(case, first, HALF)
    save(case, first, WHOLE)
    assert case.do(reviewing.send, first.id, by(first, case), 1) == Refusal(reviewing.CHANGED_SINCE)
    assert isinstance(case.do(reviewing.send, first.id, by(first, case), 2), Accepted)
    [review] = case.all(Review)
    assert (review.scores, review.comment, review.note) == (WHOLE.scores, WHOLE.comment, WHOLE.note)
    assert not case.all(ReviewDraft), "what it said is in the review"


def test_a_review_that_lacks_points_is_not_sent_and_its_draft_stays(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    save(case, first, HALF)
    refused = case.do(reviewing.send, first.id, by(first, case), 1)
    assert isinstance(refused, Refusal)
    assert refused.why.count("is missing") == len(CRITERIA) - 1
    assert [ReviewTyped.model_validate(draft.body) for draft in case.all(ReviewDraft)] == [HALF]


def test_a_question_leaves_the_draft_for_the_time_after_the_answer(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    save(case, first, HALF)
    case.answer(first, Question(question="Which maps?"))
    assert len(case.all(ReviewDraft)) == 1
    assert "not been answered yet" in save(case, first, WHOLE).why


def test_a_draft_ends_with_its_step_whichever_way_that_ends(case: Case) -> None:
    first, second = case.ask()
    for step in (first, second):
        no_conflict(case, step)
        save(case, step, HALF)
    case.answer(first, Decline(decline="No time until May.", reason="no_time"))
    assert [draft.step for draft in case.all(ReviewDraft)] == [second.id]
    assert [e.details["reason"] for e in case.all(Journal) if e.what == Event.DECLINED_TO_REVIEW] == [
        "no_time"
    ]
    free = next(f"r{n}@nss.example" for n in range(1, 6) if f"r{n}@nss.example" != second.assignee)
    case.do_as(COORDINATOR, coordinating.reassign, second.id, free, "illness")
    assert not case.all(ReviewDraft)
    assert "taken back" in save(case, second, WHOLE).why


def test_an_answer_through_another_door_takes_the_place_of_the_draft(case: Case) -> None:
    first, _ = case.ask()
    no_conflict(case, first)
    save(case, first, HALF)
    case.answer(first, ReviewAnswer(scores=points(2), comment="Too little."))
    assert not case.all(ReviewDraft)
    with case.record.reading() as session:
        assert session.get_one(Step, first.id).state is StepState.ANSWERED
