"""A decision reopened: what hangs on it falls, the process goes back to where the cause says, and everybody is told.

The decision stays in the record; the new one is that of another instance. Showing and doing are one piece of code, as
for what is taken back (`labels/revoking/reopening.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import numbers_of
from labels.applications.ending import tell_applicant
from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.kinds import KINDS, Applicant, LabelKind
from labels.mail import messages
from labels.mending import DeclareConflict, LookAtCase
from labels.people.staff import central_organisation, those_who_coordinate
from labels.record.journal import Event, note
from labels.record.schema import (
    Application,
    Award,
    Cause,
    Decision,
    Issued,
    Outcome,
    PaperKind,
    Reopening,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import conflicts
from labels.reviews.asking import seated_reviews, void_review
from labels.reviews.choosing import conflicts_of_interest
from labels.reviews.instances import counted_from
from labels.revoking.reopening import (
    Consequences,
    as_shown,
    has_certificate,
    holder_of,
    leave_cycles,
    name_schools,
    pupils_of,
    tried_out,
)
from labels.school_label.people import tell_everyone
from labels.steps.mailing import about, tell
from labels.steps.step import every_step, locked, open_step, void_open
from labels.turn import Turn
from labels.words.sentences import say


@dataclass(frozen=True, slots=True)
class Reopened:
    """A decision that is reopened, and why."""

    application: str
    cause: Cause


def consequences(turn: Turn, subject: Reopened) -> Consequences:
    """What hangs on a decision; nothing is changed.

    Raises:
        NotFound: there is no such application.
        NotAllowed: it can't be reopened, or not for that cause.
    """
    return tried_out(turn, lambda trial: _reopen(trial, subject, ""))


def reopen(turn: Turn, subject: Reopened, plan: str, reason: str) -> Consequences:
    """Reopens a decision with all that hangs on it, if that is what was shown.

    Raises:
        NotFound: there is no such application.
        NotAllowed: it can't be reopened, or not for that cause, or something else hangs on it by now.
    """
    return as_shown(_reopen(turn, subject, reason), plan)


# What a conflict of interest hangs on -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resting:
    """A decision that rests on a review of somebody with a conflict of interest."""

    application: str
    outcome: Outcome
    review: str
    """The step."""


def resting_on(session: Session, application: Application, person_id: str) -> list[Resting]:
    """The decisions about this applicant that rest on what a person judged, who now has a conflict with them."""
    same = (
        Application.teacher.in_(numbers_of(sa.literal(application.teacher)))
        if application.teacher
        else (Application.school == application.school)
    )
    decided = session.scalars(
        sa.select(Application)
        .where(same, Application.label == application.label, Application.outcome.in_(_JUDGED))
        .order_by(Application.id)
    )
    found = []
    for one in decided:
        for step, _ in _judged_in_conflict(session, one):
            if step.person == person_id and one.outcome is not None:
                found.append(Resting(one.id, one.outcome, step.id))
    return found


def _judged_in_conflict(session: Session, application: Application) -> list[tuple[Step, str]]:
    """The reviews that the present decision rests on and should not have been given, each with why."""
    judged = conflicts.judged(session, application)
    given = [
        step
        for step in seated_reviews(session, application, every_step(session, application))
        if step.state is StepState.ANSWERED
    ]
    people = conflicts.anybody(session, {step.person for step in given})
    return [
        (step, "; ".join(why))
        for step in given
        if (why := conflicts_of_interest(people[step.person], judged))
    ]


# Doing --------------------------------------------------------------------------------------------

_JUDGED = (Outcome.AWARDED, Outcome.REFUSED)


def _reopen(turn: Turn, subject: Reopened, reason: str) -> Consequences:
    application = locked(turn.session, subject.application)
    _may_be_reopened(turn.session, application, subject.cause)
    former = turn.session.get_one(Decision, (application.id, application.instance))
    in_conflict = _judged_in_conflict(turn.session, application) if subject.cause is Cause.CONFLICT else []
    if subject.cause is Cause.CONFLICT and not in_conflict:
        raise NotAllowed(
            say(
                "Nobody whose review counts in {application} is known to have a conflict of interest with who applies.",
                application=application.id,
            ),
            DeclareConflict(application.id),
        )
    done = Consequences()
    decided = f"{former.outcome.value.capitalize()} on {brussels_day(former.decided_at)}: the decision is made again, and this one stays in the record."
    done.add("decision", application.id, decided)
    seated = seated_reviews(turn.session, application, every_step(turn.session, application))
    suspended = _suspend(turn, application, done)
    void_open(turn, application, StepKind.APPEAL, "the decision was reopened")
    _begin_again(turn, application, subject.cause)
    for step, why in in_conflict:
        void_review(turn, application, step, f"conflict of interest: {why}", turn.by)
    _name_reviews(
        turn.session, application, subject.cause, seated, {step.id for step, _ in in_conflict}, done
    )
    done.touched.append(application.id)
    done.add("statistics", "all", "Counted from the record, they change by themselves.")
    note(
        turn,
        application,
        turn.by,
        Event.REOPENED,
        cause=subject.cause.value,
        decided=former.outcome.value,
        because=reason,
    )
    _tell_applicant(turn, application, subject.cause, reason, suspended=suspended)
    void = {step.person for step, _ in in_conflict}
    _tell_staff(turn, application, subject.cause, reason, seated, void, done)
    return done


def _may_be_reopened(session: Session, application: Application, cause: Cause) -> None:
    """Refuses what can't be reopened."""
    if KINDS[application.label].applicant not in (Applicant.TEACHER, Applicant.SCHOOL):
        raise NotAllowed(
            say(
                "{application} is no application of a teacher or a school. What it led to is taken back by its number.",
                application=application.id,
            )
        )
    if application.outcome is None:
        raise NotAllowed(
            say("{application} is not decided: there is nothing to reopen.", application=application.id)
        )
    if application.stage is not Stage.CLOSED:
        raise NotAllowed(say("The decision is still being sent; please try again in a minute."))
    ineligible = application.outcome is Outcome.INELIGIBLE
    if not ineligible and application.outcome not in _JUDGED:
        raise NotAllowed(
            say("Nobody judged {application}: there is nothing to reopen.", application=application.id)
        )
    if ineligible and cause is not Cause.REGISTRY:
        raise NotAllowed(
            say(
                "{application} did not meet the conditions, so nobody judged it. Only a wrong registry reopens that.",
                application=application.id,
            )
        )
    if application.label is LabelKind.SCHOOL and cause is Cause.REGISTRY:
        raise NotAllowed(
            say(
                "A school’s conditions are checked in the yearly round, not in its application: a wrong registry reopens "
                "nothing of it."
            )
        )
    if later := session.scalar(
        _LATER,
        {
            "application": application.id,
            "teacher": application.teacher,
            "project": application.project,
            "school": application.school,
            "round": application.round,
            "label": application.label,
            "at": application.submitted_at,
        },
    ):
        raise NotAllowed(
            say(
                "{later} was handed in after {application} for the same, and is under way or awarded.",
                later=later,
                application=application.id,
            ),
            LookAtCase(later),
        )


