"""Where a year's cycle stands: every organisation's ranking with its reasons, and every project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, PlainSerializer
from sqlalchemy.orm import Session

from labels.errors import NotFound
from labels.european_label import severity
from labels.european_label.awarding import HOLDER
from labels.european_label.freezing import RulesFor, central_rules, preview
from labels.european_label.frozen import FrozenLabel
from labels.european_label.merging import Holder, Nomination, merge, why_for
from labels.european_label.ranking import Candidate, Place, Remarks, remarks
from labels.kinds import LabelKind
from labels.people.staff import central_organisation
from labels.record.schema import (
    Application,
    Awarded,
    Cycle,
    CycleLabel,
    CycleOrganisation,
    CyclePlace,
    CycleProject,
    Organisation,
    Project,
    Screened,
    Step,
    StepState,
)
from labels.record.sealing import last_head
from labels.rules.model import EuropeanRules
from labels.steps.kinds import AWAITED
from labels.views.looker import Reach
from labels.words.sentences import Sentence, say

PREVIEW = "preview"
"""The stage of a cycle that has not begun."""


class PlaceView(BaseModel):
    """One place of a ranking."""

    place: int
    candidate: str
    teacher: str | None
    project: str
    score: float | None
    proposed: bool
    why: str
    moved_up: bool = False
    screened: str | None = None
    reason: str | None = None


class SeverityView(BaseModel):
    """How an organisation's points lie beside everybody's: shown, never applied."""

    mean: float
    deviation: float
    shift: float
    """Its mean less everybody's: below zero where it is severe."""
    shrunken_shift: float
    """The same, as far as its number of labels allows to believe it."""


class OrganisationView(BaseModel):
    """One organisation's part in the year."""

    organisation: str
    country: str
    labels: int
    proposed: int
    screened: int
    nominated: int
    awarded: int
    stage: str
    nomination: str | None
    deadline: datetime | None
    awaiting: list[str]
    severity: SeverityView | None
    ranking: list[PlaceView]
    warnings: list[Annotated[Sentence, PlainSerializer(str)]] = []
    """What somebody should know before anything is put forward."""


class ProjectView(BaseModel):
    """One project of the year, and which half of the rule it fails."""

    project: str
    title: str
    proposed_by: list[str]
    labelled_partners: int
    countries: int
    qualifies: bool
    why: str
    awarded: str | None = None
    reason: str | None = None


class ChangeView(BaseModel):
    """A nomination that would go the other way if the points of all countries were compared."""

    organisation: str
    candidate: str
    score: float
    standardised: float
    shrunken: float
    proposed: bool
    by_raw: bool
    by_standardised: bool
    by_shrunken: bool


class CycleView(BaseModel):
    """A year of the European Quality Label."""

    year: int
    stage: str
    begins: date
    ends: date
    application: str | None
    outcome: str | None
    list_digest: str | None
    journal: str | None = None
    """Where the chain of the journal stands, as this is read."""
    awaiting: list[str]
    """Who is awaited by the Central Support Service's award; organisations say it of themselves."""
    organisations: list[OrganisationView]
    projects: list[ProjectView]
    would_change: list[ChangeView]


def inspect(session: Session, year: int, rules_for: RulesFor, reach: Reach | None = None) -> CycleView:
    """Where the year's cycle stands; before it has begun, what it would be, which changes nothing.

    All of it, or what somebody may see of it.

    Raises:
        InvalidInput: there is no such year, or no Central Support Service.
        NotFound: somebody may see nothing of any year: nobody learns whether there is this one.
    """
    if reach is None:
        return _whole(session, year, rules_for)
    if not reach.organisations:
        raise NotFound(f"There is no cycle {year}.")
    return _shown_to(_whole(session, year, rules_for), reach)


