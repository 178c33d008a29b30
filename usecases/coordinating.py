"""What coordinators do about one application: another reviewer, a review sent back, a deadline, a conflict of interest."""

from __future__ import annotations

from datetime import datetime

from labels.answering import carrying_out, deadlines, proving
from labels.errors import NotAllowed
from labels.mending import ReopenDecision
from labels.record.schema import Cause, Step, StepState
from labels.reviews import calling, coordinating
from labels.reviews.ruling import Ruling
from labels.revoking import redeciding
from labels.steps.outcome import Accepted
from labels.steps.step import locked
from labels.turn import Turn
from labels.words.sentences import say
from usecases.acts import Act, as_coordinator, needs_words


def reassign(step: str, to: str, reason: str) -> Act:
    """Gives a reviewer's seat to somebody else, or to the coordinator who takes it over."""

    def do(turn: Turn) -> Accepted:
        if not to:
            raise NotAllowed(say("A reviewer's address and a reason are both needed."))
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


def remind(step: str, reason: str) -> Act:
    """Reminds whoever an open step awaits, with the reason."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        who = carrying_out.remind_one(turn, step, reason)
        return Accepted(
            proving.find_step(turn.session, step).application, f"{who} is reminded.", concerned=()
        )

    return as_coordinator(lambda session: proving.find_step(session, step).application, do)


def another(application: str, to: str, reason: str) -> Act:
    """Calls one more reviewer for an application, where the rules allow it: whoever is named, or whom the rules choose."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        return Accepted(application, _called(calling.call_one_more(turn, application, to, reason)))

    return as_coordinator(lambda session: application, do)


def decide(step: str, ruling: str, reason: str, to: str = "") -> Act:
    """Decides on an application, where the rules leave it to a coordinator: awards, refuses, or calls one more reviewer."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        if ruling not in tuple(Ruling):
            raise NotAllowed(say("Say what you decide: award, refuse or another."))
        new = calling.decide(turn, step, Ruling(ruling), reason, to)
        remark = (
            _called(new) if ruling == Ruling.ANOTHER else "Your decision is recorded; papers and mail follow."
        )
        return Accepted(proving.find_step(turn.session, step).application, remark)

    return as_coordinator(lambda session: proving.find_step(session, step).application, do)


def _called(new: Step | None) -> str:
    if new is None:
        return "One more reviewer is called."
    return f"{new.assignee} is asked to review ({new.id})."


def declare_conflict(application: str, reviewer: str, reason: str) -> Act:
    """Records that a reviewer has a conflict of interest with the applicant."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        declared = coordinating.declare_conflict(turn, application, reviewer, reason)
        remark = f"{reviewer} judges nothing of this applicant any more."
        row = locked(turn.session, application)
        resting = [one for person in declared for one in redeciding.resting_on(turn.session, row, person)]
        news = (application,) if row.outcome is None else ()  # a run that has ended sees no more
        if not resting:
            nothing = "" if news else " No decision rests on a review of theirs."
            return Accepted(application, f"{remark}{nothing}", concerned=news)
        named = "; ".join(f"{one.application} is {one.outcome.value} ({one.review})" for one in resting)
        return Accepted(
            application,
            f"{remark} What they judged is decided, and stays so until it is reopened: {named}.",
            concerned=news,
            mend=ReopenDecision(resting[0].application, Cause.CONFLICT),
        )

    return as_coordinator(lambda session: application, do)


def lift_conflict(application: str, reviewer: str, reason: str) -> Act:
    """Takes back that a reviewer has a conflict of interest with the applicant, which was declared by mistake."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        told = coordinating.lift_conflict(turn, application, reviewer, reason)
        open_still = locked(turn.session, application).outcome is None
        again = f"{reviewer} may be asked again{', and is told so by mail' if told else ''}."
        return Accepted(
            application,
            f"{again} What was taken back stays so; a coordinator may give it to them anew.",
            concerned=(application,) if open_still else (),
        )

    return as_coordinator(lambda session: application, do)
