"""One review as its reviewer sees it: first the question of a conflict of interest, then the case and their draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.proving import standing
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.people.persons import person
from labels.record.schema import (
    Application,
    Member,
    Organisation,
    Person,
    Project,
    ReviewDraft,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.registry.history import school_of_member
from labels.reviews.drafting import draft_of, typed_in
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.steps.answers import ReviewTyped
from labels.views.briefs.by_label import brief_of
from labels.views.briefs.common import CriterionShown, ReviewBrief


@dataclass(frozen=True, slots=True)
class Asked:
    """What every page about one review says of it."""

    step: str
    application: str
    title: str
    label: LabelKind
    organisation: str
    """Its name."""
    due_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class ConflictQuestion:
    """Before anything is shown: whom it is about, by which a person can tell whether they may judge it."""

    asked: Asked
    applicant: str
    """The teacher who applies, or the school."""
    school: str
    """The school's name and city."""
    partners: tuple[str, ...]
    """The other schools of the project, each with its city and country code."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What the points of a draft come to, by the rules that the application was submitted under."""

    total: int
    maximum: int
    pass_mark: int
    missing: tuple[CriterionShown, ...]
    """What has no points yet."""
    below: tuple[CriterionShown, ...]
    """What has fewer points than the label needs, whatever the total."""

    @property
    def passes(self) -> bool:
        """Whether it is enough, as the points stand."""
        return not self.missing and not self.below and self.total >= self.pass_mark


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """An application beside its review."""

    asked: Asked
    language: str
    """In which it is written."""
    brief: ReviewBrief
    typed: ReviewTyped
    number: int
    """The save of the draft that `typed` is of; 0 before the first."""
    saved_at: datetime | None
    sum: Sum
    refused: str | None
    """Why the last answer was not accepted."""


class End(StrEnum):
    """Why a review is not to be written any more, or not now."""

    SENT = "sent"
    DECLINED = "declined"
    WAITING = "waiting"
    """The applicant was asked something."""
    TAKEN_BACK = "taken back"
    NOT_ALLOWED = "not allowed"
    """Its reviewer left the staff, or turned out to have a conflict of interest."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A review that can't be written or sent (any more)."""

    asked: Asked | None
    """None where its reviewer may know nothing of it any more."""
    how: End
    at: datetime | None = None
    why: str = ""
    """In words, where it was taken back or is not allowed."""
    now_with: str | None = None
    """The name of who reviews in that place now; None where nobody does."""
    again: str | None = None
    """The step by which it is asked of the same person once more, where a coordinator sent it back."""


Shown = ConflictQuestion | ReviewPage | Ended


def review_for(session: Session, step_id: str, reader: str, now: datetime) -> Shown:
    """What the person with the id `reader` sees of one review.

    Raises:
        NotFound: there is no such review, or it is somebody else's: which of both, nobody learns.
    """
    # What is looked at below on the way, found together: the session knows it as long as `around` is there.
    around = session.execute(_AROUND, {"step": step_id}).first()
    if around is None or around.Step.person != reader or around.Step.kind is not StepKind.REVIEW:
        raise NotFound("There is no such review.")
    step: Step = around.Step
    application: Application = around.Application
    asked = _asked(session, application, step, now)
    if step.state is not StepState.OPEN:
        return _ended(session, application, step, asked)
    if refusal := standing(session, application, step, now):
        return Ended(None, End.NOT_ALLOWED, why=refusal.why)
    draft = draft_of(session, step.id)
    if draft is None or draft.no_conflict_at is None:
        return _question(session, application, asked)
    brief = brief_of(session, application, [step])
    if not isinstance(brief, ReviewBrief):
        raise TypeError(f"nobody reviews {application.id}")
    typed = typed_in(step, draft)
    return ReviewPage(
        asked=asked,
        language=application.language,
        brief=brief,
        typed=typed,
        number=draft.number,
        saved_at=draft.saved_at,
        sum=sum_of(brief, typed, rules_of(session, application)),
        refused=step.refused,
    )


