"""Who is on the staff of organisations: somebody leaves, now or on a day to come, or is on it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from adapters.workspace import Workspace
from labels.answering import leaving
from labels.answering.leaving import Departure, Whose
from labels.clock import brussels_day
from labels.people.leaving import Left
from labels.steps.outcome import Accepted
from labels.turn import Door
from usecases.performing import Performed, tell


@dataclass(frozen=True, slots=True)
class Leaving:
    """What came of it that somebody leaves."""

    departures: tuple[Departure, ...]
    """None while the day is still to come."""
    performed: Performed | None = None
    """How the news went to the runs that it concerns; None where it concerns none."""


def leave(here: Workspace, whose: Whose, on: date | None) -> Leaving:
    """Somebody leaves a staff on a day, today where none is named; what is open goes to others then.

    Raises:
        NotFound, NotAllowed: as `labels.answering.leaving.leave`.
    """
    with here.record.writing() as session:
        turn = here.turn(session, Door.COMMAND_LINE)
        departures = tuple(leaving.leave(turn, whose, on or brussels_day(turn.now)))
    return Leaving(departures, _told(here, departures))


def rejoin(here: Workspace, whose: Whose) -> list[Left]:
    """Somebody who left, or was to leave, is on the staff.

    Raises:
        NotFound, NotAllowed: as `labels.answering.leaving.rejoin`.
    """
    with here.record.writing() as session:
        turn = here.turn(session, Door.COMMAND_LINE)
        return [
            Left(row.person, row.name, row.email, row.role, row.organisation, brussels_day(turn.now))
            for row in leaving.rejoin(turn, whose)
        ]


def end_due(here: Workspace) -> list[Departure]:
    """Lets everybody leave whose day has come; recovery wakes the runs that it concerns."""
    with here.record.writing() as session:
        return leaving.end_due(here.turn(session))


def _told(here: Workspace, departures: tuple[Departure, ...]) -> Performed | None:
    concerned = tuple(dict.fromkeys(one for each in departures for one in each.applications))
    if not concerned:
        return None
    return tell(here, Accepted(concerned[0], "", concerned=concerned))
