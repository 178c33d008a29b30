"""Taking an answer to a step: checked, recorded, or refused with its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from labels.answering.proving import prove
from labels.applications.documents import StoredDocument
from labels.applications.drafting import StaleDraft, TooMuch
from labels.applications.evidence import fit
from labels.errors import Fault, InvalidInput
from labels.european_label import awarding, screening
from labels.record.journal import Event, note
from labels.record.schema import Application, Step, StepKind, StepState
from labels.reviews.review import take_decline, take_information, take_question, take_review
from labels.reviews.scoring import check_comment, check_points
from labels.rules.kept import rules_of
from labels.school_label import drafting, handing_in, receiving
from labels.steps.answers import (
    Answer,
    Declaration,
    Decline,
    Information,
    Question,
    ReviewAnswer,
    Screening,
    SelfAssessment,
)
from labels.steps.kinds import STEPS
from labels.steps.outcome import Accepted as Accepted
from labels.steps.outcome import Refusal as Refusal
from labels.steps.proof import Proof, proves
from labels.steps.step import locked_by_step
from labels.turn import Turn
from labels.words.sentences import say


def answer(
    turn: Turn,
    step_id: str,
    proof: Proof,
    given: Answer,
    *,
    documents: Sequence[StoredDocument] = (),
) -> Accepted | Refusal:
    """A person's answer to a step, whichever door it came through; it counts once or not at all.

    `documents` are in the store already and go with a school's self-assessment, or with the answer to a question.

    Raises:
        NotFound: there is no such step.
    """
    application, step = locked_by_step(turn.session, step_id)
    refusal = prove(turn, step, proof)
    if refusal is not None and not proves(turn.session, proof, step):
        return refusal  # what they typed is nobody's draft
    if refusal is None:
        turn = turn.acting(step.assignee, step.person)
        refusal = _fits(turn.session, application, step, given, documents)
    if refusal is not None:
        return _not_accepted(turn, application, step, given, refusal)
    own = step.draft
    _forget_tries(step)
    match given:
        case ReviewAnswer():
            return take_review(turn, application, step, given)
        case Question():
            return take_question(turn, application, step, given)
        case SelfAssessment():
            received = receiving.take(turn, application, step, given, documents)
            if isinstance(received, Refusal):
                step.draft = own
                return _not_accepted(turn, application, step, given, received)
            return received
        case Declaration() | Decline() if step.kind is StepKind.DECLARATION:
            return receiving.declare(turn, application, step, given)
        case Decline():
            return take_decline(turn, application, step, given)
        case Information():
            return take_information(turn, application, step, given, documents)
        case Screening():
            take = screening.take if step.kind is StepKind.SCREENING else awarding.take
            result = take(turn, application, step, given)
            if isinstance(result, Refusal):
                return _not_accepted(turn, application, step, given, result)
            return result
    raise TypeError(f"{type(given).__name__} answers no step of the kind {step.kind.value}")


def save_draft(
    turn: Turn,
    step_id: str,
    proof: Proof,
    given: Answer | drafting.Typed,
    *,
    documents: Sequence[StoredDocument] = (),
    without: Collection[str] = (),
) -> Accepted | Refusal:
    """Keeps a draft of a school's self-assessment for all of its teachers; the code stays valid.

    It is a whole one, or what was typed into single fields. What was accepted has the draft's number as `made`.
    `documents` are in the store already and are evidence from now on; `without` are names of such that are none any more.

    Raises:
        NotFound: there is no such step.
    """
    none = Refusal(say("Only a school's self-assessment is drafted."))
    found = _self_assessment(turn, step_id, proof, none)
    if isinstance(found, Refusal):
        return found
    application, step = found
    if not isinstance(given, SelfAssessment | drafting.Typed):
        return none
    turn = turn.acting(step.assignee, step.person)
    receiving.take_out(turn, application, without)
    if documents and not fit(turn.session, application, documents, rules_of(turn.session, application)):
        large = say("All files together are too large.")
        return Refusal(large, TooMuch(large))
    receiving.keep_documents(turn, application, documents)
    if isinstance(given, drafting.Typed):
        saved = drafting.save_fields(turn, application, step, given)
    else:
        saved = drafting.save(turn, application, step, given)
    if isinstance(saved, Refusal):
        return saved
    remark = f"Saved as draft {saved}. The code stays valid."
    return Accepted(application.id, remark, made=str(saved), concerned=())


def hand_in(turn: Turn, step_id: str, proof: Proof, number: int) -> Accepted | Refusal:
    """Hands the draft of a school's self-assessment in as it was checked, which was save `number`.

    Raises:
        NotFound: there is no such step.
    """
    none = Refusal(say("Only a school's self-assessment is handed in."))
    found = _self_assessment(turn, step_id, proof, none)
    if isinstance(found, Refusal):
        return found
    application, _ = found
    now = drafting.drafted(turn.session, application)
    if now.number != number:
        stale = say("A colleague changed something meanwhile. Look at it once more before you hand it in.")
        return Refusal(stale, StaleDraft(stale))
    return answer(turn, step_id, proof, now.given)


def choose_who_hands_in(turn: Turn, step_id: str, proof: Proof, who: str) -> Accepted | Refusal:
    """Says which of a school's teachers hands in for all of them; the code stays valid.

    `who` is a person's id, the id of their step, or an address that one of them alone reads.

    Raises:
        NotFound: there is no such step.
    """
    none = Refusal(say("Only of a school somebody is chosen who hands in."))
    found = _self_assessment(turn, step_id, proof, none)
    if isinstance(found, Refusal):
        return found
    application, step = found
    return handing_in.choose(turn.acting(step.assignee, step.person), application, step, who)


def _self_assessment(
    turn: Turn, step_id: str, proof: Proof, otherwise: Refusal
) -> tuple[Application, Step] | Refusal:
    """A school's application and the step of it that somebody proves to have, both locked; `otherwise` of any other kind.

    Raises:
        NotFound: there is no such step.
    """
    application, step = locked_by_step(turn.session, step_id)
    if refusal := prove(turn, step, proof):
        return refusal
    return (application, step) if step.kind is StepKind.SELF_ASSESSMENT else otherwise


def _forget_tries(step: Step) -> None:
    """Drops what was typed before the answer that is taken; a value that is set is looked at by the session, changed or not."""
    if step.draft is not None:
        step.draft = None
    if step.refused is not None:
        step.refused = None
    if step.typed is not None:
        step.typed = None


def _not_accepted(
    turn: Turn, application: Application, step: Step, given: Answer, refusal: Refusal
) -> Refusal:
    """Keeps why an answer was not accepted, and what was typed, for the next try.

    A self-assessment is kept as the draft that a school's teachers share, not once more as somebody's own.
    """
    if step.state is StepState.OPEN:
        step.refused = TOLD
        if not isinstance(given, SelfAssessment):
            step.draft = given.model_dump(mode="json")
        elif step.kind is StepKind.SELF_ASSESSMENT:
            drafting.keep_where_nobody_saved(turn, application, step, given)
        if not refusal.noted:  # so the code was right, and tells whose answer it was
            note(
                turn,
                application,
                step.assignee,
                Event.NOT_ACCEPTED,
                step=step.id,
                news=refusal.replace,
                because=for_all_to_read(refusal),
            )
    return refusal


TOLD = "Whoever gave it was told why, and it is kept for them."
"""What a form that everybody reads says of an answer that was not accepted."""


def for_all_to_read(refusal: Refusal) -> str:
    """Why an answer was not accepted, without what it said: points are nobody's to see before the decision,
    and which of them were wrong tells of them."""
    return "it had faults" if isinstance(refusal.error, InvalidInput) else refusal.why


def _fits(
    session: Session,
    application: Application,
    step: Step,
    given: Answer,
    documents: Sequence[StoredDocument],
) -> Refusal | None:
    if documents and not STEPS[step.kind].takes_documents:
        why = say("Documents go only with a school's self-assessment, or with the answer to a question.")
        return Refusal(why, InvalidInput(step.id, [Fault(say("documents"), why, say("Leave them out."))]))
    if not isinstance(given, STEPS[step.kind].answers):
        why = say("This is no answer to a step of the kind {kind}.", kind=step.kind.value)
        return Refusal(why, InvalidInput(step.id, [Fault("(whole file)", why)]))
    if isinstance(given, Information) and not fit(
        session, application, documents, edition := rules_of(session, application)
    ):
        most = edition.national.limits.uploads_mib.value
        why = say("All files together may have {most} MB. Take one out first.", most=most)
        return Refusal(why, InvalidInput(step.id, [Fault(say("documents"), why)]))
    if isinstance(given, ReviewAnswer):
        edition = rules_of(session, application)
        faults = check_points(given.scores, edition.criteria_set)
        faults = faults or check_comment(given.scores, given.comment, edition)
        if faults:
            return Refusal("; ".join(map(str, faults)), InvalidInput(step.id, faults))
    return None
