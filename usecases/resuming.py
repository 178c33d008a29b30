"""The answer that came through Prefect's Resume form, taken like one through any other door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.prefect.form import answer_in, is_blank
from adapters.prefect.variables import variables_in
from adapters.workspace import Workspace
from labels.answering.proving import wrong_code
from labels.errors import InvalidInput
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Resumption, Step, StepKind
from labels.steps.answers import Answer
from labels.steps.codes import code_matches
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code, Proof, SignedIn
from labels.steps.step import held, open_steps, steps_of
from labels.steps.vouching import is_vouched, vouched_for
from labels.turn import Door, Turn
from usecases import answering, coordinating


def take_answer(here: Workspace, application_id: str, run: str, wait: int, filled: Mapping[str, Any]) -> str:
    """Puts what a form brought into the record, once; returns a remark on it.

    `wait` counts the waitings of the run, so that the same form's answer counts once however often the
    flow is executed, and recovery can take that of a run that was lost.
    """
    revealed = variables_in(filled) if not is_blank(filled) else None
    with here.record.writing() as session:
        turn = here.turn(session, Door.PREFECT, known_by="code")
        application = held(session, application_id)
        known = session.get(Resumption, (run, wait))
        if known is not None:
            return known.remark
        accepted, remark = False, "looked at the record again"
        if revealed:
            remark = revealed
            _refuse(turn, application, revealed, step=_meant(turn, application, _code_in(filled)))
        elif not is_blank(filled):
            outcome = _take(turn, application, filled, run, wait)
            accepted = isinstance(outcome, Accepted)
            remark = outcome.remark if isinstance(outcome, Accepted) else outcome.why
        session.add(
            Resumption(
                run=run, wait=wait, application=application_id, at=turn.now, accepted=accepted, remark=remark
            )
        )
        return remark


def _take(
    turn: Turn, application: Application, filled: Mapping[str, Any], run: str, wait: int
) -> Accepted | Refusal:
    code = _code_in(filled)
    step: Step | None
    proof: Proof
    if is_vouched(code):
        signed_in = _signed_in(turn, application, filled, run, wait)
        if isinstance(signed_in, Refusal):
            _refuse(turn, application, signed_in.why)
            return signed_in
        step, proof = signed_in
    else:
        step = _meant(turn, application, code)
        proof = Code(code, step.assignee if step is not None and step.kind is StepKind.ASSIGNMENT else None)
    if step is not None and step.kind is StepKind.ASSIGNMENT:
        to, reason = (str(filled.get(name, "")).strip() for name in ("assign_to", "reason"))
        return coordinating.reassign(step.id, to, reason)(turn, proof)
    given: Answer | None = None
    try:
        given = answer_in(filled)
    except InvalidInput as error:
        if step is not None:
            why = "; ".join(fault.problem for fault in error.faults)
            _refuse(turn, application, why, step=step)
            return Refusal(why)
    if step is None or given is None:
        awaited = open_steps(turn.session, application)
        refusal = Refusal("The code is not valid here.")
        if awaited:
            refusal = wrong_code(turn, application, awaited, claimed=None)
        _refuse(turn, application, refusal.why, draft=given, noted=refusal.noted)
        return refusal
    outcome = answering.answer(step.id, given)(turn, proof)
    if isinstance(outcome, Accepted):
        for other in open_steps(turn.session, application):
            if other.draft is None:  # what was refused was somebody else's, who has answered now
                other.refused = None
    return outcome


def _signed_in(
    turn: Turn, application: Application, filled: Mapping[str, Any], run: str, wait: int
) -> tuple[Step, SignedIn] | Refusal:
    """Which open step a person answers for whom the gate has vouched, or why that is not known."""
    awaited = open_steps(turn.session, application)
    people = sorted({step.assignee for step in awaited})
    found = vouched_for(turn.key, _code_in(filled), people, run, wait, filled, turn.now)
    if found is None:
        return Refusal(
            "This step is not yours any more, or the form was open for too long. Open the run again, signed in."
        )
    person, at = found
    assigns = bool(str(filled.get("assign_to", "")).strip())
    own = [step for step in awaited if step.assignee == person]
    meant = own if len(own) == 1 else [one for one in own if (one.kind is StepKind.ASSIGNMENT) is assigns]
    if len(meant) != 1:
        return Refusal("Several steps await you here: answer them one by one at the desk.")
    return meant[0], SignedIn(person, "prefect gate", at)


def _code_in(filled: Mapping[str, Any]) -> str:
    return str(filled.get("code", ""))


def _meant(turn: Turn, application: Application, code: str) -> Step | None:
    """The step that the code belongs to, open or spent."""
    for step in steps_of(turn.session, application):
        if code_matches(code, step.code_hash):
            return step
    return None


def _refuse(
    turn: Turn,
    application: Application,
    why: str,
    *,
    step: Step | None = None,
    draft: Answer | None = None,
    noted: bool = False,
) -> None:
    """Shows the reason with the next form, and keeps what was typed where it is only one person's.

    `step` is the one that the code belongs to, which tells whose answer it was.
    """
    awaited = open_steps(turn.session, application)
    for one in awaited:
        one.refused = why
        if draft is not None and len(awaited) == 1:
            one.draft = draft.model_dump(mode="json")
    if not noted:
        who, which = (step.assignee, step.id) if step else (SYSTEM, None)
        event = Event.NOT_ACCEPTED if step else Event.NOT_ACCEPTED_OF_NOBODY
        note(turn, application, who, event, step=which, news=False, because=why)
