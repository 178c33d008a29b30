"""What an applicant sees: their projects and which may apply, their applications, their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from labels.applications.conditions import ABOUT_THE_PROJECT, Arrival, unmet
from labels.applications.eligibility import FailedCondition
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    ApplicationDraft,
    Award,
    CycleLabel,
    Decision,
    Document,
    Journal,
    Member,
    Organisation,
    Outcome,
    Project,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.rules.calendars import Placement, place
from labels.rules.model import RuleEdition
from labels.steps.step import steps_of
from labels.words.sentences import recalled


@dataclass(frozen=True, slots=True)
class Standing:
    """One application in a line: where it stands, since when, and whose turn it is."""

    id: str
    label: LabelKind
    title: str
    stage: Stage
    since: datetime
    submitted_at: datetime
    outcome: Outcome | None
    instance: int
    decide_by: datetime | None
    asked: datetime | None
    """Until when the applicant is to answer a question; None where they are asked nothing."""


@dataclass(frozen=True, slots=True)
class MyProject:
    """A project of a teacher, and whether they may apply for it now."""

    id: str
    title: str
    started_on: date
    ended_on: date | None
    unmet: tuple[FailedCondition, ...]
    """The conditions that nothing in the form could meet."""
    application: Standing | None
    """The latest that they handed in for it."""
    drafted_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether an application for it is under way."""
        return self.application is not None and self.application.outcome is None

    @property
    def may_apply(self) -> bool:
        """Whether the form for it can be begun now."""
        return not self.unmet and not self.open


@dataclass(frozen=True, slots=True)
class MyLabel:
    """A label that a teacher was awarded, with its papers."""

    award: str
    label: LabelKind
    title: str
    awarded_on: date
    score: float | None
    revoked_at: datetime | None
    application: str
    """The application that it was awarded in, where that is the teacher's own; empty for others."""
    papers: tuple[tuple[int, str, str], ...]
    """Of each paper the row of its document, its kind and its name."""
    reopened: bool = False
    """Whether its decision was reopened and is being made again; it does not count until then."""
    for_gallery: bool = False
    """Whether something can be given for a gallery that shows its project."""


@dataclass(frozen=True, slots=True)
class Home:
    """All that concerns a teacher."""

    projects: tuple[MyProject, ...]
    labels: tuple[MyLabel, ...]
    placement: Placement
    """What the calendar says to an application that arrives now."""


def home(session: Session, teacher: str, country: str, edition: RuleEdition, now: datetime) -> Home:
    """A teacher's projects, applications and labels at a moment, under the rules of their organisation."""
    latest = {one.project: one for one in _applications(session, teacher)}
    drafts = dict(session.execute(_DRAFTS, {"teacher": teacher}).tuples().all())
    projects = []
    for row in session.execute(_PROJECTS, {"teacher": teacher}):
        arrival = Arrival(teacher, row.id, country, _NOTHING, now)
        projects.append(
            MyProject(
                row.id,
                row.title,
                row.started_on,
                row.ended_on,
                tuple(one for one in unmet(session, arrival, edition) if one.code in ABOUT_THE_PROJECT),
                latest[row.id].standing if row.id in latest else None,
                drafts.get(row.id),
            )
        )
    return Home(
        tuple(projects), tuple(_labels(session, teacher)), place(now, edition.national.calendar, country)
    )


_NOTHING: dict[str, Any] = {"preconditions": {}, "description": "", "sections": {}, "reapplication": None}

_DRAFTS = sa.select(ApplicationDraft.project, ApplicationDraft.saved_at).where(
    ApplicationDraft.teacher == sa.bindparam("teacher")
)
_PROJECTS = (
    sa.select(Project.id, Project.title, Project.started_on, Project.ended_on)
    .join(Member, Member.project == Project.id)
    .where(Member.teacher == sa.bindparam("teacher"))
    .order_by(Project.started_on.desc(), Project.id)
)


@dataclass(frozen=True, slots=True)
class _Latest:
    project: str
    standing: Standing


def _applications(session: Session, teacher: str) -> list[_Latest]:
    """A teacher's own applications, the latest of a project last."""
    rows = session.execute(_OF_TEACHER, {"teacher": teacher}).all()
    if not rows:
        return []
    whose = {"applications": [row.Application.id for row in rows]}
    asked = dict(session.execute(_QUESTIONS, whose).tuples().all())
    return [
        _Latest(row.Application.project, _standing(row.Application, row.title, asked.get(row.Application.id)))
        for row in rows
    ]


# Built once: building a query takes longer than running it.
_UNREAD = defer(Application.content)
_OF_TEACHER = (
    sa.select(Application, Project.title)
    .join(Project, Project.id == Application.project)
    .where(Application.teacher == sa.bindparam("teacher"), Application.label == LabelKind.NATIONAL)
    .order_by(Application.attempt)
    .options(_UNREAD)
)
_OF_PROJECT = (
    sa.select(Application)
    .where(
        Application.teacher == sa.bindparam("teacher"),
        Application.project == sa.bindparam("project"),
        Application.label == LabelKind.NATIONAL,
    )
    .order_by(Application.attempt)
    .options(_UNREAD)
)
_QUESTIONS = (
    sa.select(Step.application, sa.func.min(Step.due_at))
    .where(
        Step.application.in_(sa.bindparam("applications", expanding=True)),
        Step.kind == StepKind.INFORMATION,
        Step.state == StepState.OPEN,
    )
    .group_by(Step.application)
)


