"""What reviewers do who are signed in: say that they have no conflict of interest, save a draft, send it."""

from __future__ import annotations

from labels.answering import reviewing
from labels.steps.answers import ReviewTyped
from usecases.acts import Act


def say_no_conflict(step: str) -> Act:
    """A reviewer has no conflict of interest; who has one declines (`usecases.answering.answer`)."""
    return lambda turn, proof: reviewing.say_no_conflict(turn, step, proof)


def save_draft(step: str, typed: ReviewTyped, after: int | None = None) -> Act:
    """Keeps what a reviewer typed so far; `after` is the number of the save that it goes on from."""
    return lambda turn, proof: reviewing.save_draft(turn, step, proof, typed, after)


def send(step: str, number: int) -> Act:
    """Sends the draft as it was checked, which was save `number`."""
    return lambda turn, proof: reviewing.send(turn, step, proof, number)
