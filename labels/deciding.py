"""How an application ends: by its conditions, by the rules, by the applicant; and what follows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels import outbox, similarity
from labels.calendars import next_round, place
from labels.clock import brussels_day, end_of_day, in_words
from labels.eligibility import Facts, check
from labels.errors import NotAllowed
from labels.journal import RULES, SYSTEM, note
from labels.record.rows import write
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Member,
    Organisation,
    Outcome,
    Project,
    School,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviewing import Refusal, assessments, prove
from labels.rules import RuleEdition
from labels.scoring import decide as decide_by_rules
from labels.scoring import in_points
from labels.sentences import Sentence, kept, one_after_another, say
from labels.steps import close_step, common_context, held, open_step, person_named, steps_of
from labels.submitting import rules_of, stays_refused

# Conditions -------------------------------------------------------------------------------------


def check_conditions(session: Session, application_id: str, *, now: datetime) -> bool:
    """Whether the application may be judged; if not, it ends here, with every failed condition.

    Asked again, it gives the answer that it gave first.
    """
    application = held(session, application_id)
    if application.outcome is not None:
        return False
    if application.stage is not Stage.SUBMITTED or application.instance > 1:
        return True
    edition = rules_of(session, application)
    failed = check(_facts(session, application, edition), edition)
    if not failed:
        note(session, application, RULES, "met all conditions", now)
        application.stage, application.stage_since = Stage.REVIEW, now
        _warn_of_likeness(session, application, now)
        return True
    conditions = [{"problem": one.problem, "remedy": one.remedy} for one in failed]
    end(
        session, application, Outcome.INELIGIBLE, RULES, now,
        verdict={"conditions": [one.model_dump(mode="json") for one in failed]}
        | kept(said for one in failed for said in (one.problem, one.remedy)),
        inputs=application.content_digest,
    )  # fmt: skip
    _tell(
        session, application, outbox.Template.INELIGIBLE, now,
        attachment=f"letter/{paper_name(application, 'letter')}", conditions=conditions,
    )  # fmt: skip
    return False


def _facts(session: Session, application: Application, edition: RuleEdition) -> Facts:
    content = application.content
    teacher = session.get_one(Teacher, application.teacher)
    own = session.get_one(Organisation, session.get_one(School, teacher.school).organisation)
    asked = session.get(Organisation, content["organisation"]) if content["organisation"] else own
    project = session.get_one(Project, application.project)
    members = session.execute(_MEMBERS, {"project": project.id}).all()
    founders = frozenset(one.country for one in members if one.role == "founder")
    others = session.execute(
        _OF_TEACHER, {"teacher": application.teacher, "application": application.id}
    ).all()
    # "Earlier" is by submission, then id: of five submitted at once, the same four count always.
    earlier = [
        one
        for one in others
        if one.school_year == application.school_year
        and (one.outcome not in (Outcome.WITHDRAWN, Outcome.INELIGIBLE) or stays_refused(one))
        and (one.submitted_at, one.id) < (application.submitted_at, application.id)
    ]
    labelled = session.scalar(_LABELLED, {"teacher": application.teacher, "project": project.id})
    refusals = [o for o in others if o.project == project.id and stays_refused(o)]
    again = content["reapplication"]
    return Facts(
        is_member=any(one.teacher == teacher.id for one in members),
        european=len(founders) > 1,
        founder_countries=founders,
        project_ended_on=project.ended_on,
        teacher_organisation=own.id,
        teacher_country=own.country,
        organisation=asked.id if asked else str(content["organisation"]),
        organisation_kind=asked.kind if asked else "unknown",
        organisation_country=asked.country if asked else "",
        preconditions=content["preconditions"],
        placement=place(application.submitted_at, edition.national.calendar, application.country),
        earlier_this_year=len(earlier),
        labelled_on=labelled,
        earlier_refusals=len(refusals),
        attempt=application.attempt,
        named_criteria=again["criteria"] if again else None,
        description=content["description"],
        sections=content["sections"],
        submitted_at=application.submitted_at,
    )


# Built once: building a query takes longer than running it.
_MEMBERS = (
    sa.select(Member.teacher, Member.role, School.country)
    .join(Teacher, Teacher.id == Member.teacher)
    .join(School, School.id == Teacher.school)
    .where(Member.project == sa.bindparam("project"))
)
_OF_TEACHER = sa.select(
    Application.id,
    Application.project,
    Application.school_year,
    Application.submitted_at,
    Application.outcome,
    Application.instance,
).where(
    Application.label == "national",
    Application.teacher == sa.bindparam("teacher"),
    Application.id != sa.bindparam("application"),
)
_LABELLED = sa.select(sa.func.min(Award.awarded_on)).where(
    Award.label == "national",
    Award.teacher == sa.bindparam("teacher"),
    Award.project == sa.bindparam("project"),
    Award.revoked_at.is_(None),
)
_OF_PROJECT = sa.select(Application.id, Application.content["sections"].label("sections")).where(
    Application.label == "national",
    Application.project == sa.bindparam("project"),
    Application.teacher != sa.bindparam("teacher"),
)


def _warn_of_likeness(session: Session, application: Application, now: datetime) -> None:
    """Tells the coordinator where two applications of one project read alike: a warning, no verdict."""
    others = session.execute(
        _OF_PROJECT, {"project": application.project, "teacher": application.teacher}
    ).all()
    names = {one.id: one.name for one in rules_of(session, application).criteria_set.criteria}
    for other in others:
        likeness = similarity.similar(application.content["sections"], other.sections)
        if likeness.share < similarity.WARN_FROM:
            continue
        share = f"{likeness.share:.0%}"
        note(
            session, application, SYSTEM, "reads like another application", now,
            other=other.id, share=share, sections=list(likeness.sections),
        )  # fmt: skip
        organisation = session.get_one(Organisation, application.organisation)
        outbox.queue(
            session,
            reason=f"{application.id}/{outbox.Template.SIMILARITY_WARNING.value}/{other.id}",
            template=outbox.Template.SIMILARITY_WARNING,
            language=organisation.language,
            to_name=organisation.name,
            to_address=organisation.email,
            context=common_context(session, application)
            | {
                "other": other.id,
                "share": share,
                "sections": [names.get(one, one) for one in likeness.sections],
            },
            now=now,
            application=application.id,
        )


# Deciding ---------------------------------------------------------------------------------------


def decide(session: Session, application_id: str, *, now: datetime, key: bytes) -> Outcome:
    """The outcome by the rules that the application was submitted under; decided once.

    Raises:
        ValueError: reviews are still missing.
    """
    application = held(session, application_id)
    if application.outcome is not None:
        return application.outcome
    edition = rules_of(session, application)
    verdict = decide_by_rules(assessments(session, application), edition)
    outcome = Outcome(verdict.outcome)
    routes = _routes(session, application, edition, outcome, now)
    body = verdict.model_dump(mode="json") | {"routes": routes} | kept([*verdict.reasons, *routes])
    end(
        session, application, outcome, RULES, now,
        verdict=body, inputs=verdict.inputs_digest, score=verdict.total,
    )  # fmt: skip
    points = {"total": in_points(verdict.total), "maximum": str(verdict.maximum)}
    comments = list(verdict.comments)
    if outcome is Outcome.AWARDED:
        award = {
            "id": application.id,
            "label": "national",
            "teacher": application.teacher,
            "project": application.project,
            "school": application.school,
            "organisation": application.organisation,
            "awarded_on": brussels_day(now),
            "score": verdict.total,
        }
        write(session, Award, award)
        _tell(
            session, application, outbox.Template.AWARDED, now,
            attachment="certificate", second_attachment=f"letter/{paper_name(application, 'letter')}",
            comments=comments, **points,
        )  # fmt: skip
        return outcome
    right = None
    if appeal_days := edition.national.appeal_days.value * (application.instance == 1):
        right = _open_appeal(session, application, appeal_days, now=now, key=key)
    _tell(
        session, application, outbox.Template.REFUSED, now,
        attachment=f"letter/{paper_name(application, 'letter')}", step=right,
        reasons=list(verdict.reasons), comments=comments, routes=routes, **points,
    )  # fmt: skip
    return outcome


def _routes(
    session: Session, application: Application, edition: RuleEdition, outcome: Outcome, now: datetime
) -> list[Sentence]:
    if outcome is not Outcome.REFUSED:
        return []
    routes = []
    again = edition.national.reapplication
    others = session.execute(
        _OF_TEACHER, {"teacher": application.teacher, "application": application.id}
    ).all()
    refusals = 1 + sum(o.project == application.project and stays_refused(o) for o in others)
    if refusals <= again.times.value:  # what was withdrawn was never judged and does not count
        route = (
            say(
                "You may apply again for this project, naming the criteria to be looked at again and where the new evidence is."
            )
            if again.name_criteria.value
            else say("You may apply again for this project, with what the comments propose.")
        )
        if window := next_round(now, edition.national.calendar):
            route = one_after_another(
                route, say("The next round closes on {closes}.", closes=window.closes_at)
            )
        routes.append(route)
    days = edition.national.appeal_days.value
    if days and application.instance == 1:
        until = end_of_day(brussels_day(now) + timedelta(days=days))
        routes.append(
            say(
                "If the procedure was not followed, you may appeal until {until}: other people will then judge your "
                "application. The mail about this decision has the code and the command for it.",
                until=until,
            )
        )
    if not routes:
        routes.append(
            say(
                "A new project can be put forward at any time that your organisation takes applications; "
                "the comments above say what would make it stronger."
            )
        )
    return routes


def _open_appeal(session: Session, application: Application, days: int, *, now: datetime, key: bytes) -> str:
    step = open_step(
        session, application, StepKind.APPEAL, session.get_one(Teacher, application.teacher).email,
        now=now, key=key, due=end_of_day(brussels_day(now) + timedelta(days=days)),
    )  # fmt: skip
    return step.id


def end(
    session: Session,
    application: Application,
    outcome: Outcome,
    who: str,
    now: datetime,
    *,
    verdict: dict[str, Any],
    inputs: str,
    score: float | None = None,
) -> None:
    """Puts an outcome into the record: the decision, the journal, and the end of every step that is open."""
    decision = {
        "application": application.id,
        "instance": application.instance,
        "outcome": outcome,
        "score": score,
        "verdict": verdict,
        "inputs_digest": inputs,
        "rules": application.rules,
        "decided_at": now,
    }
    write(session, Decision, decision)
    application.outcome = outcome
    application.stage, application.stage_since = Stage.DECIDED, now
    for step in steps_of(session, application):
        if step.state in (StepState.OPEN, StepState.ASKED):
            _end_step(session, application, step, outcome, now)
    note(session, application, who, outcome.value, now, inputs=inputs, rules=application.rules, score=score)


def _end_step(
    session: Session, application: Application, step: Step, outcome: Outcome, now: datetime
) -> None:
    close_step(step, StepState.VOID, now, f"the application is {outcome.value}")
    if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
        return
    name, language = person_named(session, step.assignee)
    outbox.queue(
        session,
        reason=f"{application.id}/{outbox.Template.REVIEW_VOID.value}/{step.id}",
        template=outbox.Template.REVIEW_VOID,
        language=language,
        to_name=name,
        to_address=step.assignee,
        context=common_context(session, application)
        | {"step": step.id, "due": "", "reason": step.closed_because},
        now=now,
        application=application.id,
        step=step.id,
    )


def _tell(
    session: Session,
    application: Application,
    template: outbox.Template,
    now: datetime,
    *,
    attachment: str | None = None,
    second_attachment: str | None = None,
    step: str | None = None,
    **context: Any,
) -> None:
    applicant = session.get_one(Teacher, application.teacher)
    outbox.queue(
        session,
        reason=f"{application.id}/{template.value}/{application.instance}",
        template=template,
        language=applicant.language,
        to_name=applicant.name,
        to_address=applicant.email,
        context=common_context(session, application) | context,
        now=now,
        application=application.id,
        step=step,
        attachment=attachment,
        second_attachment=second_attachment,
    )


# The applicant ----------------------------------------------------------------------------------


def withdraw(
    session: Session, application_id: str, email: str, code: str, *, now: datetime, key: bytes
) -> Refusal | None:
    """Ends the application by its applicant's wish; None means that it is done."""
    application = held(session, application_id)
    right = _right(session, application, StepKind.WITHDRAWAL, email, code, now=now, key=key)
    if isinstance(right, Refusal):
        return right
    close_step(right, StepState.ANSWERED, now)
    end(
        session, application, Outcome.WITHDRAWN, right.assignee, now,
        verdict={}, inputs=application.content_digest,
    )  # fmt: skip
    _tell(session, application, outbox.Template.WITHDRAWN, now)
    return None


