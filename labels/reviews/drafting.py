"""A review before it is sent: the question of a conflict of interest, and what was typed so far."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from labels.errors import InvalidInput
from labels.record.schema import Review, ReviewDraft, Step
from labels.reviews.scoring import check_points
from labels.rules.model import CriteriaSet
from labels.steps.answers import ReviewTyped
from labels.steps.outcome import Refusal
from labels.turn import Turn
from labels.words.sentences import say


def draft_of(session: Session, step: str) -> ReviewDraft | None:
    """The draft of one review; None before its reviewer said or typed anything."""
    return session.get(ReviewDraft, step)


def typed_in(step: Step, draft: ReviewDraft | None) -> ReviewTyped:
    """What its reviewer typed so far: saved last, or in an answer through another door that was not accepted."""
    if draft is not None and draft.number:
        return ReviewTyped.model_validate(draft.body)
    if step.draft and "scores" in step.draft:
        return ReviewTyped.model_validate(step.draft)
    return ReviewTyped()


def say_no_conflict(turn: Turn, step: Step) -> bool:
    """Keeps that the reviewer has no conflict of interest; whether that is new."""
    draft = _begun(turn, step)
    if draft.no_conflict_at is not None:
        return False
    draft.no_conflict_at = turn.now
    return True


def save(
    turn: Turn, step: Step, criteria: CriteriaSet, typed: ReviewTyped, after: int | None
) -> int | Refusal:
    """Keeps what was typed; the number of this save, or why it is not taken.

    `after` is the number that it goes on from. Of two windows with one review, the one that has not seen
    the other's save does not overwrite it. None takes its place whatever is there.
    """
    known = {criterion.id for criterion in criteria.criteria}
    missing = {f"scores.{criterion}" for criterion in known - typed.scores.keys()}
    if faults := [fault for fault in check_points(typed.scores, criteria) if fault.where not in missing]:
        return Refusal("; ".join(map(str, faults)), InvalidInput(step.id, faults))
    draft = _begun(turn, step)
    body = typed.model_dump(mode="json")
    if draft.number and draft.body == body:
        return draft.number
    if after is not None and after != draft.number:
        return Refusal(
            say(
                "This review was saved in another window at {at}. Open it again to go on from that.",
                at=draft.saved_at,
            )
            if draft.saved_at
            else say("This review was saved in another window. Open it again to go on from that.")
        )
    draft.body, draft.saved_at, draft.number = body, turn.now, draft.number + 1
    return draft.number


def begin_again(turn: Turn, step: Step, review: Review) -> None:
    """Makes a review that was sent back the draft of a new step, whose reviewer has answered the first question."""
    body: dict[str, Any] = {"scores": review.scores, "comment": review.comment, "note": review.note}
    turn.session.add(
        ReviewDraft(step=step.id, no_conflict_at=turn.now, number=1, saved_at=turn.now, body=body)
    )


def _begun(turn: Turn, step: Step) -> ReviewDraft:
    draft = draft_of(turn.session, step.id)
    if draft is None:
        draft = ReviewDraft(step=step.id, no_conflict_at=None, number=0, saved_at=None, body={})
        turn.session.add(draft)
    return draft
