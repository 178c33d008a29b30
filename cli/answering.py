"""The commands of those who are asked: answer, code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from adapters.mail.post import send_due
from adapters.workspace import Workspace, existing_workspace
from cli.acting import accepted, application_of, done, went_on
from cli.output import fail
from cli.words import As, AsJson, Code, OneStep, plain, read_json
from labels.answering import accepting, proving
from labels.errors import NotMailed
from labels.mail import outbox
from labels.pupil_label import classes
from labels.rules.kept import rules_of
from labels.steps.answers import Answer, read_answer
from labels.steps.outcome import Accepted
from labels.steps.step import seen
from usecases.applying import store_evidence


def answer(
    step: OneStep,
    file: Annotated[Path, typer.Argument(help="The answer, as JSON; see `labels schema`.")],
    email: As,
    code: Code,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(help="A file that goes with a school's self-assessment; several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A person's answer to a step.

    A review, a question, a reason to decline, information, or a school's self-assessment.
    """
    given = read_answer(read_json(file), file.name)
    answered(step, email, code, given, evidence or [], as_json)


def answered(
    step: str, email: str, code: str, given: Answer, evidence: Sequence[Path], as_json: bool
) -> None:
    """Gives an answer to a step and wakes the run that waits for it."""
    here = existing_workspace()
    application = application_of(step)
    documents = []
    if evidence:
        with here.record.reading() as session:
            edition = rules_of(session, seen(session, application))
        documents = store_evidence(here, evidence, edition)
    with here.record.writing() as session:
        result = accepting.answer(
            here.turn(session, "command line"), step, email, code, given, documents=documents
        )
    remark = accepted(result, here, application)
    assert isinstance(result, Accepted)
    went_on(here, result.application, as_json, remark)


def code(
    subject: Annotated[str, typer.Argument(metavar="STEP|APPLICATION|AWARD", callback=plain)],
    email: As,
    as_json: AsJson = False,
) -> None:
    """Mail a fresh one-time code to a person.

    For a step of theirs, for an action as a coordinator, or, to the teacher who holds an award, for the
    certificates of a class.
    """
    here = existing_workspace()
    if _mailed_for_a_class(here, subject, email):
        done(as_json, subject, f"A code for {subject} is on its way to {email}.")
        return
    with here.record.writing() as session:
        step = proving.send_code(here.turn(session), subject, email)
        application = proving.find_step(session, step).application
    send_due(here, application)
    with here.record.reading() as session:
        if why := outbox.held_up(session, step):
            fail(NotMailed(f"The code for {step} could not be mailed yet and is sent later. {why}"))
    done(as_json, step, f"A code for {step} is on its way to {email}.")


def _mailed_for_a_class(here: Workspace, subject: str, email: str) -> bool:
    """Mails the code for a class if that is what is asked for."""
    with here.record.writing() as session:
        if not classes.is_for_a_class(session, subject, email):
            return False
        rules = classes.rules_for(session, subject, here.now(), here.settings.rules)
        reason = classes.send_code(here.turn(session), subject, email, rules)
    send_due(here)
    with here.record.reading() as session:
        if why := outbox.not_out(session, reason):
            fail(NotMailed(f"The code for {subject} could not be mailed yet and is sent later. {why}"))
    return True
