"""The conditions that a National Quality Label application must meet to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import numbers_of
from labels.applications.eligibility import Facts, FailedCondition, check
from labels.applications.ending import end, tell_applicant
from labels.applications.submitting import applications_of, stays_refused
from labels.clock import brussels_day
from labels.errors import NotFound
from labels.identifiers import paper_id
from labels.kinds import LabelKind
from labels.mail import messages
from labels.record.journal import RULES, Event, note
from labels.record.rows import read
from labels.record.schema import (
    Application,
    Award,
    Cause,
    Member,
    Organisation,
    Outcome,
    PaperKind,
    Project,
    Reopening,
    School,
    Stage,
    Teacher,
)
from labels.registry.history import school_of_member
from labels.rules.calendars import counted_year, place
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.steps.mailing import about
from labels.steps.step import locked
from labels.turn import Turn
from labels.words.sentences import kept

# Conditions -------------------------------------------------------------------------------------


def check_conditions(turn: Turn, application_id: str) -> bool:
    """Whether the application may be judged; if not, it ends here, with every failed condition.

    Asked again, it gives the answer that it gave first.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return False
    if application.stage is not Stage.SUBMITTED or not _to_be_checked(turn.session, application):
        return True
    edition = rules_of(turn.session, application)
    facts = _facts(turn.session, _as_it_arrived(application), edition)
    failed = check(facts, edition)
    if not failed:
        note(turn, application, RULES, Event.MET_ALL_CONDITIONS)
        application.stage, application.stage_since = Stage.REVIEW, turn.now
        return True
    end(
        turn,
        application,
        Outcome.INELIGIBLE,
        RULES,
        verdict=_verdict(failed) | {FACTS: facts.of_the_registry()},
        inputs=application.content_digest,
    )
    conditions = tuple(
        messages.Ineligible.Condition(problem=one.problem, remedy=one.remedy) for one in failed
    )
    tell_applicant(
        turn,
        application,
        messages.Ineligible(about=about(turn.session, application), conditions=conditions),
        attachments=(paper_id(PaperKind.LETTER, application.id, application.instance),),
    )
    return False


FACTS = "facts"
"""Where a verdict has what the registry said when the conditions were checked."""


def _verdict(failed: Sequence[FailedCondition]) -> dict[str, Any]:
    return {"conditions": [one.model_dump(mode="json") for one in failed]} | kept(
        said for one in failed for said in (one.problem, one.remedy)
    )