def _whole(session: Session, year: int, rules_for: RulesFor) -> CycleView:
    cycle = session.get(Cycle, year)
    if cycle is None or cycle.list_digest is None:
        return _preview(session, year, rules_for, cycle)
    application = session.get_one(Application, cycle.application)
    awaiting = _awaited(session, year)
    rows = _places(session, year)
    parts = list(
        session.execute(
            sa.select(CycleOrganisation, Organisation.country, Application)
            .join(Organisation, Organisation.id == CycleOrganisation.organisation)
            .outerjoin(Application, Application.id == CycleOrganisation.nomination)
            .where(CycleOrganisation.year == year)
            .order_by(CycleOrganisation.organisation)
        ).tuples()
    )
    won = set(
        session.scalars(
            sa.select(CycleProject.project).where(
                CycleProject.year == year, CycleProject.awarded == Awarded.AWARDED
            )
        )
    )
    severities = {one.organisation: one for one in severity.severities(_ranked(rows))}
    organisations = []
    for part, country, nomination in parts:
        ranking = rows.get(part.organisation, [])
        approved = {row.project for row in ranking if row.screened == Screened.APPROVED.value}
        organisations.append(
            OrganisationView(
                organisation=part.organisation,
                country=country,
                labels=part.labels,
                proposed=part.proposed,
                screened=sum(row.screened is not None for row in ranking),
                nominated=sum(row.screened == Screened.APPROVED.value for row in ranking),
                awarded=len(approved & won),
                stage=_stage(nomination),
                nomination=part.nomination,
                deadline=nomination.decide_by if nomination else None,
                awaiting=awaiting.get(part.nomination or "", []),
                severity=_severity(severities.get(part.organisation)),
                ranking=ranking,
                warnings=warned(
                    part.labels, Remarks(part.unscored or 0, part.with_equals or 0, part.equals_left_out or 0)
                ),
            )
        )
    projects = _projects(session, cycle) if cycle.merged_at else _projects_if_approved(session, cycle, rows)
    return CycleView(
        year=year,
        stage=application.stage.value,
        begins=cycle.begins,
        ends=cycle.ends,
        application=cycle.application,
        outcome=application.outcome.value if application.outcome else None,
        list_digest=cycle.list_digest,
        journal=last_head(session),
        awaiting=awaiting.get(cycle.application, []),
        organisations=organisations,
        projects=projects,
        would_change=_changes(rows),
    )


def warned(labels: int, found: Remarks) -> list[Sentence]:
    """What is remarkable in an organisation's ranking of so many labels or projects, in words."""
    warnings = []
    if found.unscored:
        warnings.append(
            say(
                "{number} of {labels} have no points on record: they can’t be ranked, and none of them is put forward.",
                number=found.unscored,
                labels=labels,
            )
        )
    if found.with_equals:
        warnings.append(
            say(
                "{number} more than the share are proposed, since they have the points of its last.",
                number=found.with_equals,
            )
        )
    if found.equals_left_out:
        warnings.append(
            say(
                "{number} with the points of the last of the share are not proposed: the rules take no more equals.",
                number=found.equals_left_out,
            )
        )
    return warnings


def _shown_to(view: CycleView, reach: Reach) -> CycleView:
    """What somebody may see of a year: the Central Support Service all of it, a coordinator their own organisation's
    ranking and the projects that it proposes, and nothing that the points of others would change."""
    if reach.central:
        return view
    own = [
        one.model_copy(update={"severity": None})
        for one in view.organisations
        if one.organisation in reach.organisations
    ]
    projects = []
    for one in view.projects:
        if proposed := [name for name in one.proposed_by if name in reach.organisations]:
            why = why_for(one.why, one.proposed_by, proposed)
            projects.append(one.model_copy(update={"proposed_by": proposed, "why": why}))
    hidden: dict[str, Any] = {"list_digest": None, "awaiting": [], "would_change": []}
    return view.model_copy(update=hidden | {"organisations": own, "projects": projects})


def _stage(nomination: Application | None) -> str:
    if nomination is None:
        return "nothing to screen"
    return nomination.outcome.value if nomination.outcome else nomination.stage.value


def _awaited(session: Session, year: int) -> dict[str, list[str]]:
    """Who is awaited, by the award's or the nomination's application."""
    found: dict[str, list[str]] = {}
    for application, email in session.execute(
        sa.select(Step.application, Step.assignee)
        .join(Application, Application.id == Step.application)
        .where(
            Application.label.in_([LabelKind.EUROPEAN, LabelKind.NOMINATION]),
            Application.round == str(year),
            Step.state == StepState.OPEN,
            Step.kind.in_(AWAITED),
        )
        .order_by(Step.application, Step.assignee)
    ):
        found.setdefault(application, []).append(email)
    return found


def _places(session: Session, year: int) -> dict[str, list[PlaceView]]:
    found: dict[str, list[PlaceView]] = {}
    rows = session.connection().execute(
        sa.select(
            CyclePlace.organisation, CyclePlace.place, CyclePlace.candidate, CyclePlace.teacher, CyclePlace.project,
            CyclePlace.score, CyclePlace.proposed, CyclePlace.why, CyclePlace.moved_up, CyclePlace.screened, CyclePlace.reason,
        )
        .where(CyclePlace.year == year)
        .order_by(CyclePlace.organisation, CyclePlace.place, CyclePlace.candidate)
    )  # fmt: skip
    for row in rows:
        found.setdefault(row.organisation, []).append(
            PlaceView(
                place=row.place, candidate=row.candidate, teacher=row.teacher, project=row.project, score=row.score,
                proposed=row.proposed, why=row.why, moved_up=row.moved_up, reason=row.reason,
                screened=row.screened.value if row.screened else None,
            )
        )  # fmt: skip
    return found


def _ranked(rows: Mapping[str, Iterable[PlaceView]]) -> list[severity.Ranked]:
    return [
        severity.Ranked(organisation, row.candidate, row.score, row.proposed)
        for organisation, ranking in rows.items()
        for row in ranking
        if row.score is not None
    ]


