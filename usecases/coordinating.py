"""What coordinators do about one application: another reviewer, a review sent back, a deadline, a conflict of interest."""

from __future__ import annotations

from datetime import datetime

from labels.answering import deadlines, proving
from labels.errors import NotAllowed
from labels.record.schema import StepState
from labels.reviews import coordinating
from labels.steps.outcome import Accepted
from labels.turn import Turn
from usecases.acts import Act, as_coordinator, needs_words


def reassign(step: str, to: str, reason: str) -> Act:
    """Gives a reviewer's seat to somebody else, or to the coordinator who takes it over."""

    def do(turn: Turn) -> Accepted:
        if not to:
            raise NotAllowed("A reviewer's address and a reason are both needed.")
        needs_words(reason)
        new = coordinating.reassign(turn, step, to, reason)
        remark = f"{new.assignee} is asked to review ({new.id})."
        if new.state is StepState.ASKED:
            remark = f"{new.assignee} reviews ({new.id}) once the applicant's answer is in, and is written to then."
        return Accepted(new.application, remark)

    return as_coordinator(lambda session: proving.find_step(session, step).application, do)


def send_back(step: str, reason: str) -> Act:
    """Gives a review back to whoever gave it, as a draft, with the reason."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        new = coordinating.send_back(turn, step, reason)
        return Accepted(new.application, f"{new.assignee} has the review back as a draft ({new.id}).")

    return as_coordinator(lambda session: proving.find_step(session, step).application, do)


def move_deadline(step: str, until: datetime, reason: str) -> Act:
    """Gives one person more or less time for an open step."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        remark = deadlines.move_deadline(turn, step, until, reason)
        return Accepted(proving.find_step(turn.session, step).application, remark)

    return as_coordinator(lambda session: proving.find_step(session, step).application, do)


def declare_conflict(application: str, reviewer: str, reason: str) -> Act:
    """Records that a reviewer has a conflict of interest with the applicant."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        coordinating.declare_conflict(turn, application, reviewer, reason)
        return Accepted(application, f"{reviewer} judges nothing of this applicant any more.")

    return as_coordinator(lambda session: application, do)
