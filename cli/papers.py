"""The commands about papers that were issued: whether one is genuine, and issuing it anew with a correction."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.papers.checking import check_file
from adapters.workspace import existing_workspace
from cli.output import emit, out, say, say_plainly, table
from cli.words import AsJson, WithoutAs, WithoutCode, WithoutReason, plain, proofs
from labels.errors import Fault, InvalidInput
from labels.papers.codes import looks_like_a_code, read_code
from labels.papers.verifying import LABELS, PaperState, Verification, by_code
from labels.revoking import correcting
from labels.steps import proof
from labels.turn import Door
from usecases import correcting as taking_back

_COLOURS = {PaperState.VALID: "bold green", PaperState.ALTERED: "bold red", PaperState.REVOKED: "bold red"}


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


def _tell(verdict: Verification, by_its_file: bool) -> None:
    out.print(verdict.state.value.upper(), style=_COLOURS.get(verdict.state, "bold yellow"))
    say_plainly(verdict.why)
    if verdict.because:
        say_plainly(f"Its holder was told why: {verdict.because}")
    if verdict.signature:
        say_plainly(verdict.signature.why)
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
    table(f"\n{title}", ["", ""], [(name, value) for name, value in facts if value])


# Issuing anew ------------------------------------------------------------------------------------


def reissue(
    paper: Annotated[
        str,
        typer.Argument(metavar="NUMBER|CODE", help="Of a certificate, e.g. NQL-….", callback=plain),
    ],
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    as_json: AsJson = False,
) -> None:
    """Issue a certificate anew, with what the registry says now.

    Shows first what changes; with --as, --code and --reason does it. The former one is superseded.
    """
    here = existing_workspace()
    with here.record.reading() as session:
        award = correcting.award_of(session, paper)
        shown = correcting.correction(session, award, here.stamp)
        by = correcting.authority(session, award)
    given = proofs(email, code, reason)
    if not given:
        _tell_correction(shown, as_json, done=False)
        if not as_json:
            say(
                f"To do this: labels code {by} --as EMAIL, then the same command with --as, --code and --reason"
            )
        return
    shown = taking_back.reissue(here, award, reason, by=proof.Code(code, email), door=Door.COMMAND_LINE)
    _tell_correction(shown, as_json, done=True)


def _tell_correction(shown: correcting.Correction, as_json: bool, *, done: bool) -> None:
    code = getattr(shown.due.facts, "code", None)
    if as_json:
        changes = [{"what": one.what, "was": one.was, "now": one.now} for one in shown.changes]
        emit({"number": shown.award, "done": done, "code": code if done else None, "changes": changes})
        return
    rows = [(one.what, one.was or None, one.now or None) for one in shown.changes]
    table(
        "Corrected" if done else "What changes",
        ["what", "was", "now"],
        rows or [("(all)", "not recorded", "as the registry says")],
    )
    if done:
        say(f"Issued anew with the code {code}; its holder gets it by mail.", "green")
