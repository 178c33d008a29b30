"""Exports: tables of the record as flat rows, without what is nobody's to see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import (
    Application,
    Award,
    CyclePlace,
    CycleProject,
    Issued,
    Journal,
    Mail,
    Notice,
    PupilClass,
    Review,
)

EXPORTS: dict[str, type[Any]] = {
    "applications": Application,
    "reviews": Review,
    "awards": Award,
    "rankings": CyclePlace,
    "projects": CycleProject,
    "mail": Mail,
    "journal": Journal,
    "pupils": PupilClass,
    "reminders": Notice,
    "papers": Issued,
}
"""What can be exported, by name."""

_LEFT_OUT = {"mail": {"context"}, "applications": {"content"}, "papers": {"facts", "marks"}}


def export_columns(what: str) -> list[str]:
    """The names of the columns of `export`, which has them also where there are no rows."""
    return [c.name for c in _exported(what)]


def _exported(what: str) -> list[sa.Column[Any]]:
    return [c for c in EXPORTS[what].__table__.columns if c.name not in _LEFT_OUT.get(what, set())]


def export(session: Session, what: str) -> Iterator[dict[str, Any]]:
    """Flat rows of one table of the record, streamed."""
    table = EXPORTS[what].__table__
    statement = sa.select(*_exported(what)).order_by(*table.primary_key.columns)
    if what == "reviews":
        # Blind until the decision, here as everywhere.
        statement = statement.join(Application, Application.id == table.c.application).where(
            Application.outcome.is_not(None)
        )
    for row in session.execute(statement, execution_options={"yield_per": 1000}):
        yield {
            name: value.value if hasattr(value, "value") else value for name, value in row._mapping.items()
        }


def hidden_reviews(session: Session) -> int:
    """How many reviews `export` leaves out, since their application is not decided."""
    undecided = sa.select(Application.id).where(Application.outcome.is_(None))
    return session.scalar(sa.select(sa.func.count()).where(Review.application.in_(undecided))) or 0
