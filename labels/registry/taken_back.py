"""Labels that were taken back elsewhere, as `revoked_on` in the registry's file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from labels.clock import brussels_day, start_of_day
from labels.record.schema import Application, Award, CycleLabel
from labels.registry.files import Objection
from labels.registry.reading import Faults

_AWARD = cast("sa.Table", Award.__table__)
_STAGED = sa.table(
    "staged_award",
    *map(sa.column, ("id", "label", "teacher", "project", "school", "awarded_on", "revoked_on", "line")),
)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Brings `revoked_on` of a file and `revoked_at` of the record together.

    A label that was taken back here stays so, whatever a file says. One on which a year of the European Quality
    Label rests is not taken back by a file: a coordinator is shown what hangs on it first.
    """

    connection: sa.Connection
    rank: int
    file: str
    faults: Faults

    def compare(self) -> None:
        """Before the rows are merged: what a file no longer says, or says of labels that were awarded here."""
        said = sa.select(
            _AWARD.c.id, _AWARD.c.revoked_at, _AWARD.c.revoked_on, _STAGED.c.line, _STAGED.c.revoked_on.label("said")
        ).join_from(_STAGED, _AWARD, _AWARD.c.id == _STAGED.c.id)  # fmt: skip
        known = self.connection.execute(said.where(_AWARD.c.revoked_at.is_not(None)).order_by(_STAGED.c.line))
        for row in known.all():
            if row.revoked_on and row.revoked_at == start_of_day(row.revoked_on):
                if row.said != row.revoked_on.isoformat():
                    self._set(row.id, None)
                if not row.said:
                    problem = f"{row.id} was said to be taken back on {row.revoked_on}, and is no longer."
                    self._tell(row.line, problem, "It counts again.")
            elif not row.said:
                problem = f"{row.id} was taken back here on {brussels_day(row.revoked_at)}, and stays so."
                self._tell(row.line, problem, "Say in the file when it was taken back.")
        ours = (
            sa.select(_AWARD.c.id, _STAGED.c.line)
            .join_from(_STAGED, _AWARD, _same())
            .join(Application, Application.id == _AWARD.c.id)
            .where(_STAGED.c.id == "", _STAGED.c.revoked_on != "", _AWARD.c.revoked_at.is_(None))
            .order_by(_STAGED.c.line)
        )
        for identifier, line in self.connection.execute(ours):
            problem = f"{identifier} was awarded here, and is not taken back by a file."
            self._tell(
                line, problem, f"A coordinator takes {identifier} back, once they have seen what hangs on it."
            )

    def settle(self) -> None:
        """Takes back what the record's rows say was taken back elsewhere, where nothing rests on it."""
        rests = sa.exists().where(sa.or_(CycleLabel.award == _AWARD.c.id, CycleLabel.european == _AWARD.c.id))
        said = (
            sa.select(_AWARD.c.id, _AWARD.c.revoked_on, rests.label("rests"))
            .where(_AWARD.c.revoked_on.is_not(None), _AWARD.c.revoked_at.is_(None))
            .order_by(_AWARD.c.id)
        )
        for row in self.connection.execute(said).all():
            if row.rests:
                problem = f"{row.id} was taken back elsewhere on {row.revoked_on}, and a year’s European Quality Label rests on it."
                remedy = f"It is not taken back here yet: a coordinator sees what hangs on {row.id}, and takes it back."
                self._tell(0, problem, remedy)
            else:
                self._set(row.id, start_of_day(row.revoked_on))

    def _set(self, award: str, revoked_at: Any) -> None:
        self.connection.execute(sa.update(_AWARD).where(_AWARD.c.id == award).values(revoked_at=revoked_at))

    def _tell(self, line: int, problem: str, remedy: str) -> None:
        self.faults.remark(self.rank, self.file, line, "revoked_on", Objection(problem, remedy))


def _same() -> sa.ColumnElement[bool]:
    """Whether a staged row is of an award of the record."""
    return sa.and_(
        _AWARD.c.label == _STAGED.c.label,
        sa.or_(
            sa.and_(
                _STAGED.c.label != "school",
                _AWARD.c.teacher == _STAGED.c.teacher,
                _AWARD.c.project == _STAGED.c.project,
            ),
            sa.and_(
                _STAGED.c.label == "school",
                _AWARD.c.school == _STAGED.c.school,
                sa.cast(_AWARD.c.awarded_on, sa.Text) == _STAGED.c.awarded_on,
            ),
        ),
    )