_LATER = (
    sa.select(Application.id)
    .outerjoin(Award, Award.id == Application.id)
    .where(
        Application.id != sa.bindparam("application"),
        Application.label == sa.bindparam("label"),
        sa.or_(
            sa.and_(
                Application.teacher.in_(numbers_of(sa.bindparam("teacher"))),
                Application.project == sa.bindparam("project"),
            ),
            sa.and_(
                Application.teacher.is_(None),
                Application.school == sa.bindparam("school"),
                Application.round == sa.bindparam("round"),
                Application.stage != Stage.SELF_ASSESSMENT,  # invited, nothing received: it may go on beside
            ),
        ),
        sa.or_(
            Application.outcome.is_(None),
            sa.and_(
                Application.submitted_at > sa.bindparam("at"),
                Application.outcome == Outcome.AWARDED,
                Award.revoked_at.is_(None),
            ),
        ),
    )
    .order_by(Application.id)
    .limit(1)
)


def _suspend(turn: Turn, application: Application, done: Consequences) -> bool:
    """The label does not count until the new decision; whether there was one that did."""
    award = turn.session.get(Award, application.id)
    if award is None or award.revoked_at is not None:
        return False
    award.revoked_at = turn.now
    who, name = holder_of(turn.session, award), KINDS[award.label].name
    done.add("label", award.id, f"{name} of {who}: does not count until the new decision.")
    if has_certificate(turn.session, award, application):
        done.add(
            "certificate", award.id, f"The certificate of {who} is not valid; a new award brings a new one."
        )
    if pupils := pupils_of(turn.session, award):
        done.add(
            "pupils",
            award.id,
            f"{pupils} pupils’ certificates are not valid until the label is awarded again.",
        )
    if award.label is LabelKind.NATIONAL:
        leave_cycles(turn, award, f"The decision on {award.id} was reopened.", done)
        name_schools(turn.session, award, done)
    return True