def _severity(found: severity.Severity | None) -> SeverityView | None:
    if found is None:
        return None
    return SeverityView(
        mean=round(found.mean, 3), deviation=round(found.deviation, 3),
        shift=round(found.shift, 3), shrunken_shift=round(found.shrunken_shift, 3),
    )  # fmt: skip


def _changes(rows: Mapping[str, Iterable[PlaceView]]) -> list[ChangeView]:
    return [
        ChangeView(
            organisation=one.organisation, candidate=one.candidate, score=round(one.score, 2),
            standardised=round(one.standardised, 2), shrunken=round(one.shrunken, 2), proposed=one.proposed,
            by_raw=one.by_raw, by_standardised=one.by_standardised, by_shrunken=one.by_shrunken,
        )
        for one in severity.changes(_ranked(rows))
    ]  # fmt: skip


def _projects(session: Session, cycle: Cycle) -> list[ProjectView]:
    rows = session.execute(
        sa.select(CycleProject, Project.title)
        .join(Project, Project.id == CycleProject.project)
        .where(CycleProject.year == cycle.year)
        .order_by(CycleProject.project)
    )
    return [
        ProjectView(
            project=row.project, title=title, proposed_by=row.proposed_by.split(),
            labelled_partners=row.labelled_partners, countries=row.countries, qualifies=row.qualifies,
            why=row.why, awarded=row.awarded.value if row.awarded else None, reason=row.reason,
        )
        for row, title in rows.tuples()
    ]  # fmt: skip


def _projects_if_approved(
    session: Session, cycle: Cycle, rows: Mapping[str, Sequence[PlaceView]]
) -> list[ProjectView]:
    """What merging would give if whatever is still proposed were approved."""
    holders = [
        Holder(*row) for row in session.execute(sa.select(*HOLDER).where(CycleLabel.year == cycle.year))
    ]
    nominations = [
        Nomination(row.project, organisation)
        for organisation, ranking in rows.items()
        for row in ranking
        if row.screened == Screened.APPROVED.value
        or (row.screened is None and (row.proposed or row.moved_up))
    ]
    return _merged(session, nominations, holders, central_rules(session, cycle))


def _merged(
    session: Session, nominations: Iterable[Nomination], holders: Iterable[Holder], rules: EuropeanRules
) -> list[ProjectView]:
    merged = merge(nominations, holders, rules)
    titles = dict(session.execute(sa.select(Project.id, Project.title)).tuples().all())
    return [
        ProjectView(
            project=one.id, title=titles.get(one.id, one.id), proposed_by=list(one.proposed_by),
            labelled_partners=one.labelled_partners, countries=one.countries, qualifies=one.qualifies, why=one.why,
        )
        for one in merged
    ]  # fmt: skip


def _preview(session: Session, year: int, rules_for: RulesFor, cycle: Cycle | None) -> CycleView:
    shown = preview(session, year, rules_for)
    countries = dict(session.execute(sa.select(Organisation.id, Organisation.country)).tuples().all())
    rows = {organisation: list(map(_place, ranking)) for organisation, ranking in shown.rankings.items()}
    severities = {one.organisation: one for one in severity.severities(_ranked(rows))}
    organisations = [
        OrganisationView(
            organisation=organisation, country=countries[organisation], labels=len(ranking),
            proposed=sum(row.proposed for row in ranking), screened=0, nominated=0, awarded=0, stage=PREVIEW,
            nomination=None, deadline=None, awaiting=[], severity=_severity(severities.get(organisation)),
            ranking=ranking,
            warnings=warned(len(ranking), remarks(shown.rankings[organisation], rules_for(organisation).european)),
        )
        for organisation, ranking in sorted(rows.items())
    ]  # fmt: skip
    nominations = [
        Nomination(row.project, organisation) for organisation, ranking in rows.items() for row in ranking if row.proposed
    ]  # fmt: skip
    holders = [_holder(row) for row in shown.labels]
    rules = rules_for(central_organisation(session).id).european
    return CycleView(
        year=year,
        stage=PREVIEW,
        begins=shown.begins,
        ends=shown.ends,
        application=cycle.application if cycle else None,
        outcome=None,
        list_digest=None,
        journal=last_head(session),
        awaiting=[],
        organisations=organisations,
        projects=_merged(session, nominations, holders, rules),
        would_change=_changes(rows),
    )


def _place(place: Place) -> PlaceView:
    candidate: Candidate = place.candidate
    return PlaceView(
        place=place.place, candidate=candidate.id, teacher=candidate.teacher, project=candidate.project,
        score=candidate.score, proposed=place.proposed, why=place.why,
    )  # fmt: skip


def _holder(row: FrozenLabel) -> Holder:
    return Holder(row.project, row.teacher, row.country, row.school, row.founded_in)
