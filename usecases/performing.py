"""The one way in: an act is proved, done and recorded once, whichever door it came through; then mail goes out and runs are woken."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.errors import LabelsError, OutOfReach
from labels.mail.outbox import has_queued
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.turn import Door
from usecases.acts import Act


@dataclass(frozen=True, slots=True)
class Performed:
    """An act that is in the record, and how the news of it went."""

    accepted: Accepted
    waiting: str = ""
    """What keeps a run from looking at it at once; it does so when it is free, or at the next recovery."""
    outage: OutOfReach | None = None
    """Prefect, or the record, is away since: the act counts, and what follows goes on once it is back."""


def perform(here: Workspace, act: Act, *, by: Proof, door: Door, mail: bool = True) -> Performed:
    """Does what a person asks for: one transaction, then mail, then the runs that it concerns look at it.

    `mail`: whether its mail goes out at once; else whoever asks sees to it.

    Raises:
        LabelsError: it was refused. What the refusal counts and notes is in the record.
        OutOfReach: the record does not answer; nothing was done, or it is not known.
    """
    with here.record.writing() as session:
        outcome = act(here.turn(session, door, known_by=by.known_by), by)
    return tell(here, settled(here, outcome), mail=mail and has_queued(session))


def settled(here: Workspace, outcome: Accepted | Refusal) -> Accepted:
    """What was accepted; a refusal is raised, once the mail with a new code has gone out.

    Raises:
        LabelsError: it was refused.
    """
    if isinstance(outcome, Refusal):
        raise refused(here, outcome)
    return outcome


def refused(here: Workspace, refusal: Refusal) -> LabelsError:
    """A refusal as an error, once the mail with a new code has gone out."""
    if refusal.mailed:
        mailed(here, refusal.mailed)
    return refusal.as_error()


def mailed(here: Workspace, application: str | None) -> OutOfReach | None:
    """Sends the mail of what is recorded; what keeps it from going out, if anything does: it counts all the same."""
    try:
        send_due(here, application)
    except OutOfReach as error:
        return OutOfReach(error.service, error.detail, FOLLOWS)
    except LabelsError as error:
        return OutOfReach("The mail", f"{error}", FOLLOWS)
    return None


FOLLOWS = "It is recorded; mail and what else follows go on by themselves."
"""Where something failed after what somebody did was committed."""


def tell(here: Workspace, accepted: Accepted, *, mail: bool = True) -> Performed:
    """Sends the mail of an accepted act, if it has any, and has the runs that it concerns look at the record.

    An act without mail, such as saving a draft, does not wait for what others have in the outbox.
    """
    unsent = mailed(here, accepted.application or None) if mail else None
    if unsent or not accepted.news_for:
        return Performed(accepted, outage=unsent)
    # Prefect takes a second to load, and an act that is refused does not need it.
    from adapters.prefect.client import prefect_client
    from usecases.running import wake

    try:
        with prefect_client() as client:
            woken = [wake(here, client, one) for one in accepted.news_for]
    except OutOfReach as error:
        return Performed(accepted, outage=error)
    return Performed(accepted, waiting=next((one.remark for one in woken if not one.done), ""))
