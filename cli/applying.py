"""The commands of applicants: submit, withdraw, appeal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.prefect.client import prefect_client
from adapters.prefect.runs import start
from adapters.workspace import Workspace, existing_workspace
from cli.acting import act
from cli.mending import advice
from cli.output import emit, fail, out, say
from cli.words import As, AsJson, Code, OneApplication, read_json
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.files import opened
from labels.record.schema import Stage
from labels.views.case import case_of
from labels.words.text import clean, has_words
from usecases import applying
from usecases.applying import checked, faults_of, submit_file
from usecases.drafting import check_file
from usecases.performing import mailed
from usecases.recovering import recover

GROUNDS = 20_000
"""Characters in the grounds of an appeal: eight printed pages, and a bound on abuse."""


def submit(
    file: Annotated[Path, typer.Argument(help="The application, as JSON.")],
    evidence: Annotated[list[Path] | None, typer.Option(help="A file of evidence; may be repeated.")] = None,
    again: Annotated[
        bool, typer.Option(help="The same file anew, where it did not meet the conditions before.")
    ] = False,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only say what would keep it from being judged; hand nothing in.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register an application and its documents; start its run.

    The same again is the same one, unless that was withdrawn.
    """
    here = existing_workspace()
    if only_check:
        _check(here, file, evidence or [], as_json)
        return
    done = submit_file(here, _read(file, evidence or []), file.name, evidence or [], again=again)
    outage = mailed(here, done.application)
    with here.record.reading() as session:
        view = case_of(session, done.application)
    if view.stage != Stage.CLOSED:
        try:
            with prefect_client() as client:
                if done.created:
                    start(here, client, done.application)
                else:
                    recover(here, client, application_id=done.application)
        except OutOfReach as error:
            outage = error
        with here.record.reading() as session:
            view = case_of(session, done.application)
    remark = done.remark + advice(done.mend)
    if as_json:
        emit(
            {
                "application": done.application, "run": view.run, "created": done.created,
                "stage": view.stage, "outcome": view.outcome, "remark": remark,
            }
        )  # fmt: skip
    else:
        out.print(done.application)
        say(remark)
        say(f"See where it stands: labels show {done.application}")
    if outage:
        fail(outage)


def _read(file: Path, evidence: list[Path]) -> Any:
    """The JSON value in an application's file.

    Raises:
        InvalidInput: there is none; says what is wrong with the evidence, too.
    """
    try:
        return read_json(file)
    except InvalidInput as error:
        raise InvalidInput(error.subject, [*error.faults, *faults_of(evidence)]) from None


def _check(here: Workspace, file: Path, evidence: list[Path], as_json: bool) -> None:
    """Says all that would keep the file from being judged if it were handed in now, as the desk does.

    Raises:
        InvalidInput: the file is no application, a file of its evidence is not taken, or conditions are not met.
    """
    now = here.now()
    application, _, _ = checked(here, _read(file, evidence), file.name, evidence, now)
    edition, unmet = check_file(here, application, now)
    if as_json:
        emit(
            {
                "rules": edition.version,
                "unmet": [{"code": one.code, "problem": one.problem, "remedy": one.remedy} for one in unmet],
            }
        )
    if unmet:
        raise InvalidInput(file.name, [Fault(one.code, one.problem, one.remedy) for one in unmet])
    if not as_json:
        say(f"Nothing stands in its way ({edition.version}). Nothing was handed in.", "green")


def withdraw(application: OneApplication, email: As, code: Code, as_json: AsJson = False) -> None:
    """Take an application back, at any time before the decision."""
    act(applying.withdraw(application), email, code, as_json)


def appeal(
    application: OneApplication,
    email: As,
    code: Code,
    grounds: Annotated[Path, typer.Option(help="A text file that says what was wrong.")],
    as_json: AsJson = False,
) -> None:
    """Appeal against a refusal, where the rules have it.

    Other people judge the application anew.
    """
    try:
        with io.TextIOWrapper(opened(grounds), encoding="utf-8-sig") as file:
            text = clean(file.read(4 * GROUNDS)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            str(grounds), [Fault("(whole file)", f"can't be read as text: {error}.")]
        ) from None
    if not has_words(text):
        problem = f"{'says nothing' if text else 'is empty'}; say what was wrong."
        raise InvalidInput(str(grounds), [Fault("(whole file)", problem)])
    if len(text) > GROUNDS:
        too_long = Fault("(whole file)", f"has more than {GROUNDS} characters.", "Say it in fewer.")
        raise InvalidInput(str(grounds), [too_long])
    act(applying.appeal(application, text), email, code, as_json)
