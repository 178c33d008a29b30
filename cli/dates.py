"""A date that is the same for many, dates: of a round of the School Label, of a year of the European one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from adapters.workspace import existing_workspace
from cli.acting import tell
from cli.output import emit, say, table
from cli.words import AsJson, WithoutAs, WithoutCode, WithoutReason, plain
from labels.answering.dates import Plan, Subject
from labels.clock import read_deadline
from labels.errors import Fault, InvalidInput
from labels.record.schema import StepKind
from labels.steps.proof import Code
from labels.turn import Door
from usecases import dates as usecases

What = Literal["self-assessment", "screening", "award"]
KINDS = {
    "self-assessment": StepKind.SELF_ASSESSMENT,
    "screening": StepKind.SCREENING,
    "award": StepKind.AWARDING,
}


def dates(
    what: Annotated[What, typer.Argument(help="self-assessment, screening or award.")],
    year: Annotated[int, typer.Argument(metavar="YEAR", help="The round’s, or the cycle’s.")],
    until: Annotated[
        str,
        typer.Option(
            help="The new date, YYYY-MM-DD; it goes to the end of a working day of each country.",
            callback=plain,
        ),
    ],
    organisation: Annotated[
        str, typer.Option(metavar="ID", help="One organisation’s part alone.", callback=plain)
    ] = "",
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    seen: Annotated[
        str,
        typer.Option(
            "--plan",
            metavar="DIGEST",
            help="What was shown, by its digest: all of it is done, or nothing.",
            callback=plain,
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Move a date for all: of a round of the School Label, or of a year of the European one.

    self-assessment: until when schools hand in. screening: until when organisations screen. award: until when the Central
    Support Service awards. Shows first whom it concerns; with --plan, --as, --code and --reason does all of it or nothing.
    """
    try:
        moment = read_deadline(until)
    except ValueError as error:
        raise InvalidInput("dates", [Fault("--until", f"{error}.")]) from None
    subject = Subject(KINDS[what], year, organisation)
    here = existing_workspace()
    given = {"--plan": seen, "--as": email, "--code": code, "--reason": reason.strip()}
    if any(given.values()):
        if missing := [name for name, one in given.items() if not one]:
            faults = [Fault(name, "is needed together with the others.") for name in missing]
            raise InvalidInput("dates", faults)
        _, done = usecases.move(
            here, subject, moment, seen, reason, by=Code(code, email), door=Door.COMMAND_LINE
        )
        tell(done, f"{what} {year}", as_json)
        return
    found = usecases.plan(here, subject, moment)
    _show(found, as_json)
    if not as_json:
        by = organisation or "CSS"
        say(
            f"Nothing was changed yet. To do it: labels code {by} --as EMAIL, then the same command with --as, --code,"
        )
        say(f"--reason and --plan {found.digest}")


def _show(found: Plan, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "plan": found.digest,
                "people": found.people,
                "parts": [
                    {
                        "organisation": one.organisation,
                        "former": one.former,
                        "until": one.until,
                        "applications": one.applications,
                        "people": one.people,
                        "longer": one.longer,
                    }
                    for one in found.parts
                ],
            }
        )
        return
    table(
        "What will happen",
        ["organisation", "due", "then due", "applications", "people", "have more time"],
        [
            (one.organisation, one.former, one.until, one.applications, one.people, one.longer)
            for one in found.parts
        ],
    )
