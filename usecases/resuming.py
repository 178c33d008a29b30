"""The answer that came through Prefect's Resume form, taken like one through any other door, and deleted there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from adapters.prefect.bulk import in_bulk
from adapters.prefect.client import FilledIn, PrefectClient, filled_in, forget_filled_in
from adapters.prefect.form import answer_in, completed, is_blank, what_was_typed
from adapters.prefect.variables import variables_in
from adapters.workspace import Workspace
from labels.answering import proving
from labels.answering.accepting import TOLD, for_all_to_read
from labels.errors import InvalidInput
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Resumption, Step, StepKind, StepState
from labels.steps.answers import Answer
from labels.steps.codes import code_matches
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code, Proof, SignedIn
from labels.steps.step import locked, open_steps, steps_of
from labels.steps.vouching import is_vouched, vouched_for
from labels.turn import Door, Turn
from usecases import answering, coordinating
from usecases.discreet import discreet

AT_ONCE = 2_000
"""Answers that one upkeep deletes at most: a record of before may have a hundred thousand in Prefect still."""


@discreet("The answer could not be taken")
def take_answer(here: Workspace, application_id: str, run: str, filled: FilledIn) -> str:
    """Puts what a form brought into the record, once; returns a remark on it.

    The waitings of a run are counted, so that the same form's answer counts once however often the
    flow is executed, and recovery can take that of a run that was lost.
    """
    blank = is_blank(filled.fields)
    revealed = None if blank else variables_in(filled.fields)
    with here.record.writing() as session:
        turn = here.turn(session, Door.PREFECT, known_by="code")
        application = locked(session, application_id)
        known = session.get(Resumption, (run, filled.wait))
        if known is not None:
            return known.remark
        accepted, remark = False, "looked at the record again"
        if revealed:
            remark = revealed
            step = _meant(turn, application, _code_in(filled.fields))
            _refuse(turn, application, revealed, step=step)
            _void(turn, step, revealed)
        elif not blank:
            outcome = _take(turn, application, filled, run)
            accepted = isinstance(outcome, Accepted)
            remark = outcome.remark if isinstance(outcome, Accepted) else for_all_to_read(outcome)
        session.add(
            Resumption(
                run=run,
                wait=filled.wait,
                application=application_id,
                at=turn.now,
                accepted=accepted,
                remark=remark,
                in_prefect=filled.more or not blank,
            )
        )
        return remark


def take_unseen(here: Workspace, client: PrefectClient, application_id: str, run: str) -> None:
    """Takes the answer that Prefect accepted for a run that did not come to read it, and deletes it there."""
    with here.record.reading() as session:
        seen = session.scalar(sa.select(sa.func.count()).where(Resumption.run == run)) or 0
    filled = filled_in(client, here.key, UUID(run), seen)
    if filled is not None:
        take_answer(here, application_id, run, filled)
        forget_answer(here, client, run, seen)


# Deleting it in Prefect ---------------------------------------------------------------------------


def forget_answer(here: Workspace, client: PrefectClient, run: str, wait: int) -> None:
    """Deletes an answer in Prefect that the record has taken or refused."""
    with here.record.reading() as session:
        known = session.get(Resumption, (run, wait))
    if known is not None and known.in_prefect:
        forget_filled_in(client, here.key, UUID(run), wait)
        _note_forgotten(here, [(run, wait)])


def forget_answers(here: Workspace, client: PrefectClient) -> int:
    """Deletes every answer that is in the record and may be in Prefect still; returns how many.

    There are some where a process was killed between the record's transaction and the deletion.
    """
    left = (
        sa.select(Resumption.run, Resumption.wait)
        .where(Resumption.in_prefect)
        .order_by(Resumption.at)
        .limit(AT_ONCE)
    )
    with here.record.reading() as session:
        found = [(run, wait) for run, wait in session.execute(left)]
    if found:
        in_bulk(found, lambda one: forget_filled_in(client, here.key, UUID(one[0]), one[1]))
        _note_forgotten(here, found)
    return len(found)


def _note_forgotten(here: Workspace, answers: Sequence[tuple[str, int]]) -> None:
    with here.record.writing() as session:
        for run, wait in answers:
            session.execute(
                sa.update(Resumption)
                .where(Resumption.run == run, Resumption.wait == wait)
                .values(in_prefect=False)
            )


# What the form brought ----------------------------------------------------------------------------


def _take(turn: Turn, application: Application, filled: FilledIn, run: str) -> Accepted | Refusal:
    found = _whose(turn, application, filled, run)
    if isinstance(found, Refusal):
        return found
    step, proof = found
    fields = completed(filled.fields, step.typed or {})
    outcome = _answered(turn, application, step, proof, fields)
    if isinstance(outcome, Accepted):
        step.typed = None
        for other in open_steps(turn.session, application):
            if other.typed is None and other.draft is None:
                other.refused = None  # what was refused was somebody else's, who has answered now
    elif not outcome.replace:
        step.typed = what_was_typed(fields)
        _void(turn, step, outcome.why)
    return outcome


def _whose(turn: Turn, application: Application, filled: FilledIn, run: str) -> tuple[Step, Proof] | Refusal:
    """Which step somebody answers, with what proves who they are."""
    code = _code_in(filled.fields)
    if is_vouched(code):
        signed_in = _signed_in(turn, application, filled, run)
        if isinstance(signed_in, Refusal):
            _refuse(turn, application, signed_in.why)
        return signed_in
    step = _meant(turn, application, code)
    if step is None:
        return _of_no_step(turn, application, filled.fields)
    return step, Code(code, step.assignee if step.kind in BY_A_COORDINATOR else None)


BY_A_COORDINATOR = (StepKind.ASSIGNMENT, StepKind.DECISION)
"""What is answered by an act of a coordinator."""


def _answered(
    turn: Turn, application: Application, step: Step, proof: Proof, fields: Mapping[str, Any]
) -> Accepted | Refusal:
    """What comes of the answer of a person whose step it is."""
    if step.kind in BY_A_COORDINATOR:
        to, reason, ruling = (str(fields.get(name, "")).strip() for name in ("assign_to", "reason", "decide"))
        if step.kind is StepKind.DECISION:
            return coordinating.decide(step.id, ruling.lower(), reason, to)(turn, proof)
        return coordinating.reassign(step.id, to, reason)(turn, proof)
    try:
        given: Answer = answer_in(fields)
    except InvalidInput as error:
        refusal = Refusal("; ".join(fault.problem for fault in error.faults), error)
        _refuse(turn, application, for_all_to_read(refusal), step=step)
        return refusal
    return answering.answer(step.id, given)(turn, proof)


def _of_no_step(turn: Turn, application: Application, filled: Mapping[str, Any]) -> Refusal:
    """Refuses an answer whose code is that of no step here.

    Where it tells whose it is all the same, by a code of theirs with a slip in it or by that of another step, what
    they typed is kept for them. Of anybody else nothing is kept: it may be a stranger's.
    """
    code = _code_in(filled)
    awaited = open_steps(turn.session, application)
    other = proving.step_of_code(turn.session, code)
    owner = proving.mistyped(turn, awaited, code)
    if owner is None and other is not None:
        owner = next((step for step in awaited if step.person == other.person), None)
    if owner is not None:
        owner.refused = "The code is not valid for this step."
        owner.typed = what_was_typed(completed(filled, owner.typed or {}))
        note(turn, application, SYSTEM, Event.REFUSED_A_CODE, step=owner.id, news=False)
        _void(turn, owner, "The code was not that of this step.")
        refusal = Refusal(owner.refused, noted=True)
    elif awaited:
        refusal = proving.wrong_code(turn, application, awaited, claimed=None)
    else:
        refusal = Refusal("The code is not valid here.")
        _refuse(turn, application, refusal.why)
    if other is not None and other is not owner:
        _void(turn, other, "The code was typed into the form of another application.")
    return refusal


def _void(turn: Turn, step: Step | None, why: str) -> None:
    """Makes a code void that came with an answer which was not accepted: somebody may have read it in Prefect."""
    if step is not None and step.state is StepState.OPEN:
        proving.replace_code(turn, step, why)


def _signed_in(
    turn: Turn, application: Application, filled: FilledIn, run: str
) -> tuple[Step, SignedIn] | Refusal:
    """Which open step a person answers for whom the gate has vouched, or why that is not known."""
    awaited = open_steps(turn.session, application)
    people = sorted({step.person for step in awaited})
    code, fields = _code_in(filled.fields), filled.fields
    found = vouched_for(turn.keys, code, people, run, filled.wait, fields, turn.now)
    if found is None:
        return Refusal(
            "This step is not yours any more, or the form was open for too long. Open the run again, signed in."
        )
    person, at = found
    coordinates = any(str(fields.get(name, "")).strip() for name in ("assign_to", "decide"))
    own = [step for step in awaited if step.person == person]
    meant = own if len(own) == 1 else [one for one in own if (one.kind in BY_A_COORDINATOR) is coordinates]
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


def _refuse(turn: Turn, application: Application, why: str, *, step: Step | None = None) -> None:
    """Shows with the next form that an answer was not accepted, and enters it into the journal.

    `step` is the one that the code belongs to, which tells whose answer it was; they are told why in a mail.
    """
    for one in [step] if step else open_steps(turn.session, application):
        one.refused = TOLD if step else why
    who, which = (step.assignee, step.id) if step else (SYSTEM, None)
    event = Event.NOT_ACCEPTED if step else Event.NOT_ACCEPTED_OF_NOBODY
    note(turn, application, who, event, step=which, news=False, because=why)
