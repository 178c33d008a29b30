"""The commands of coordinators: reassign, takeover, deadline, conflict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from adapters.mail.post import send_due
from adapters.workspace import Workspace, existing_workspace
from cli.acting import accepted, application_of, went_on
from cli.words import As, AsJson, Code, OneApplication, OneStep, Reason, plain
from labels.answering import deadlines, proving
from labels.clock import BRUSSELS, end_of_day
from labels.errors import Fault, InvalidInput
from labels.reviews import coordinating
from labels.steps.step import held


def _coordinate(
    application: str, email: str, code: str, act: Callable[[Any, Workspace], str]
) -> tuple[Workspace, str]:
    """One action of a coordinator: the code is spent and the action done together, or neither is."""
    here = existing_workspace()
    with here.record.writing() as session:
        its = held(session, application)
        refusal = proving.act_as_coordinator(here.turn(session), its, email, code)
        remark = act(session, here) if refusal is None else ""
    accepted(refusal, here, application)  # only now, when a wrong code is counted
    send_due(here)
    return here, remark


def reassign(
    step: OneStep,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who shall review instead.", callback=plain)],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator gives a reviewer's seat to somebody else."""

    def act(session: Any, here: Workspace) -> str:
        new = coordinating.reassign(here.turn(session), step, to, reason, email)
        return f"{to} is asked to review ({new.id})."

    application = application_of(step)
    here, remark = _coordinate(application, email, code, act)
    went_on(here, application, as_json, remark)


def takeover(step: OneStep, reason: Reason, email: As, code: Code, as_json: AsJson = False) -> None:
    """A coordinator takes a reviewer's step over."""
    reassign(step=step, to=email, reason=reason, email=email, code=code, as_json=as_json)


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
        moment = end_of_day(date.fromisoformat(until)) if len(until) == 10 else datetime.fromisoformat(until)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=BRUSSELS)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(
            "--until", [Fault("--until", f'"{until}" is no date; expected YYYY-MM-DD or YYYY-MM-DDTHH:MM.')]
        ) from None

    def act(session: Any, here: Workspace) -> str:
        return deadlines.move_deadline(here.turn(session), step, moment, reason, email)

    application = application_of(step)
    here, remark = _coordinate(application, email, code, act)
    went_on(here, application, as_json, remark)


def conflict(
    application: OneApplication,
    reviewer: Annotated[
        str, typer.Option(metavar="EMAIL", help="Who has the conflict of interest.", callback=plain)
    ],
    reason: Reason,
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """A coordinator declares a reviewer's conflict of interest.

    A review given in spite of it is taken back.
    """

    def act(session: Any, here: Workspace) -> str:
        coordinating.declare_conflict(here.turn(session), application, reviewer, reason, email)
        return f"{reviewer} judges nothing of this applicant any more."

    here, remark = _coordinate(application, email, code, act)
    went_on(here, application, as_json, remark)
