"""The screening of a year of the European Quality Label: an organisation's ranking, and how far all of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.european_label import screening
from labels.record.schema import (
    Application,
    Awarded,
    CycleOrganisation,
    CyclePlace,
    CycleProject,
    Organisation,
    Outcome,
    Screened,
)
from labels.record.sealing import last_head

LARGEST = 5_000
"""Places of a ranking that are shown."""


@dataclass(frozen=True, slots=True)
class RankedPlace:
    """A place of a ranking, and what the screening said to it."""

    candidate: str
    """A label's identifier, or a project's."""
    score: float | None
    title: str
    """The project's."""
    proposed: bool
    """Also where it moved up in the place of one that was struck."""
    screened: Screened | None
    reason: str | None
    """Why it was struck."""
    why: str
    """Why it is in or out."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """An organisation's ranking of a year, best first."""

    year: int
    organisation: str
    number: int
    """How many places there are, of which the first `LARGEST` are in `places`."""
    places: tuple[RankedPlace, ...]


def ranking_of(session: Session, application: Application) -> Ranking:
    """The ranking that a nomination screens, with its reasons."""
    session.flush()  # what moved up just now
    year = application.content["year"]
    rows = screening.ranking_of(session, year, application.organisation)
    return Ranking(
        year=year,
        organisation=application.organisation,
        number=len(rows),
        places=tuple(
            RankedPlace(
                candidate=row.candidate,
                score=row.score,
                title=title,
                proposed=row.proposed or row.moved_up,
                screened=row.screened,
                reason=row.reason,
                why=row.why,
            )
            for row, title in screening.with_titles(session, rows[:LARGEST])
        ),
    )


@dataclass(frozen=True, slots=True)
class OrganisationProgress:
    """How far one organisation is."""

    organisation: str
    country: str
    """Its code."""
    labels: int
    proposed: int
    screened: int
    nominated: int
    awarded: int
    nomination: str | None
    """The application in which it screens; None where there is nothing to screen."""
    run: str | None
    """The run of that application."""
    outcome: Outcome | None
    """What came of it; None while it screens."""


@dataclass(frozen=True, slots=True)
class CycleProgress:
    """How far a year is, organisation by organisation."""

    year: int
    organisations: tuple[OrganisationProgress, ...]
    journal: str | None = None
    """Where the chain of the journal stands, as this is read."""

    @property
    def per_cent(self) -> float:
        """How many of the organisations that have something to screen are done with it."""
        asked = [one for one in self.organisations if one.nomination is not None]
        done = sum(one.outcome is not None for one in asked)
        return 100 * done / len(asked) if asked else 100.0


def progress_of(session: Session, year: int) -> CycleProgress:
    """The organisations of a year, by country."""
    counts = _counts(session, year)
    rows = session.execute(
        sa.select(CycleOrganisation, Organisation.country, Application)
        .join(Organisation, Organisation.id == CycleOrganisation.organisation)
        .outerjoin(Application, Application.id == CycleOrganisation.nomination)
        .where(CycleOrganisation.year == year)
        .order_by(Organisation.country, CycleOrganisation.organisation)
    )
    found = []
    for part, country, nomination in rows:
        screened, nominated, awarded = counts.get(part.organisation, (0, 0, 0))
        found.append(
            OrganisationProgress(
                organisation=part.organisation,
                country=country,
                labels=part.labels,
                proposed=part.proposed,
                screened=screened,
                nominated=nominated,
                awarded=awarded,
                nomination=nomination.id if nomination else None,
                run=nomination.run if nomination else None,
                outcome=nomination.outcome if nomination else None,
            )
        )
    return CycleProgress(year, tuple(found), last_head(session))


def _counts(session: Session, year: int) -> dict[str, tuple[int, int, int]]:
    """Screened, nominated and awarded places by organisation."""

    def number(condition: Any) -> Any:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    rows = session.execute(
        sa.select(
            CyclePlace.organisation,
            number(CyclePlace.screened.is_not(None)),
            number(CyclePlace.screened == Screened.APPROVED),
            number(
                sa.and_(CyclePlace.screened == Screened.APPROVED, CycleProject.awarded == Awarded.AWARDED)
            ),
        )
        .outerjoin(
            CycleProject,
            sa.and_(CycleProject.year == CyclePlace.year, CycleProject.project == CyclePlace.project),
        )
        .where(CyclePlace.year == year)
        .group_by(CyclePlace.organisation)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}
