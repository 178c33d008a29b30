"""The commands of coordinators: reassign, takeover, send-back, deadline, another, decision, conflict."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.acting import act
from cli.words import (
    As,
    AsJson,
    Code,
    OneApplication,
    OneStep,
    Reason,
    plain,
)
from labels.clock import read_deadline
from labels.errors import Fault, InvalidInput
from usecases import coordinating


def reassign(
    step: OneStep,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who shall review instead.", callback=plain)],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator gives a reviewer's seat to somebody else."""
    act(coordinating.reassign(step, to, reason), email, code, as_json)


def takeover(step: OneStep, reason: Reason, email: As, code: Code, as_json: AsJson = False) -> None:
    """A coordinator takes a reviewer's step over."""
    reassign(step=step, to=email, reason=reason, email=email, code=code, as_json=as_json)


def send_back(step: OneStep, reason: Reason, email: As, code: Code, as_json: AsJson = False) -> None:
    """A coordinator sends a review back as a draft.

    Whoever gave it is told the reason, goes over it and sends it again; until the decision.
    """
    act(coordinating.send_back(step, reason), email, code, as_json)


def deadline(
    step: OneStep,
    until: Annotated[
        str, typer.Option(help="YYYY-MM-DD (to the end of the day) or YYYY-MM-DDTHH:MM, in Brussels.")
    ],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator moves one person's deadline."""
    try:
        moment = read_deadline(until)
    except ValueError as error:
        raise InvalidInput("--until", [Fault("--until", f"{error}.")]) from None
    act(coordinating.move_deadline(step, moment, reason), email, code, as_json)


def another(
    application: OneApplication,
    reason: Reason,
    email: As,
    code: Code,
    to: Annotated[
        str, typer.Option(metavar="EMAIL", help="Who shall review; else the rules choose.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """A coordinator calls one more reviewer, where the rules allow it."""
    act(coordinating.another(application, to, reason), email, code, as_json)


def decision(
    step: OneStep,
    ruling: Annotated[
        str,
        typer.Argument(
            metavar="award|refuse|another", help="another: one more reviewer is called first.", callback=plain
        ),
    ],
    reason: Reason,
    email: As,
    code: Code,
    to: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="With another: who shall review; else the rules choose.", callback=plain
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """A coordinator decides, where the rules leave it to a person.

    Of an award or a refusal, the applicant reads the reason.
    """
    act(coordinating.decide(step, ruling.lower(), reason, to), email, code, as_json)


def conflict(
    application: OneApplication,
    reviewer: Annotated[
        str, typer.Option(metavar="EMAIL", help="Who has the conflict of interest.", callback=plain)
    ],
    reason: Reason,
    email: As,
    code: Code,
    lift: Annotated[
        bool, typer.Option("--lift", help="It was declared by mistake: they may be asked again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A coordinator declares a reviewer's conflict of interest, or lifts one.

    A review given in spite of it is taken back.
    """
    wanted = coordinating.lift_conflict if lift else coordinating.declare_conflict
    act(wanted(application, reviewer, reason), email, code, as_json)