def _begin_again(turn: Turn, application: Application, cause: Cause) -> None:
    """The application's next instance, whose run begins at the first line."""
    counted = counted_from(turn.session, application.id, application.instance)
    application.instance += 1
    last = sa.select(sa.func.max(Issued.edition)).where(
        Issued.kind == PaperKind.CERTIFICATE, Issued.subject == application.id
    )
    turn.session.add(
        Reopening(
            application=application.id,
            instance=application.instance,
            cause=cause,
            counted_from=application.instance if cause is Cause.APPEAL else counted,
            certificate=1 + (turn.session.scalar(last) or 0),
            reopened_at=turn.now,
        )
    )
    application.outcome = None
    application.run = None
    application.runs += 1
    application.stage, application.stage_since = Stage.SUBMITTED, turn.now
    turn.session.flush()


def _name_reviews(
    session: Session,
    application: Application,
    cause: Cause,
    seated: Sequence[Step],
    void: set[str],
    done: Consequences,
) -> None:
    if cause is Cause.REGISTRY:
        done.add("conditions", application.id, "They are checked anew.")
    for step in seated:
        if step.id in void:
            done.add("review", step.id, f"That of {step.assignee} counts no longer; somebody else is asked.")
        elif cause is Cause.APPEAL:
            done.add("review", step.id, f"That of {step.assignee} counts no longer; other people judge.")
        else:
            done.add("review", step.id, f"That of {step.assignee} stays.")


# Telling ------------------------------------------------------------------------------------------


def _tell_applicant(
    turn: Turn, application: Application, cause: Cause, reason: str, *, suspended: bool
) -> None:
    """Whoever applies is told without the coordinator's words where these may name a reviewer."""
    message = messages.DecisionReopened(
        about=about(turn.session, application),
        cause=cause,
        suspended=suspended,
        reason="" if cause is Cause.CONFLICT else reason,
    )
    if application.label is LabelKind.SCHOOL:
        tell_everyone(turn, application, message)
        return
    teacher = turn.session.get_one(Teacher, application.teacher)
    way_out = open_step(turn, application, StepKind.WITHDRAWAL, teacher.person)
    turn.session.flush()
    tell_applicant(turn, application, message, step=way_out.id)


def _tell_staff(
    turn: Turn,
    application: Application,
    cause: Cause,
    reason: str,
    seated: Sequence[Step],
    void: set[str],
    done: Consequences,
) -> None:
    """Reviewers learn of their own review alone; coordinators, and the Central Support Service where something was put
    forward, of what hung on the decision."""
    common, instance = about(turn.session, application), application.instance
    for step in seated:
        theirs = step.person in void
        message = messages.Reopening(
            about=common,
            cause=cause,
            review_counts=not theirs and cause is not Cause.APPEAL,
            reason=reason if theirs else "",
        )
        tell(turn, application, step.person, message, instance, step.id)
    hung = tuple(f"{one.subject}: {one.what}" for one in done.found if one.kind != "statistics")
    for one in those_who_coordinate(turn.session, application.organisation):
        message = messages.Reopening(about=common, cause=cause, reason=reason, consequences=hung)
        tell(turn, application, one.id, message, instance, one.id)
    if not any(one.kind in ("nomination", "project", "award") for one in done.found):
        return
    open_to_them = tuple(
        f"{one.subject}: {one.what}" for one in done.found if one.kind not in ("statistics", "review")
    )
    for one in those_who_coordinate(turn.session, central_organisation(turn.session).id):
        message = messages.Reopening(about=common, cause=cause, consequences=open_to_them)
        tell(turn, application, one.id, message, instance, one.id)
