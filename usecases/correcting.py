"""Corrections: a label, a nomination or a class's certificates taken back, a certificate issued anew."""

from __future__ import annotations

from dataclasses import replace

from adapters.papers.issuing import make
from adapters.workspace import Workspace
from labels.answering.proving import prove_coordinator
from labels.errors import NotAllowed, OutOfReach
from labels.record.schema import Application, Issued, Stage
from labels.revoking import correcting, redeciding, reopening
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.steps.step import locked, seen
from labels.turn import Door, Turn
from usecases.acts import Act, as_coordinator, as_coordinator_here, needs_words
from usecases.cycles import publish
from usecases.performing import FOLLOWS, Performed, perform, refused


def revoke_class(paper: str, award: str, reason: str) -> Act:
    """Takes back the certificates of one class; the label that it was made for stays."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        issued = turn.session.get_one(Issued, paper)
        correcting.not_ones_own(turn, award)
        correcting.revoke_class(turn, issued, reason)
        return Accepted(
            _case(turn, correcting.authority(turn.session, award)),
            f"The certificates of {issued.subject} are revoked.",
            concerned=(),
        )

    return as_coordinator_here(lambda session: correcting.authority(session, award), do)


def _case(turn: Turn, found: str) -> str:
    """The application that something is done by; none where it is done by an organisation alone."""
    return found if turn.session.get(Application, found) else ""


def reopen(
    here: Workspace, subject: reopening.Subject, plan: str, reason: str, *, by: Proof, door: Door
) -> tuple[reopening.Consequences, Performed]:
    """Takes back a label or a nomination with all that hangs on it, if that is what `plan` showed.

    The galleries that it stood in are made again.

    Raises:
        LabelsError: see `perform`; nothing was taken back.
    """
    found = reopening.Consequences()

    def do(turn: Turn) -> Accepted:
        nonlocal found
        needs_words(reason)
        found = reopening.reopen(turn, subject, plan, reason)
        waiting = [one for one in found.touched if seen(turn.session, one).stage is not Stage.CLOSED]
        return Accepted(
            _case(turn, reopening.authority(turn.session, subject)), "Done.", concerned=tuple(waiting)
        )

    act = as_coordinator_here(lambda session: reopening.authority(session, subject), do)
    performed = perform(here, act, by=by, door=door)
    return found, _published(here, found, performed)


def reopen_decision(
    here: Workspace, subject: redeciding.Reopened, plan: str, reason: str, *, by: Proof, door: Door
) -> tuple[reopening.Consequences, Performed]:
    """Reopens a decision with all that hangs on it, if that is what `plan` showed; its process goes on from there.

    The galleries that it stood in are made again.

    Raises:
        LabelsError: see `perform`; nothing was reopened.
    """
    found = reopening.Consequences()

    def do(turn: Turn) -> Accepted:
        nonlocal found
        needs_words(reason)
        found = redeciding.reopen(turn, subject, plan, reason)
        waiting = [one for one in found.touched if seen(turn.session, one).stage is not Stage.CLOSED]
        return Accepted(subject.application, "The decision is reopened.", concerned=tuple(waiting))

    performed = perform(here, as_coordinator(lambda session: subject.application, do), by=by, door=door)
    return found, _published(here, found, performed)


def _published(here: Workspace, found: reopening.Consequences, performed: Performed) -> Performed:
    """Makes the galleries again; upkeep does it where that fails, for what was done counts."""
    try:
        for year in found.years:
            publish(here, year, folder_too=False)
    except OutOfReach as error:
        later = OutOfReach(error.service, error.detail, FOLLOWS, error.mend)
        return replace(performed, outage=performed.outage or later)
    return performed


def reissue(here: Workspace, award: str, reason: str, *, by: Proof, door: Door) -> correcting.Correction:
    """Issues a certificate anew with what the registry says now; the former one is superseded.

    Whoever has not the right costs no rendering; the code is spent only with the entry in the record, so
    that what was interrupted in between can be asked for again.

    Raises:
        LabelsError: see `perform`; the former certificate stays.
    """
    needs_words(reason)
    with here.record.writing() as session:
        shown = correcting.correction(session, award, here.stamp)
        application = correcting.authority(session, award)
        proven = prove_coordinator(here.turn(session, door), locked(session, application), by)
    if isinstance(proven, Refusal):
        raise refused(here, proven)
    made = make(here, shown.due)

    def do(turn: Turn) -> Accepted:
        correcting.not_ones_own(turn, award)
        if correcting.correction(turn.session, award, here.stamp) != shown:
            raise NotAllowed("What it states changed meanwhile. Nothing was done: look at it again.")
        correcting.reissue(turn, shown, made, reason)
        return Accepted(application, "Issued anew; its holder gets it by mail.", concerned=())

    perform(here, as_coordinator(lambda session: application, do), by=by, door=door)
    return shown
