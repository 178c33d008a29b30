"""Lists of applications that somebody comes back to, by a name of their own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.record.schema import SavedList
from labels.turn import Turn
from labels.words.sentences import say
from labels.words.text import has_words, one_line

MOST = 30
"""Lists of one person."""
LONGEST = 60
"""Characters of a name."""
LONGEST_QUERY = 1_000


def saved_lists(session: Session, person: str) -> list[SavedList]:
    """Somebody's lists, by name."""
    return list(
        session.scalars(sa.select(SavedList).where(SavedList.person == person).order_by(SavedList.name))
    )


def save(turn: Turn, person: str, name: str, query: str) -> None:
    """Keeps a list under a name; what had that name is replaced.

    Raises:
        NotAllowed: the name says nothing, or they have as many lists as one can have.
    """
    called = one_line(name, LONGEST).strip()
    if not has_words(called):
        raise NotAllowed(say("A list needs a name."))
    if (
        turn.session.get(SavedList, (person, called)) is None
        and len(saved_lists(turn.session, person)) >= MOST
    ):
        raise NotAllowed(say("You have {most} lists: forget one first.", most=MOST))
    turn.session.merge(SavedList(person=person, name=called, query=query[:LONGEST_QUERY], saved_at=turn.now))


def forget(turn: Turn, person: str, name: str) -> None:
    """Keeps a list no longer."""
    found = turn.session.get(SavedList, (person, name))
    if found is not None:
        turn.session.delete(found)