def appeal(
    session: Session,
    application_id: str,
    email: str,
    code: str,
    grounds: str,
    *,
    now: datetime,
    key: bytes,
) -> Refusal | None:
    """Reopens a refused application for other reviewers; the old decision stays in the record."""
    application = held(session, application_id)
    right = _right(session, application, StepKind.APPEAL, email, code, now=now, key=key)
    if isinstance(right, Refusal):
        return right
    if right.due_at and now > right.due_at:
        return Refusal(f"An appeal could be lodged until {in_words(right.due_at)}.")
    if application.stage is not Stage.CLOSED:
        return Refusal("The decision is still being sent; please try again in a minute.")
    session.get_one(Teacher, application.teacher, with_for_update=True)  # as whoever submits does
    if again := session.scalar(_OPEN_AGAIN, {"teacher": application.teacher, "project": application.project}):
        return Refusal(
            f"You have applied again for this project ({again}). To appeal instead, withdraw that first: "
            f"labels withdraw {again} --as EMAIL --code CODE"
        )
    close_step(right, StepState.ANSWERED, now)
    right.answer = {"grounds": grounds}
    application.instance += 1
    application.outcome = None
    application.run = None
    application.runs += 1
    application.stage, application.stage_since = Stage.SUBMITTED, now
    note(session, application, right.assignee, "appealed", now, step=right.id, grounds=grounds)
    way_out = open_step(session, application, StepKind.WITHDRAWAL, right.assignee, now=now, key=key)
    _tell(session, application, outbox.Template.APPEAL_RECEIVED, now, step=way_out.id)
    return None


