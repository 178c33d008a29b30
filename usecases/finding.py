"""Finding somebody or something in the registry and among the cases, as one types."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.record.schema import School
from labels.registry.search_index import fill, is_empty
from labels.views.finding import SHOWN, Found
from labels.views.finding import find as find_in


def find(here: Workspace, words: str, organisations: Collection[str] | None, *, shown: int = SHOWN) -> Found:
    """What is found by these words, of the schools and cases of some organisations; None for those of all.

    A record of an earlier version has a registry and no index yet: it gets one with the first question.
    """
    with here.record.reading() as session:
        connection = session.connection()
        ready = not is_empty(connection) or session.scalar(sa.select(School.id).limit(1)) is None
        if ready:
            return find_in(session, words, organisations, shown=shown)
    with here.record.writing() as session:
        if is_empty(session.connection()):
            fill(session.connection())
        return find_in(session, words, organisations, shown=shown)