def checked_again(
    application: Application, facts: Mapping[str, Any], edition: RuleEdition
) -> dict[str, Any] | None:
    """The verdict on conditions that were not met, made again from what was known then; None where all were met."""
    arrival = _as_it_arrived(application)
    known = dict(facts) | {
        "founder_countries": frozenset(facts["founder_countries"]),
        "project_ended_on": _day(facts["project_ended_on"]),
        "labelled_on": _day(facts["labelled_on"]),
    }
    failed = check(Facts(**known, **_said(arrival, edition)), edition)
    return _verdict(failed) if failed else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _to_be_checked(session: Session, application: Application) -> bool:
    """Whether the conditions are a question: at first, and where a decision was reopened since the registry was wrong."""
    if application.instance == 1:
        return True
    began = session.get(Reopening, (application.id, application.instance))
    return began is not None and began.cause is Cause.REGISTRY


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the conditions are asked of: an application, or what would be one if it were handed in now."""

    teacher: str
    project: str
    country: str
    content: Mapping[str, Any]
    """The application file, as incomplete as it is."""
    submitted_at: datetime
    application: str = "~"
    """Its number, or what is behind all numbers where it has none yet."""
    school: str | None = None
    """Where the teacher taught then; none where that is where they teach now."""


def _as_it_arrived(application: Application) -> Arrival:
    return Arrival(
        application.teacher or "",
        application.project or "",
        application.country,
        application.content,
        application.submitted_at,
        application.id,
        application.school,
    )


def unmet(
    session: Session, arrival: Arrival, edition: RuleEdition, others: Sequence[sa.Row[Any]] | None = None
) -> list[FailedCondition]:
    """Every condition that is not met by what would be handed in, as its check would say it.

    `others` are the teacher's applications so far, where the caller has asked for them.

    Raises:
        NotFound: there is no such teacher or project.
    """
    return check(_facts(session, arrival, edition, others), edition)


NOTHING: Mapping[str, Any] = {
    "organisation": None, "preconditions": {}, "description": "", "sections": {}, "reapplication": None,
}  # fmt: skip
"""An application file in which nothing is filled in."""

ABOUT_THE_PROJECT = frozenset(
    {"member", "organisation", "european", "late", "limit", "labelled", "reapplication"}
)
"""The conditions that nothing in the form can meet: they are known before anybody writes."""


def _facts(
    session: Session,
    application: Arrival,
    edition: RuleEdition,
    others: Sequence[sa.Row[Any]] | None = None,
) -> Facts:
    content = application.content
    whom = {"teacher": application.teacher, "project": application.project}
    own = read(session, _APPLICANT, whom | {"school": application.school}).first()
    if own is None:
        raise NotFound(f"There is no teacher {application.teacher}, or no project {application.project}.")
    asked = session.get(Organisation, content["organisation"]) if content.get("organisation") else own
    members = read(session, _MEMBERS, {"project": application.project}).all()
    founders = frozenset(one.country for one in members if one.role == "founder")
    if others is None:
        others = applications_of(session, application.teacher)
    others = [one for one in others if one.id != application.application]
    day = brussels_day(application.submitted_at)
    said = _said(application, edition)
    year = counted_year(application.submitted_at, said["placement"])
    # "Earlier" is by submission, then id: of five submitted at once, the same four count always.
    earlier = [
        one
        for one in others
        if one.school_year == year
        and (one.outcome not in (Outcome.WITHDRAWN, Outcome.INELIGIBLE) or stays_refused(one))
        and (one.submitted_at, one.id) < (application.submitted_at, application.application)
    ]
    labelled = read(session, _LABELLED, whom).scalar()
    before = [one for one in others if one.project == application.project]
    return Facts(
        is_member=any(
            one.teacher == application.teacher and _stayed(one, own.ended_on, day) for one in members
        ),
        european=len(founders) > 1,
        founder_countries=founders,
        project_ended_on=own.ended_on,
        teacher_organisation=own.id,
        teacher_country=own.country,
        organisation=asked.id if asked else str(content["organisation"]),
        organisation_kind=asked.kind if asked else "unknown",
        organisation_country=asked.country if asked else "",
        earlier_this_year=len(earlier),
        labelled_on=labelled,
        earlier_refusals=sum(map(stays_refused, before)),
        attempt=len(before) + 1,
        **said,
    )


def _said(application: Arrival, edition: RuleEdition) -> dict[str, Any]:
    """What of the facts the application and the calendar tell."""
    content = application.content
    again = content.get("reapplication")
    return {
        "preconditions": content["preconditions"],
        "placement": place(application.submitted_at, edition.national.calendar, application.country),
        "named_criteria": again["criteria"] if again else None,
        "description": content["description"],
        "sections": content["sections"],
        "submitted_at": application.submitted_at,
    }


def _stayed(member: sa.Row[Any], ended_on: date | None, day: date) -> bool:
    """Whether a member had not left a project by a day, or was there to its end."""
    return (
        member.left_on is None
        or member.left_on > day
        or (ended_on is not None and member.left_on >= ended_on)
    )


# Built once: building a query takes longer than running it.
_APPLICANT = (
    sa.select(Organisation.id, Organisation.kind, Organisation.country, Project.ended_on)
    .select_from(Teacher)
    .join(School, School.id == sa.func.coalesce(sa.bindparam("school", type_=sa.Text()), Teacher.school))
    .join(Organisation, Organisation.id == School.organisation)
    .join(Project, Project.id == sa.bindparam("project"))
    .where(Teacher.id == sa.bindparam("teacher"))
)
"""The organisation of whoever applies, and the project."""
_MEMBERS = (
    sa.select(Member.teacher, Member.role, Member.left_on, School.country)
    .join(Teacher, Teacher.id == Member.teacher)
    .join(School, School.id == school_of_member(Member, Teacher))
    .where(Member.project == sa.bindparam("project"))
)


_LABELLED = sa.select(sa.func.min(Award.awarded_on)).where(
    Award.label == LabelKind.NATIONAL,
    Award.teacher.in_(numbers_of(sa.bindparam("teacher"))),
    Award.project == sa.bindparam("project"),
    Award.revoked_at.is_(None),
)
