"""A reviewer at work: no conflict of interest, drafts, and the review sent as it was checked."""

from __future__ import annotations

from labels.answering import accepting
from labels.answering.proving import prove
from labels.record.journal import Event, note
from labels.record.schema import Application, Step, StepKind
from labels.reviews import drafting
from labels.rules.kept import rules_of
from labels.steps.answers import ReviewTyped
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.steps.step import locked_by_step
from labels.turn import Turn
from labels.words.sentences import say

ASKED_FIRST = say("Say first whether you have a conflict of interest with this application.")
CHANGED_SINCE = say("The review was changed since you checked it. Look at it once more, and send it then.")


def say_no_conflict(turn: Turn, step_id: str, proof: Proof) -> Accepted | Refusal:
    """A reviewer says that they have no conflict of interest, and is shown the application from then on.

    Raises:
        NotFound: there is no such step.
    """
    application, step, refusal = _proven(turn, step_id, proof)
    if refusal is not None:
        return refusal
    if drafting.say_no_conflict(turn, step):
        note(turn, application, step.assignee, Event.HAS_NO_CONFLICT, step=step.id, news=False)
    return Accepted(application.id, "Thank you: here is the application.", concerned=())


def save_draft(
    turn: Turn, step_id: str, proof: Proof, typed: ReviewTyped, after: int | None
) -> Accepted | Refusal:
    """Keeps what a reviewer typed so far; what was accepted has the number of the save as `made`.

    Args:
        turn: the change.
        step_id: the review.
        proof: who types.
        typed: what they typed.
        after: the number of the save that it goes on from; None takes the place of any.

    Raises:
        NotFound: there is no such step.
    """
    application, step, refusal = _past_the_question(turn, step_id, proof)
    if refusal is not None:
        return refusal
    criteria = rules_of(turn.session, application).criteria_set
    saved = drafting.save(turn, step, criteria, typed, after)
    if isinstance(saved, Refusal):
        return saved
    return Accepted(application.id, "Saved.", made=str(saved), concerned=())


def send(turn: Turn, step_id: str, proof: Proof, number: int) -> Accepted | Refusal:
    """Sends the draft as the reviewer checked it, which was save `number`.

    Raises:
        NotFound: there is no such step.
    """
    _, step, refusal = _past_the_question(turn, step_id, proof)
    if refusal is not None:
        return refusal
    draft = drafting.draft_of(turn.session, step.id)
    if draft is None or draft.number != number:
        return Refusal(CHANGED_SINCE)
    return accepting.answer(turn, step_id, proof, drafting.typed_in(step, draft).whole())


def _proven(turn: Turn, step_id: str, proof: Proof) -> tuple[Application, Step, Refusal | None]:
    application, step = locked_by_step(turn.session, step_id)
    refusal = prove(turn, step, proof)
    if refusal is None and step.kind is not StepKind.REVIEW:
        refusal = Refusal(say("Only a review is drafted here."))
    return application, step, refusal


def _past_the_question(turn: Turn, step_id: str, proof: Proof) -> tuple[Application, Step, Refusal | None]:
    """The same, of somebody who has said that they have no conflict of interest."""
    application, step, refusal = _proven(turn, step_id, proof)
    if refusal is None:
        draft = drafting.draft_of(turn.session, step.id)
        if draft is None or draft.no_conflict_at is None:
            refusal = Refusal(ASKED_FIRST)
    return application, step, refusal
