"""Who is on the staff of organisations: somebody is entered or changed, leaves, now or on a day to come, or is on it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from adapters.fonts import missing_characters
from adapters.workspace import Workspace
from labels.answering import leaving, own_staff
from labels.answering.leaving import Departure, Whose
from labels.answering.own_staff import Changes, Entry, File
from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.kinds import Wish
from labels.people.leaving import Left
from labels.registry.staff_file import Own
from labels.reviews import wishing
from labels.steps.outcome import Accepted
from labels.turn import Door, Turn
from labels.words.sentences import say
from usecases.acts import Act, as_coordinator_of
from usecases.performing import Performed, tell

T = TypeVar("T")


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


# One's own organisation's, by its coordinators ----------------------------------------------------


class _TriedOut(Exception):
    """Takes what was only tried out out of its transaction, which is thrown away."""


def _tried(here: Workspace, work: Callable[[Turn], T]) -> T:
    """What some work would come to; changes nothing."""
    found: list[T] = []
    try:
        with here.record.writing() as session:
            found.append(work(here.turn(session, Door.DESK)))
            raise _TriedOut
    except _TriedOut:
        return found[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change of an organisation's staff that a coordinator wants: somebody new, another entry, or a whole file."""

    organisation: str
    entry: Entry | None = None
    former: Entry | None = None
    file: File | None = None

    def done(self, turn: Turn) -> Changes:
        """The change, within a turn.

        Raises:
            InvalidInput: what is wrong with it.
        """
        if self.file is not None:
            return own_staff.bring_in(turn, Own(self.organisation), self.file, missing_characters)
        if self.entry is None:
            raise ValueError("nothing is wanted")
        if self.former is None:
            return own_staff.enter(turn, self.organisation, self.entry, missing_characters)
        return own_staff.change(turn, self.organisation, self.former, self.entry, missing_characters)


def look(here: Workspace, wanted: Wanted) -> Changes:
    """What a change would do; nothing is changed.

    Raises:
        InvalidInput: what is wrong with it.
    """
    return _tried(here, wanted.done)


CHANGED_MEANWHILE = say(
    "Nothing was done: something has changed since you saw this. Look at it, and confirm again."
)


def change(wanted: Wanted, word: str) -> Act:
    """A coordinator has their staff changed as `look` showed it, whose word it is."""

    def do(turn: Turn) -> Accepted:
        changes = wanted.done(turn)
        if changes.word != word:
            raise NotAllowed(CHANGED_MEANWHILE)
        return _accepted(changes.departures, made=changes.entered[0].id if changes.entered else "")

    return as_coordinator_of(lambda session: [wanted.organisation], do)


def what_leaving_moves(here: Workspace, organisation: str, entry: Entry) -> tuple[Departure, ...]:
    """What would go to whom if somebody left today; nothing is changed."""
    return _tried(
        here, lambda turn: tuple(own_staff.leave(turn, organisation, entry, brussels_day(turn.now)))
    )


def leaves(organisation: str, entry: Entry, on: date, word: str) -> Act:
    """A coordinator records that somebody leaves on a day; today it is done as it was shown, whose word it is."""

    def do(turn: Turn) -> Accepted:
        departures = tuple(own_staff.leave(turn, organisation, entry, on))
        if departures and own_staff.word_of(departures) != word:
            raise NotAllowed(CHANGED_MEANWHILE)
        return _accepted(departures)

    return as_coordinator_of(lambda session: [organisation], do)


def is_back(organisation: str, person: str, role: str) -> Act:
    """A coordinator records that somebody who left, or was to, is on the staff."""

    def do(turn: Turn) -> Accepted:
        own_staff.rejoin(turn, organisation, person, role)
        return _accepted(())

    return as_coordinator_of(lambda session: [organisation], do)


def wishes(organisation: str, person: str, application: str, wish: Wish) -> Act:
    """A coordinator records what a reviewer says of judging an application."""

    def do(turn: Turn) -> Accepted:
        wishing.record(turn, organisation, person, application, wish)
        return _accepted(())

    return as_coordinator_of(lambda session: [organisation], do)


def _accepted(departures: tuple[Departure, ...], made: str = "") -> Accepted:
    concerned = tuple(dict.fromkeys(one for each in departures for one in each.applications))
    return Accepted("", "The staff is as you wanted it.", made=made, concerned=concerned)