_AROUND = (
    sa.select(Step, Application, School, Organisation, Project, Teacher, Person, ReviewDraft)
    .join(Application, Application.id == Step.application)
    .outerjoin(School, School.id == Application.school)
    .join(Organisation, Organisation.id == Application.organisation)
    .outerjoin(Project, Project.id == Application.project)
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .outerjoin(Person, Person.id == Teacher.person)
    .outerjoin(ReviewDraft, ReviewDraft.step == Step.id)
    .where(Step.id == sa.bindparam("step"))
)


def sum_of(brief: ReviewBrief, typed: ReviewTyped, edition: RuleEdition) -> Sum:
    """What the points so far come to."""
    given = typed.scores
    return Sum(
        total=sum(given.get(one.id, 0) for one in edition.criteria_set.counted),
        maximum=edition.criteria_set.maximum,
        pass_mark=edition.national.pass_mark.value,
        missing=tuple(one for one in brief.criteria if one.id not in given),
        below=tuple(one for one in brief.criteria if one.id in given and given[one.id] < one.minimum),
    )


def _asked(session: Session, application: Application, step: Step, now: datetime) -> Asked:
    project = session.get(Project, application.project) if application.project else None
    school = session.get(School, application.school) if application.school else None
    return Asked(
        step=step.id,
        application=application.id,
        title=project.title if project else school.name if school else "",
        label=application.label,
        organisation=session.get_one(Organisation, application.organisation).name,
        due_at=step.due_at,
        late=step.state is StepState.OPEN and step.due_at is not None and step.due_at < now,
    )


def _question(session: Session, application: Application, asked: Asked) -> ConflictQuestion:
    school = session.get_one(School, application.school)
    teacher = session.get_one(Teacher, application.teacher) if application.teacher else None
    partners = session.execute(_PARTNERS, {"project": application.project, "school": school.id}).all()
    return ConflictQuestion(
        asked=asked,
        applicant=teacher.name if teacher else school.name,
        school=f"{school.name}, {school.city}",
        partners=tuple(f"{row.name}, {row.city} ({row.country})" for row in partners),
    )


_PARTNERS = (
    sa.select(School.name, School.city, School.country)
    .select_from(Member)
    .join(Teacher, Teacher.id == Member.teacher)
    .join(School, School.id == school_of_member(Member, Teacher))
    .where(Member.project == sa.bindparam("project"), School.id != sa.bindparam("school"))
    .distinct()
    .order_by(School.country, School.name, School.city)
)


def _ended(session: Session, application: Application, step: Step, asked: Asked) -> Ended:
    how = {
        StepState.ANSWERED: End.SENT,
        StepState.DECLINED: End.DECLINED,
        StepState.ASKED: End.WAITING,
    }.get(step.state, End.TAKEN_BACK)
    if how in (End.SENT, End.WAITING):
        return Ended(asked, how, step.closed_at)
    taken = session.scalars(
        _IN_THAT_SEAT, {"application": application.id, "instance": step.instance, "seat": step.seat}
    ).first()
    own = taken is not None and taken.person == step.person
    return Ended(
        asked,
        how,
        step.closed_at,
        why=step.closed_because or "",
        now_with=person(session, taken.person).name if taken and not own else None,
        again=taken.id if taken and own else None,
    )


_IN_THAT_SEAT = (
    sa.select(Step)
    .where(
        Step.application == sa.bindparam("application"),
        Step.instance
        >= sa.bindparam("instance"),  # a reopened decision has its seats filled anew in the next
        Step.seat == sa.bindparam("seat"),
        Step.kind == StepKind.REVIEW,
        Step.state.in_([StepState.OPEN, StepState.ASKED, StepState.ANSWERED]),
    )
    .order_by(Step.number.desc())
)
