"""What coordinators do about a date that is the same for many: of a School Label's round, of a European cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapters.workspace import Workspace
from labels.answering import dates
from labels.answering.dates import Plan, Subject
from labels.steps.outcome import Accepted
from labels.steps.proof import Proof
from labels.turn import Door, Turn
from usecases.acts import as_coordinator_of, needs_words
from usecases.performing import Performed, mailed, perform

WOKEN = 5
"""Applications whose runs look at the record at once; upkeep sees to the others within ten minutes."""
WRITTEN_TO = 100
"""People who are written to at once; where there are more, upkeep sends the mail."""


def plan(here: Workspace, subject: Subject, until: datetime) -> Plan:
    """What would happen if a date were moved; changes nothing.

    Raises:
        LabelsError: as `labels.answering.dates.plan`.
    """
    with here.record.reading() as session:
        return dates.plan(session, subject, until, here.now())


def move(
    here: Workspace, subject: Subject, until: datetime, seen: str, reason: str, *, by: Proof, door: Door
) -> tuple[Plan, Performed]:
    """Moves a date for all whom it concerns, if that is what the plan of the digest `seen` showed.

    Raises:
        LabelsError: see `perform`; nothing was moved.
    """
    found: Plan | None = None

    def do(turn: Turn) -> Accepted:
        nonlocal found
        needs_words(reason)
        found = dates.move(turn, subject, until, seen, reason)
        told = "1 person is" if found.people == 1 else f"{found.people} people are"
        remark = f"The date is moved; {told} told by mail."
        return Accepted("", remark, made=found.digest, concerned=found.applications[:WOKEN])

    act = as_coordinator_of(lambda session: dates.authorities(session, subject), do)
    performed = perform(here, act, by=by, door=door, mail=False)
    assert found is not None
    if found.people <= WRITTEN_TO and (unsent := mailed(here, None)):
        performed = replace(performed, outage=performed.outage or unsent)
    return found, performed
