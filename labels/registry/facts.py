"""Keeps facts of their time while new files come in: what was stays, and what does not go together is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.registry.contradictions import Contradictions
from labels.registry.files import RegistryFile
from labels.registry.moves import Moves
from labels.registry.reading import Faults
from labels.registry.taken_back import TakenBack

Has = Callable[[str, str], bool]
"""Whether a table's file is there and has an optional column."""


class Facts:
    """Goes along with an import, table by table, in the order of the files."""

    def __init__(
        self,
        connection: sa.Connection,
        today: date,
        present: Iterable[tuple[int, RegistryFile, Any]],
        faults: Faults,
        has: Has,
    ) -> None:
        self._files = {file.table: (rank, file) for rank, file, _ in present}
        self._has = has
        self._moves = Moves(connection, today, faults)
        self._contradictions = Contradictions(connection, self._files, faults)
        rank, awards = self._files.get("award", (0, None))
        self._taken_back = TakenBack(connection, rank, awards.name if awards else "", faults)
        self.moved = 0
        """Teachers who are in another school than before."""

    def before(self, table: str) -> None:
        """Compares a table's staged rows with the record's, before they are merged."""
        rank, file = self._files[table]
        if table == "teacher":
            self.moved = self._moves.of_teachers(rank, file.name, self._has(table, "school_since"))
        elif table == "staff":
            self._moves.of_staff()
        elif table == "member":
            self._contradictions.tell_members_gone()
            if self._has(table, "school"):
                self._contradictions.keep_former_schools(table)
        elif table == "award":
            self._contradictions.keep_former_schools(table)
            if self._has(table, "revoked_on"):
                self._taken_back.compare()

    def after(self, table: str) -> None:
        """Looks at a table once its rows are merged.

        Raises:
            InvalidInput: schools go on from each other in a circle.
        """
        if table == "school" and self._has(table, "succeeds"):
            self._contradictions.refuse_circles()

    def finish(self) -> None:
        """Does what needs all the tables."""
        if self._has("award", "revoked_on"):
            self._taken_back.settle()
        self._contradictions.tell(dated=self._has("teacher", "school_since"))