def latest_for(session: Session, teacher: str, project: str) -> tuple[Standing | None, bool]:
    """The latest application of a teacher for a project, and whether one was refused for good."""
    rows = session.scalars(_OF_PROJECT, {"teacher": teacher, "project": project}).all()
    if not rows:
        return None, False
    return _standing(rows[-1], session.get_one(Project, project).title, None), any(
        _stays_refused(session, one) for one in rows
    )


def _standing(one: Application, title: str, asked: datetime | None) -> Standing:
    return Standing(
        one.id,
        one.label,
        title,
        one.stage,
        one.stage_since,
        one.submitted_at,
        one.outcome,
        one.instance,
        one.decide_by,
        asked,
    )


_AWARDS = (
    sa.select(Award, Project.title)
    .outerjoin(Project, Project.id == Award.project)
    .where(Award.teacher == sa.bindparam("teacher"))
    .order_by(Award.awarded_on.desc(), Award.id)
)


def _labels(session: Session, teacher: str) -> list[MyLabel]:
    rows = session.execute(_AWARDS, {"teacher": teacher}).all()
    if not rows:
        return []
    papers: dict[str, list[tuple[int, str, str]]] = {}
    ids = [row.Award.id for row in rows]
    for document in session.scalars(
        sa.select(Document)
        .where(
            Document.kind.in_(PAPERS),
            sa.or_(Document.award.in_(ids), sa.and_(Document.award.is_(None), Document.application.in_(ids))),
        )
        .order_by(Document.id)
    ):
        papers.setdefault(document.award or document.application, []).append(
            (document.id, document.kind, document.name)
        )
    european = [
        row.Award.id for row in rows if row.Award.label is LabelKind.EUROPEAN and row.Award.revoked_at is None
    ]
    in_a_year = sa.select(CycleLabel.european).where(CycleLabel.european.in_(european))
    shown = set(session.scalars(in_a_year)) if european else set()
    own = {
        row.id: row.outcome
        for row in session.execute(
            sa.select(Application.id, Application.outcome).where(
                Application.id.in_(ids), Application.teacher == teacher
            )
        )
    }
    return [
        MyLabel(
            row.Award.id,
            row.Award.label,
            row.title or "",
            row.Award.awarded_on,
            row.Award.score,
            row.Award.revoked_at,
            row.Award.id if row.Award.id in own else "",
            tuple(papers.get(row.Award.id, [])),
            reopened=row.Award.id in own and own[row.Award.id] is None,
            for_gallery=row.Award.id in shown,
        )
        for row in rows
    ]


PAPERS = ("certificate", "letter")
"""The papers of a label that its holder can have at any time."""
OWN_DOCUMENTS = ("evidence", "receipt", *PAPERS)
"""What an applicant can have of an application."""


def document_for(session: Session, teachers: Sequence[str], document: int) -> Document:
    """A document that is one of these teachers' own: of an application of theirs, or a paper of a label.

    Raises:
        NotFound: it is somebody else's, or there is none.
    """
    row = session.get(Document, document)
    if row is None or row.kind not in OWN_DOCUMENTS:
        raise NotFound("There is nothing here.")
    application = session.get_one(Application, row.application)
    award = session.get(Award, row.award or row.application)
    holders = {application.teacher, award.teacher if award and row.kind in PAPERS else None} - {None}
    if not holders & set(teachers):
        raise NotFound("There is nothing here.")
    if award and row.kind in PAPERS and row.award and award.teacher not in teachers:
        raise NotFound("There is nothing here.")
    return row


# One application ----------------------------------------------------------------------------------

TOLD = frozenset(
    {
        Event.SUBMITTED,
        Event.MET_ALL_CONDITIONS,
        Event.ASKED_THE_APPLICANT,
        Event.ANSWERED_THE_QUESTION,
        Event.QUESTION_NOT_ANSWERED,
        Event.TOOK_BACK_A_QUESTION,
        Event.AWARDED,
        Event.REFUSED,
        Event.INELIGIBLE,
        Event.WITHDRAWN,
        Event.APPEALED,
        Event.REOPENED,
        Event.REISSUED,
        Event.REVOKED,
    }
)
"""What an applicant is told of the journal: nothing that says who judges, or how, before the decision."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, as the applicant is told it."""

    what: Event
    at: datetime
    known_by: str
    """How whoever did it was known, where the applicant did it."""
    words: str
    """The question, the answer or the grounds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits for the applicant's answer."""

    step: str
    question: str
    due_at: datetime | None
    draft: str
    """What was typed in an answer that was not accepted."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, as its letter says it."""

    outcome: Outcome
    score: float | None
    maximum: int | None
    reasons: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    """Of each condition that was not met: what it is, and what mends it."""
    routes: tuple[str, ...]
    comments: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class MyApplication:
    """One's own application, all that one may know of it."""

    standing: Standing
    begun: bool
    """Whether its run was started."""
    project: str
    organisation: str
    organisation_address: str
    told: tuple[Told, ...]
    review_since: datetime | None
    asked: tuple[Asked, ...]
    decided: Decided | None
    documents: tuple[Document, ...]
    links: tuple[str, ...]
    may_withdraw: bool
    appeal_until: datetime | None
    """Until when an appeal may be lodged; None where it can't be."""
    may_apply_again: bool


