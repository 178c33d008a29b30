"""What coordinators are shown before they screen a proposal, and the Central Support Service before it awards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.european_label.awarding import approved_in
from labels.european_label.screening import decided_on_their_own, undecided_places, with_titles
from labels.record.schema import (
    Application,
    Cycle,
    CycleOrganisation,
    CycleProject,
    Organisation,
    Project,
    Step,
    StepKind,
    StepState,
)
from labels.steps.step import steps_of
from labels.views.briefs.common import Brief, asked_for

LISTED = 300
"""Places of a proposal that are shown; an artifact has the whole ranking."""


@dataclass(frozen=True, slots=True)
class ProposedPlace:
    """A label or project that is proposed."""

    candidate: str
    """Its identifier."""
    score: float | None
    title: str
    """The project's."""
    why: str
    moved_up: bool
    """Whether it took the place of one that was struck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NominationBrief(Brief):
    """What an organisation may put forward."""

    year: int
    organisation: str
    """Its name."""
    number: int
    """How many there are to screen, of which the first `LISTED` are in `places`."""
    places: tuple[ProposedPlace, ...]


@dataclass(frozen=True, slots=True)
class ProjectOfYear:
    """A project of a year, and why it qualifies or not."""

    project: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class SaidBefore:
    """What the last of two people said, which the next confirms or not."""

    who: str
    approved: int
    struck: Mapping[str, str]
    """Project → reason."""


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """Somebody decided on a label or project with which they have a conflict of interest, since nobody else could."""

    who: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardBrief(Brief):
    """What the Central Support Service awards or strikes."""

    year: int
    said_before: SaidBefore | None
    qualifying: tuple[ProjectOfYear, ...]
    own_decisions: tuple[OwnDecision, ...]
    failing: tuple[ProjectOfYear, ...]
    """Put forward, but without what a project needs."""


@dataclass(frozen=True, slots=True)
class Screening:
    """An organisation that still screens."""

    organisation: str
    """Its name."""
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningsBrief(Brief):
    """Who still screens, before anything is asked of the Central Support Service."""

    year: int
    screenings: tuple[Screening, ...]


def nomination_brief(session: Session, application: Application, awaited: Sequence[Step]) -> NominationBrief:
    """What a coordinator needs to know before screening."""
    undecided = undecided_places(session, application)
    return NominationBrief(
        asked=asked_for(awaited),
        year=application.content["year"],
        organisation=session.get_one(Organisation, application.organisation).name,
        number=len(undecided),
        places=tuple(
            ProposedPlace(place.candidate, place.score, title, place.why, place.moved_up)
            for place, title in with_titles(session, undecided[:LISTED])
        ),
    )


def award_brief(
    session: Session, application: Application, awaited: Sequence[Step]
) -> AwardBrief | ScreeningsBrief:
    """What the Central Support Service needs to know before it awards; or who still screens."""
    year = application.content["year"]
    if session.get_one(Cycle, year).merged_at is None:
        return ScreeningsBrief(
            asked=asked_for(awaited), year=year, screenings=tuple(_still_screening(session, year))
        )
    rows = session.execute(
        sa.select(CycleProject, Project.title)
        .join(Project, Project.id == CycleProject.project)
        .where(CycleProject.year == year, sa.or_(CycleProject.qualifies, CycleProject.proposed_by != ""))
        .order_by(CycleProject.project)
    ).all()
    projects = [(row.qualifies, ProjectOfYear(row.project, title, row.why)) for row, title in rows]
    return AwardBrief(
        asked=asked_for(awaited),
        year=year,
        said_before=_said_before(session, application),
        qualifying=tuple(one for qualifies, one in projects if qualifies),
        own_decisions=tuple(OwnDecision(who, name) for who, name in decided_on_their_own(session, year)),
        failing=tuple(one for qualifies, one in projects if not qualifies),
    )


def _said_before(session: Session, application: Application) -> SaidBefore | None:
    answered = [
        step for step in steps_of(session, application, StepKind.AWARDING) if step.state is StepState.ANSWERED
    ]
    if not answered:
        return None
    last = max(answered, key=lambda step: (step.closed_at or step.opened_at, step.number))
    return SaidBefore(last.assignee, len(approved_in(last)), (last.answer or {}).get("strike", {}))


def _still_screening(session: Session, year: int) -> list[Screening]:
    rows = session.execute(
        sa.select(Organisation.name, Application.decide_by)
        .join(CycleOrganisation, CycleOrganisation.organisation == Organisation.id)
        .join(Application, Application.id == CycleOrganisation.nomination)
        .where(CycleOrganisation.year == year, Application.outcome.is_(None))
        .order_by(Organisation.id)
    )
    return [Screening(row.name, row.decide_by) for row in rows]
