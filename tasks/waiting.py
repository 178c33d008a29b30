"""Where a run suspends until a person has answered, and what is made of the answer."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prefect import task
from prefect.client.orchestration import get_client
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from sqlalchemy.orm import Session

from labels.answers import Answer
from labels.errors import InvalidInput, LabelsError, NotAllowed
from labels.journal import SYSTEM, note
from labels.people import code_matches
from labels.record.schema import Application, Resumption, Step, StepKind
from labels.reviewing import NOT_ACCEPTED, Accepted, Refusal, answer, prove, reassign, wrong_code
from labels.steps import close_step, held, open_steps, steps_of
from labels.submitting import rules_of
from tasks.briefs import brief
from tasks.european_briefs import award_brief, nomination_brief
from tasks.forms import answer_in, form_for, is_blank
from tasks.retrying import RETRIED
from tasks.runs import filled_in
from tasks.school_briefs import school_brief
from tasks.workspace import Workspace, workspace

_BRIEFS = {"nomination": nomination_brief, "european": award_brief, "school": school_brief}
"""What is told to whoever answers, by kind of application, where it is not a teacher's."""


async def suspended(application_id: str) -> tuple[int, dict[str, str | int]]:
    """Suspends the run until somebody answers; costs nothing meanwhile.

    Returns which waiting of this run it was, and what was filled in. The process ends here: when
    the run is resumed, the flow starts again from its first line and comes by here for the next
    waiting, or for this one if its answer is not in the record yet. What was filled in is taken as
    it came: Prefect would hold it to the form of the steps that are open by now, and fail the run
    where they have changed since.
    """
    here = workspace()
    run = str(flow_run.id)
    with here.record.reading() as session:
        wait = session.scalar(sa.select(sa.func.count()).where(Resumption.run == run)) or 0
    with get_client(sync_client=True) as client:
        filled = filled_in(client, UUID(run), wait)
    if filled is not None:
        return wait, filled
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        awaited = open_steps(session, application)
        form: type[RunInput] = form_for(
            awaited,
            rules_of(session, application),
            _BRIEFS.get(application.label, brief)(session, here, application, awaited),
        )
    logging.getLogger("prefect.flow_runs").addFilter(_soften)
    await suspend_flow_run(wait_for_input=form, key=str(wait))  # type: ignore[misc]  # async_dispatch is typed as sync
    raise RuntimeError("Prefect did not suspend the run.")


def _soften(record: logging.LogRecord) -> bool:
    """Prefect logs a suspension as an ERROR, which makes coordinators look for a fault that is none."""
    if record.levelno == logging.ERROR and str(record.msg).startswith("Finished in state Suspended"):
        record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


@task(name="record the answer", **RETRIED)
def record_answer(application_id: str, answered: tuple[int, dict[str, str | int]]) -> str:
    """Puts what came through Prefect's form into the record, once; returns a remark on it."""
    wait, filled = answered
    return take_answer(workspace(), application_id, str(flow_run.id), wait, filled)


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
            refusal = wrong_code(session, application, awaited, claimed=None, now=now, key=key)
        _refuse(session, application, refusal.why, here, draft=given, noted=refusal.noted)
        return False, refusal.why
    result = answer(session, step.id, None, code, given, now=now, key=key, door="prefect")
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
    refusal = prove(session, step, None, _code_in(filled), now=now, key=here.key)
    if refusal is not None:
        return False, refusal.why
    to, reason = str(filled.get("assign_to", "")).strip(), str(filled.get("reason", "")).strip()
    try:
        if not to or not reason:
            raise NotAllowed("A reviewer's address and a reason are both needed.")
        reassign(session, step.id, to, reason, step.assignee, now=now, key=here.key)
    except LabelsError as error:
        step.refused = str(error)
        note(
            session, application, step.assignee, NOT_ACCEPTED, now,
            step=step.id, news=False, door="prefect", because=step.refused,
        )  # fmt: skip
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
        note(session, application, who, what, here.now(), step=which, news=False, door="prefect", because=why)


def _variables_in(filled: Mapping[str, Any]) -> str | None:
    """Why an answer is refused into which Prefect's server has put the value of a variable of its own.

    The server fills `{"__prefect_kind": "workspace_variable"}` in, also read as JSON, before anybody can
    look at the answer; this keeps such a value from ending in a letter. It can only be the whole of a
    field: words that happen to contain a variable's value are a person's own.
    """
    texts = {value.strip() for value in filled.values() if isinstance(value, str)} - {""}
    with get_client(sync_client=True) as client:
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