_OPEN_AGAIN = sa.select(Application.id).where(
    Application.label == "national",
    Application.teacher == sa.bindparam("teacher"),
    Application.project == sa.bindparam("project"),
    Application.outcome.is_(None),
)


def _right(
    session: Session,
    application: Application,
    kind: StepKind,
    email: str,
    code: str,
    *,
    now: datetime,
    key: bytes,
) -> Step | Refusal:
    for step in session.scalars(
        sa.select(Step)
        .where(Step.application == application.id, Step.kind == kind)
        .order_by(Step.number.desc())
    ):
        refusal = prove(session, step, email, code, now=now, key=key)
        return refusal or step
    if application.outcome is not None:
        return Refusal(f"{application.id} is {application.outcome.value}.")
    return Refusal(f"The rules of {application.organisation} know no {kind.value} here.")


# Papers -----------------------------------------------------------------------------------------


def paper_name(application: Application, kind: str) -> str:
    """The file name of a certificate or letter: `letter-NQL-….pdf`, `letter-NQL-…-2.pdf` on appeal."""
    suffix = f"-{application.instance}" if application.instance > 1 else ""
    return f"{kind}-{application.id}{suffix}.pdf"


def close(session: Session, application_id: str, *, now: datetime) -> Outcome:
    """Closes an application whose papers are stored and whose mail is in the outbox.

    Raises:
        NotAllowed: it has no outcome yet.
    """
    application = held(session, application_id)
    if application.outcome is None:
        raise NotAllowed(f"{application.id} has no outcome yet.")
    if application.stage is not Stage.CLOSED:
        application.stage, application.stage_since = Stage.CLOSED, now
        note(session, application, SYSTEM, "closed", now)
    return application.outcome
