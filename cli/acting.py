"""How a command does what a person asks for: one use case, proved by the code from their mail."""

from __future__ import annotations

from adapters.workspace import existing_workspace
from cli.mending import advice
from cli.output import emit, fail, say
from labels.steps.proof import Code
from labels.turn import Door
from usecases.acts import Act
from usecases.performing import Performed, perform


def act(what: Act, email: str, code: str, as_json: bool) -> None:
    """Does it and says what was done.

    Raises:
        LabelsError: it was refused.
    """
    done = perform(existing_workspace(), what, by=Code(code, email), door=Door.COMMAND_LINE)
    tell(done, done.accepted.application, as_json)


def tell(done: Performed, subject: str, as_json: bool) -> None:
    """Says what was done. Where Prefect is away, what was done comes first: it is in the record and counts."""
    remark = f"{done.accepted.remark}{advice(done.accepted.mend)}"
    if done.outage:
        say(remark, "green")
        fail(done.outage)
    if done.waiting:
        say(done.waiting)
    say_done(subject, remark, as_json)


def say_done(subject: str, remark: str, as_json: bool) -> None:
    """One thing that is done, for people or for a program."""
    if as_json:
        emit({"subject": subject, "remark": remark})
    else:
        say(remark, "green")