def my_application(
    session: Session, teachers: Sequence[str], application: str, now: datetime
) -> MyApplication:
    """An application of one of these teachers.

    Raises:
        NotFound: it is somebody else's, or there is none.
    """
    row = session.get(Application, application)
    if row is None or row.teacher not in teachers or row.label != LabelKind.NATIONAL:
        raise NotFound("There is nothing here.")
    steps = steps_of(session, row)
    asked = [one for one in steps if one.kind is StepKind.INFORMATION and one.state is StepState.OPEN]
    appeal = next((s for s in steps if s.kind is StepKind.APPEAL and s.state is StepState.OPEN), None)
    reviews = [one.opened_at for one in steps if one.kind is StepKind.REVIEW]
    organisation = session.get_one(Organisation, row.organisation)
    title = session.get_one(Project, row.project).title
    due = min((one.due_at for one in asked if one.due_at), default=None)
    last = session.get(Decision, (row.id, row.instance)) if row.outcome else None
    return MyApplication(
        standing=_standing(row, title, due),
        begun=row.run is not None,
        project=row.project or "",
        organisation=organisation.name,
        organisation_address=organisation.email,
        told=tuple(_told(session, row, steps)),
        review_since=min(reviews, default=None),
        asked=tuple(Asked(s.id, s.question or "", s.due_at, (s.draft or {}).get("text", "")) for s in asked),
        decided=_decided(last) if last else None,
        documents=tuple(session.scalars(_DOCUMENTS, {"application": row.id})),
        links=tuple(row.content.get("links", ())),
        may_withdraw=any(s.kind is StepKind.WITHDRAWAL and s.state is StepState.OPEN for s in steps)
        and row.outcome is None,
        appeal_until=appeal.due_at
        if appeal and row.stage is Stage.CLOSED and (appeal.due_at is None or now <= appeal.due_at)
        else None,
        may_apply_again=row.outcome in (Outcome.WITHDRAWN, Outcome.INELIGIBLE)
        or (row.outcome is not None and _stays_refused(session, row)),
    )


_DOCUMENTS = (
    sa.select(Document)
    .where(Document.application == sa.bindparam("application"), Document.kind.in_(OWN_DOCUMENTS))
    .order_by(Document.id)
)


def _stays_refused(session: Session, row: Application) -> bool:
    """Whether an application counts as refused, what followed on the refusal being over."""
    if row.outcome is not Outcome.WITHDRAWN or row.instance == 1:
        return row.outcome is Outcome.REFUSED
    former = session.get(Decision, (row.id, row.instance - 1))
    return former is not None and former.outcome is Outcome.REFUSED


_ENTRIES = (
    sa.select(Journal)
    .where(Journal.application == sa.bindparam("application"), Journal.what.in_([one.value for one in TOLD]))
    .order_by(Journal.id)
)


def _told(session: Session, row: Application, steps: Sequence[Step]) -> list[Told]:
    by_id = {step.id: step for step in steps}
    found = []
    for entry in session.scalars(_ENTRIES, {"application": row.id}):
        what = Event(entry.what)
        step = by_id.get(entry.step or "")
        words = ""
        if what is Event.ASKED_THE_APPLICANT and step is not None:
            words = next(
                (
                    one.question or ""
                    for one in steps
                    if one.asked_by == step.id and one.opened_at == entry.at
                ),
                "",
            )
        elif what is Event.ANSWERED_THE_QUESTION and step is not None:
            words = (step.answer or {}).get("text", "")
        elif what is Event.APPEALED:
            words = str(entry.details.get("grounds", ""))
        own = what in (Event.SUBMITTED, Event.ANSWERED_THE_QUESTION, Event.WITHDRAWN, Event.APPEALED)
        found.append(Told(what, entry.at, str(entry.details.get("known_by", "")) if own else "", words))
    return found


def _decided(row: Decision) -> Decided:
    verdict = row.verdict
    return Decided(
        row.outcome,
        row.score,
        verdict.get("maximum"),
        tuple(recalled(one, verdict) for one in verdict.get("reasons", ())),
        tuple(
            (recalled(one["problem"], verdict), recalled(one["remedy"], verdict))
            for one in verdict.get("conditions", ())
        ),
        tuple(recalled(one, verdict) for one in verdict.get("routes", ())),
        tuple(verdict.get("comments", ())),
        row.decided_at,
    )
