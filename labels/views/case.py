"""One case: where an application stands, all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from labels.answering.deadlines import end_of
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Document,
    Journal,
    Organisation,
    Project,
    Review,
    RuleText,
    School,
    Step,
    StepKind,
    Teacher,
)
from labels.reviews.instances import reopened
from labels.rules.calendars import place
from labels.rules.kept import rules_of
from labels.steps.step import open_steps
from labels.views.about import DocumentFile
from labels.views.chosen import ChoiceView, choices_of
from labels.views.looker import Audience, Looker


class View(BaseModel):
    """What is shown does not change."""

    model_config = ConfigDict(frozen=True)


class Awaited(View):
    """What is awaited of whom, by when."""

    step: str
    what: str
    who: str
    by: datetime | None
    ends: datetime | None = None
    """When a late review ends by itself, where the rules say so."""


class ReviewView(View):
    """A review; its content is shown only once nobody can be swayed by it."""

    step: str
    reviewer: str
    seat: int
    given_at: datetime
    scores: dict[str, int] | None = None
    total: int | None = None
    """The sum of the points, of what counts in a total."""
    comment: str | None = None
    note: str | None = None
    void_because: str | None = None


class DecisionView(View):
    """A decision, with the reasons as they went into the letter."""

    instance: int
    outcome: str
    score: float | None
    maximum: int | None = None
    pass_mark: int | None = None
    decided_at: datetime
    reopened: str | None = None
    """Why it was made again, where the one before was reopened: `conflict`, `registry` or `appeal`."""
    inputs_digest: str
    reasons: list[str]
    routes: list[str] = Field(default_factory=list)
    """What the applicant can do now."""


class JournalView(View):
    """One entry of the journal."""

    at: datetime
    who: str
    what: str
    step: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Case(View):
    """Where an application stands, all of it."""

    application: str
    label: str
    organisation: str
    country: str
    organisation_name: str = ""
    teacher: str | None
    teacher_name: str | None = None
    project: str | None
    project_title: str | None = None
    school: str | None
    school_name: str | None = None
    stage: str
    since: datetime
    outcome: str | None
    revoked_at: datetime | None = None
    """When the label that it was awarded was taken back; why stands in the journal."""
    submitted_at: datetime
    round: str | None
    round_opens: datetime | None = None
    """Where it came late and rolled over: when its round opens."""
    school_year: int | None = None
    """The year in which the school year began that it counts for, and that its certificate says."""
    decide_by: datetime | None
    rules: str
    run: str | None
    """The run in Prefect that drives it."""
    awaiting: list[Awaited]
    choices: list[ChoiceView] = Field(default_factory=list)
    """Why each reviewer was chosen; nobody's to see but the coordinators'."""
    reviews: list[ReviewView]
    decisions: list[DecisionView]
    documents: list[DocumentFile]
    journal: list[JournalView]


_APPLICANTS_OWN = frozenset({"application", "evidence", "receipt", "certificate", "letter"})
_REVIEWERS = frozenset({"application", "evidence"})
"""Kinds of documents."""


def case_for(session: Session, application_id: str, looker: Looker) -> Case:
    """Where the application stands, as far as it is somebody's to see.

    Raises:
        NotFound: there is none of that id.
    """
    return _shown_to(case_of(session, application_id), looker)


def _shown_to(case: Case, looker: Looker) -> Case:
    match looker.audience:
        case Audience.OPERATOR:
            return case
        case Audience.COORDINATOR:
            return case.model_copy(update=_without_digests(case))
        case Audience.CSS:
            nameless: dict[str, Any] = {"reviewer": "", "note": None}
            if case.outcome is None:
                nameless |= {"scores": None, "total": None, "comment": None}
            nobodys = [one.model_copy(update=nameless) for one in case.reviews]
            awaiting = [one.model_copy(update={"who": ""}) for one in case.awaiting]
            hidden = {"reviews": nobodys, "awaiting": awaiting, "journal": [], "choices": []}
            return case.model_copy(update=_without_digests(case) | hidden)
        case Audience.REVIEWER | Audience.APPLICANT:
            applies = looker.audience is Audience.APPLICANT
            kinds = _APPLICANTS_OWN if applies else _REVIEWERS
            own = {
                "run": None if applies else case.run,
                "choices": [],
                "awaiting": [one for one in case.awaiting if one.step in looker.steps],
                "decisions": case.decisions if applies or case.outcome else [],
                "reviews": [one for one in case.reviews if not applies and one.step in looker.steps],
                "documents": [one for one in case.documents if one.kind in kinds],
                "journal": [
                    one.model_copy(update={"details": {}})
                    for one in case.journal
                    if looker.did(one.who, one.details) and (one.step is None or one.step in looker.steps)
                ],
            }
            return case.model_copy(update=own | _without_digests(case.model_copy(update=own)))
    raise ValueError(looker.audience)


def _without_digests(case: Case) -> dict[str, Any]:
    """A digest of what is hidden lets anybody try which it is."""
    return {
        "decisions": [one.model_copy(update={"inputs_digest": ""}) for one in case.decisions],
        "journal": [
            one.model_copy(update={"details": {k: v for k, v in one.details.items() if "digest" not in k}})
            for one in case.journal
        ],
    }


def case_of(session: Session, application_id: str) -> Case:
    """Where the application stands, all of it: for whoever runs this installation, and nobody else.

    Raises:
        NotFound: there is none of that id.
    """
    application = session.get(Application, application_id)
    if application is None:
        raise NotFound(f"There is no application {application_id}.")
    of = application.id
    teacher = session.get(Teacher, application.teacher) if application.teacher else None
    project = session.get(Project, application.project) if application.project else None
    school = session.get(School, application.school) if application.school else None
    award = session.get(Award, of, populate_existing=True)
    awaited = open_steps(session, application)
    return Case(
        application=of,
        label=application.label,
        organisation=application.organisation,
        organisation_name=session.get_one(Organisation, application.organisation).name,
        country=application.country,
        teacher=application.teacher,
        teacher_name=teacher.name if teacher else None,
        project=application.project,
        project_title=project.title if project else None,
        school=application.school,
        school_name=school.name if school else None,
        stage=application.stage.value,
        since=application.stage_since,
        outcome=application.outcome.value if application.outcome else None,
        revoked_at=award.revoked_at if award else None,
        submitted_at=application.submitted_at,
        round=application.round,
        round_opens=_rolled_into(session, application),
        school_year=application.school_year,
        decide_by=application.decide_by,
        rules=session.get_one(RuleText, application.rules).version,
        run=application.run,
        awaiting=[
            Awaited(
                step=step.id,
                what=step.kind.value,
                who=step.assignee,
                by=step.due_at,
                ends=end_of(session, application, step) if step.kind is StepKind.REVIEW else None,
            )
            for step in awaited
        ],
        choices=choices_of(session, of),
        reviews=_reviews(session, application, awaited),
        decisions=[
            DecisionView(
                instance=row.instance,
                outcome=row.outcome.value,
                score=row.score,
                maximum=row.verdict.get("maximum"),
                pass_mark=row.verdict.get("pass_mark"),
                decided_at=row.decided_at,
                reopened=began.cause.value if (began := reopened(session, of, row.instance)) else None,
                inputs_digest=row.inputs_digest,
                reasons=list(row.verdict.get("reasons", []))
                + [f"{one['problem']} {one['remedy']}" for one in row.verdict.get("conditions", [])],
                routes=list(row.verdict.get("routes", [])),
            )
            for row in session.scalars(
                sa.select(Decision).where(Decision.application == of).order_by(Decision.instance)
            )
        ],
        documents=[
            DocumentFile(row.kind, row.name, row.key, row.media_type, row.size)
            for row in session.scalars(
                sa.select(Document).where(Document.application == of).order_by(Document.id)
            )
        ],
        journal=[
            JournalView(at=row.at, who=row.who, what=row.what, step=row.step, details=row.details)
            for row in session.scalars(
                sa.select(Journal).where(Journal.application == of).order_by(Journal.id)
            )
        ],
    )


def _rolled_into(session: Session, application: Application) -> datetime | None:
    if application.label != LabelKind.NATIONAL or application.round is None:
        return None
    calendar = rules_of(session, application).national.calendar
    placement = place(application.submitted_at, calendar, application.country)
    return placement.opens_at if placement.rolled_over else None


def _reviews(session: Session, application: Application, awaited: Sequence[Step]) -> list[ReviewView]:
    """The reviews; with what is in them once it is decided, or a person has to decide on them."""
    shown = application.outcome is not None or any(step.kind is StepKind.DECISION for step in awaited)
    counted = rules_of(session, application).criteria_set.counted
    rows = session.execute(
        sa.select(Review, Step.seat)
        .join(Step, Step.id == Review.step)
        .where(Review.application == application.id)
        .order_by(Review.given_at)
    )
    return [
        ReviewView(
            step=review.step,
            reviewer=review.reviewer,
            seat=seat,
            given_at=review.given_at,
            void_because=review.void_because,
            **(
                {
                    "scores": review.scores,
                    "total": sum(review.scores[criterion.id] for criterion in counted),
                    "comment": review.comment,
                    "note": review.note,
                }
                if shown
                else {}
            ),
        )
        for review, seat in rows
    ]
