"""Lists of applications that somebody comes back to."""

from __future__ import annotations

from adapters.workspace import Workspace
from labels.people import saved_lists
from labels.record.schema import SavedList
from labels.turn import Door


def lists_of(here: Workspace, person: str) -> list[SavedList]:
    """Somebody's lists, by name."""
    with here.record.reading() as session:
        return saved_lists.saved_lists(session, person)


def save(here: Workspace, person: str, name: str, query: str) -> None:
    """Keeps a list under a name.

    Raises:
        NotAllowed: as `labels.people.saved_lists.save`.
    """
    with here.record.writing() as session:
        saved_lists.save(here.turn(session, Door.DESK), person, name, query)


def forget(here: Workspace, person: str, name: str) -> None:
    """Keeps a list no longer."""
    with here.record.writing() as session:
        saved_lists.forget(here.turn(session, Door.DESK), person, name)
