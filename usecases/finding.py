"""Finding somebody or something in the registry and among the cases, as one types."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.record.schema import School
from labels.record.turns import Alone, wait_until_alone
from labels.registry.search_index import fill, is_empty
from labels.views.finding import SHOWN, Found
from labels.views.finding import find as find_in
from labels.words.text import clean


def find(here: Workspace, words: str, organisations: Collection[str] | None, *, shown: int = SHOWN) -> Found:
    """What is found by these words, of the schools and cases of some organisations; None for those of all.

    It writes nothing: a record of an earlier version, whose registry has no index yet, gets one with the next upkeep.
    """
    if not clean(words).strip():
        return Found("", {})
    with here.record.reading() as session:
        if _waits(session):
            return Found(words, {}, waits=True)
        return find_in(session, words, organisations, shown=shown)


def make_index(here: Workspace) -> bool:
    """Makes the index where the registry has none yet; whether it did."""
    with here.record.reading() as session:
        if not _waits(session):
            return False
    with here.record.writing() as session:
        wait_until_alone(session, Alone.MAKING_THE_INDEX)
        if waits := _waits(session):
            fill(session.connection())
        return waits


def _waits(session: Session) -> bool:
    return is_empty(session.connection()) and session.scalar(sa.select(School.id).limit(1)) is not None
