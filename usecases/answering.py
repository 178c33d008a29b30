"""Taking the answer that came through Prefect's Resume form."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from adapters.prefect.client import prefect_client
from adapters.prefect.form import answer_in, is_blank
from adapters.workspace import Workspace
from labels.answering.accepting import NOT_ACCEPTED, answer
from labels.answering.proving import prove, wrong_code
from labels.errors import InvalidInput, LabelsError, NotAllowed
from labels.record.journal import SYSTEM, note
from labels.record.schema import Application, Resumption, Step, StepKind
from labels.reviews.coordinating import reassign
from labels.steps.answers import Answer
from labels.steps.codes import code_matches
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import close_step, held, open_steps, steps_of
from labels.turn import Turn


def take_answer(here: Workspace, application_id: str, run: str, wait: int, filled: Mapping[str, Any]) -> str:
    """The same for any run, so that recovery can do it for one that was lost."""
    now = here.now()
    revealed = _variables_in(filled) if not is_blank(filled) else None
    with here.record.writing() as session:
        application = held(session, application_id)
        known = session.get(Resumption, (run, wait))
        if known is not None:
            return known.remark
        if is_blank(filled):
            accepted, remark = False, "looked at the record again"
        elif revealed:
            accepted, remark = False, revealed
            _refuse(session, application, revealed, here, step=_meant(session, application, _code_in(filled)))
        else:
            accepted, remark = _take(session, here, application, filled)
        session.add(
            Resumption(
                run=run, wait=wait, application=application_id, at=now, accepted=accepted, remark=remark
            )
        )
        return remark


def _take(
    session: Session, here: Workspace, application: Application, filled: Mapping[str, Any]
) -> tuple[bool, str]:
    now, key = here.now(), here.key
    code = _code_in(filled)
    step = _meant(session, application, code)
    if step is not None and step.kind is StepKind.ASSIGNMENT:
        return _assign(session, here, application, step, filled)
    try:
        given: Answer = answer_in(filled)
    except InvalidInput as error:
        why = "; ".join(fault.problem for fault in error.faults)
        _refuse(session, application, why, here, step=step)
        return False, why
    if step is None:
        awaited = open_steps(session, application)
        refusal = Refusal("The code is not valid here.")
        if awaited:
            refusal = wrong_code(Turn(session, now, key), application, awaited, claimed=None)
        _refuse(session, application, refusal.why, here, draft=given, noted=refusal.noted)
        return False, refusal.why
    result = answer(Turn(session, now, key, "prefect"), step.id, None, code, given)
    match result:
        case Accepted():
            for other in open_steps(session, application):
                if other.draft is None:  # what was refused was somebody else's, who has answered now
                    other.refused = None
            return True, result.remark
        case Refusal():
            return False, result.why


def _code_in(filled: Mapping[str, Any]) -> str:
    return str(filled.get("code", ""))


def _meant(session: Session, application: Application, code: str) -> Step | None:
    """The step that the code belongs to, open or spent."""
    for step in steps_of(session, application):
        if code_matches(code, step.code_hash):
            return step
    return None


def _assign(
    session: Session, here: Workspace, application: Application, step: Step, filled: Mapping[str, Any]
) -> tuple[bool, str]:
    now = here.now()
    refusal = prove(Turn(session, now, here.key), step, None, _code_in(filled))
    if refusal is not None:
        return False, refusal.why
    to, reason = str(filled.get("assign_to", "")).strip(), str(filled.get("reason", "")).strip()
    try:
        if not to or not reason:
            raise NotAllowed("A reviewer's address and a reason are both needed.")
        reassign(Turn(session, now, here.key), step.id, to, reason, step.assignee)
    except LabelsError as error:
        step.refused = str(error)
        note(
            Turn(session, now, here.key),
            application,
            step.assignee,
            NOT_ACCEPTED,
            step=step.id,
            news=False,
            door="prefect",
            because=step.refused,
        )
        return False, step.refused
    close_step(step, step.state, now)
    return True, f"{to} is asked to review."


def _refuse(
    session: Session,
    application: Application,
    why: str,
    here: Workspace,
    *,
    step: Step | None = None,
    draft: Answer | None = None,
    noted: bool = False,
) -> None:
    """Shows the reason with the next form, and keeps what was typed where it is only one person's.

    `step` is the one that the code belongs to, which tells whose answer it was.
    """
    awaited = open_steps(session, application)
    for one in awaited:
        one.refused = why
        if draft is not None and len(awaited) == 1:
            one.draft = draft.model_dump(mode="json")
    if not noted:
        who, which = (step.assignee, step.id) if step else (SYSTEM, None)
        what = NOT_ACCEPTED if step else "did not accept an answer"
        note(here.turn(session), application, who, what, step=which, news=False, door="prefect", because=why)


def _variables_in(filled: Mapping[str, Any]) -> str | None:
    """Why an answer is refused into which Prefect's server has put the value of a variable of its own.

    The server fills `{"__prefect_kind": "workspace_variable"}` in, also read as JSON, before anybody can
    look at the answer; this keeps such a value from ending in a letter. It can only be the whole of a
    field: words that happen to contain a variable's value are a person's own.
    """
    texts = {value.strip() for value in filled.values() if isinstance(value, str)} - {""}
    with prefect_client() as client:
        seen = 0
        while page := client._client.post("/variables/filter", json={"limit": 200, "offset": seen}).json():
            if any(texts & _texts_of(variable["value"]) for variable in page):
                return "The answer holds the value of a variable of the Prefect server, which is not for applications."
            seen += len(page)
    return None


def _texts_of(value: Any) -> set[str]:
    """What a variable's value can become in a field that takes text."""
    if not isinstance(value, str):
        return set()
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(read := json.loads(value), str):
            return {value.strip(), read.strip()}
    return {value.strip()}
