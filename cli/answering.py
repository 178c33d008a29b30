"""The commands of those who are asked: answer, code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import Workspace, existing_workspace
from cli.acting import act, say_done
from cli.words import As, AsJson, Code, OneStep, plain, read_json
from labels.answering.proving import find_step
from labels.applications.documents import StoredDocument
from labels.rules.kept import rules_of
from labels.steps.answers import Answer, read_answer
from labels.steps.step import seen
from labels.turn import Door
from usecases import answering
from usecases.applying import store_evidence


def answer(
    step: OneStep,
    file: Annotated[Path, typer.Argument(help="The answer, as JSON; see `labels schema`.")],
    email: As,
    code: Code,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file that goes with a school's self-assessment or the answer to a question; several times."
        ),
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
    documents = stored_evidence(existing_workspace(), step, evidence) if evidence else []
    act(answering.answer(step, given, documents), email, code, as_json)


def stored_evidence(here: Workspace, step: str, evidence: Sequence[Path]) -> list[StoredDocument]:
    """Files that go with an answer to a step, in the document store, within what its rules allow."""
    if not evidence:
        return []
    with here.record.reading() as session:
        application = seen(session, find_step(session, step).application)
        edition = rules_of(session, application)
    return store_evidence(here, evidence, edition)


def code(
    subject: Annotated[str, typer.Argument(metavar="STEP|APPLICATION|ORGANISATION|AWARD", callback=plain)],
    email: As,
    as_json: AsJson = False,
) -> None:
    """Mail a person their one-time code.

    For a step of theirs, for an action as a coordinator of an application or of an organisation's people, or, to the teacher who holds an award, for the
    certificates of a class.
    """
    what = answering.mail_code(existing_workspace(), subject, email, Door.COMMAND_LINE)
    say_done(what, f"A code for {what} is on its way to {email}.", as_json)
