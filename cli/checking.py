"""`labels verify`: whether a certificate is genuine and still valid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, app, plain, worded
from cli.output import emit, say, table
from labels.check_codes import looks_like_a_code, read_code
from labels.errors import Fault, InvalidInput
from labels.verifying import LABELS, PaperState, Verdict, by_code
from tasks.checking import check_file
from tasks.workspace import existing_workspace

_COLOURS = {PaperState.VALID: "bold green", PaperState.ALTERED: "bold red", PaperState.REVOKED: "bold red"}


@app.command()
@worded
def verify(
    paper: Annotated[
        str,
        typer.Argument(
            metavar="FILE.pdf|CODE", help="The file, or the code that is printed on it.", callback=plain
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Whether a certificate is genuine and still valid, and why.

    A file proves what is written on it; a code, that there is such a certificate.
    """
    path = Path(paper)
    if not path.exists() and not looks_like_a_code(paper):
        problem = "is neither a file nor a code; a code looks like 7KQ4-M9XT-2A5B-C8DW."
        raise InvalidInput("verify", [Fault(paper, problem)])
    here = existing_workspace()
    if path.exists():
        verdict = check_file(here, path)
    else:
        with here.record.reading() as session:
            verdict = by_code(session, paper, here.stamp, now=here.now())
    if as_json:
        emit(verdict)
    else:
        _tell(verdict, read_code(paper) is None or path.exists())


def _tell(verdict: Verdict, by_its_file: bool) -> None:
    say(verdict.state.value.upper(), _COLOURS.get(verdict.state, "bold yellow"))
    say(verdict.why)
    if verdict.signature:
        say(verdict.signature.why)
    if verdict.label is None:
        return
    facts = [
        ("label", LABELS.get(verdict.label, verdict.label)),
        ("holder", verdict.holder),
        ("pupil", verdict.pupil),
        ("project", verdict.project),
        ("school", verdict.school),
        ("school year", verdict.school_year),
        ("organisation", verdict.organisation),
        ("awarded on", verdict.awarded_on),
        ("valid until", verdict.valid_until),
        ("number", verdict.number),
        ("code", verdict.code),
    ]
    of_the_code = verdict.state is PaperState.ALTERED or not by_its_file
    title = "What was issued with that code" if of_the_code else "What it states"
    table(title, ["", ""], [(name, value) for name, value in facts if value])
