"""The decision on a National Quality Label by the rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.ending import end, tell_applicant
from labels.applications.submitting import applications_of, stays_refused
from labels.clock import brussels_day
from labels.identifiers import paper_id
from labels.mail import messages
from labels.mail.message import About
from labels.record.journal import RULES
from labels.record.rows import read, write
from labels.record.schema import Application, Award, Organisation, Outcome, PaperKind, Step, StepKind, Teacher
from labels.reviews.asking import assessments, seated_reviews
from labels.reviews.instances import certificate_edition, was_heard_on_appeal
from labels.reviews.ruling import ruled
from labels.reviews.scoring import Verdict, judge, points_of, rule
from labels.rules.calendars import end_of_working_day, next_round
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.steps.mailing import about
from labels.steps.step import every_step, locked, open_step
from labels.turn import Turn
from labels.words.sentences import Sentence, kept, one_after_another, say

# Deciding ---------------------------------------------------------------------------------------


def decide(turn: Turn, application_id: str) -> Outcome:
    """The outcome by the rules that the application was submitted under; decided once.

    Raises:
        ValueError: reviews are still missing.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return application.outcome
    turn = _after_what_it_rests_on(turn, application)
    edition = rules_of(turn.session, application)
    verdict, who = reached(turn.session, application, edition)
    outcome = Outcome(verdict.outcome)
    routes = _routes(turn, application, edition, outcome, commented=bool(verdict.comments))
    told = pronounce(turn, application, verdict, routes, who)
    letter = paper_id(PaperKind.LETTER, application.id, application.instance)
    if outcome is Outcome.AWARDED:
        write_award(turn, application, verdict.total)
        certified = certificate_edition(turn.session, application)
        certificate = paper_id(PaperKind.CERTIFICATE, application.id, certified)
        tell_applicant(
            turn,
            application,
            messages.Awarded(**told),
            attachments=(certificate, letter),
        )
        return outcome
    right = None
    if appeal_days := _appeal_days(turn, application, edition):
        right = _open_appeal(turn, application, appeal_days)
    refused = messages.Refused(**told, reasons=verdict.reasons, routes=tuple(routes))
    tell_applicant(turn, application, refused, attachments=(letter,), step=right)
    return outcome


def _after_what_it_rests_on(turn: Turn, application: Application) -> Turn:
    """The same turn, no earlier than the last answer: that may have been given on a machine whose clock is ahead of this
    one's, and what was decided is made again from the answers before it."""
    last = read(turn.session, _LAST_ANSWER, {"application": application.id}).scalar_one()
    return turn if last is None or last <= turn.now else dataclasses.replace(turn, now=last)


_LAST_ANSWER = sa.select(sa.func.max(Step.closed_at)).where(Step.application == sa.bindparam("application"))


def reached(session: Session, application: Application, edition: RuleEdition) -> tuple[Verdict, str]:
    """The verdict on an application whose reviews are in, by the rules or by the person to whom they leave it, and who
    decided.

    Raises:
        ValueError: reviews, or the decision of a person, are still missing; or its words were erased.
    """
    given = assessments(session, application)
    if not edition.national.review.by_a_person:
        return judge(given, edition), RULES
    steps = every_step(session, application)
    reviews = seated_reviews(session, application, steps)
    by_person = ruled(steps, application.instance, (one.closed_at for one in reviews if one.closed_at))
    if by_person is None:
        raise ValueError(f"{application.id} awaits the decision of a coordinator")
    if by_person.erased:
        raise ValueError(f"{application.id}: what the coordinator decided was erased")
    return rule(given, edition, by_person.outcome, by_person.reason), by_person.by


class Told(TypedDict):
    """What every mail about a decision by points tells."""

    about: About
    total: Decimal
    maximum: Decimal
    comments: tuple[str, ...]


def pronounce(
    turn: Turn, application: Application, verdict: Verdict, routes: Sequence[Sentence], who: str
) -> Told:
    """Puts a verdict into the record, with the ways forward and who decided; returns what the mail about it tells."""
    body = verdict.model_dump(mode="json") | {"routes": routes} | kept([*verdict.reasons, *routes])
    outcome = Outcome(verdict.outcome)
    end(turn, application, outcome, who, verdict=body, inputs=verdict.inputs_digest, score=verdict.total)
    return Told(
        about=about(turn.session, application),
        total=points_of(verdict.total),
        maximum=Decimal(verdict.maximum),
        comments=verdict.comments,
    )


def write_award(
    turn: Turn,
    application: Application,
    score: float,
    *,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> None:
    """The label that an application is awarded; without a last day it stays.

    Where the decision had been reopened, the label counts again, from the new decision on.
    """
    award = {
        "id": application.id,
        "label": application.label,
        "teacher": application.teacher,
        "project": application.project,
        "school": application.school,
        "organisation": application.organisation,
        "awarded_on": brussels_day(turn.now),
        "score": score,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    former = turn.session.get(Award, application.id) if application.instance > 1 else None
    if former is None:
        write(turn.session, Award, award)
        return
    for name, value in award.items():
        setattr(former, name, value)
    former.revoked_at = None


def _routes(
    turn: Turn, application: Application, edition: RuleEdition, outcome: Outcome, *, commented: bool
) -> list[Sentence]:
    """What somebody who was refused can do: how, until when, and whom to ask; of comments only where there are any."""
    if outcome is not Outcome.REFUSED:
        return []
    routes = []
    again = edition.national.reapplication
    refusals = 1 + sum(
        one.project == application.project and one.id != application.id and stays_refused(one)
        for one in applications_of(turn.session, application.teacher or "")
    )
    if refusals <= again.times.value:  # what was withdrawn was never judged and does not count
        route = (
            say(
                "You may apply again for this project, naming the criteria to be looked at again and where the new evidence is."
            )
            if again.name_criteria.value
            else say("You may apply again for this project, with what the comments propose.")
            if commented
            else say("You may apply again for this project.")
        )
        window = next_round(turn.now, edition.national.calendar)
        ends = (
            say("The next round closes on {closes}.", closes=window.closes_at)
            if window
            else say("Applications are taken all year.")
        )
        route = one_after_another(route, ends)
        routes.append(route)
    if days := _appeal_days(turn, application, edition):
        until = _appeal_until(turn, application, days)
        routes.append(
            say(
                "If the procedure was not followed, you may appeal until {until}: other people will then "
                "judge your application. The mail about this decision has the code for it.",
                until=until,
            )
        )
    if not routes:
        routes.append(
            say(
                "A new project can be put forward whenever your National Support Organisation takes "
                "applications; the comments above show what would make it stronger."
            )
            if commented
            else say(
                "A new project can be put forward whenever your National Support Organisation takes applications."
            )
        )
    address = turn.session.get_one(Organisation, application.organisation).email
    routes.append(say("Questions about this decision: {address}", address=address))
    return routes


def _appeal_days(turn: Turn, application: Application, edition: RuleEdition) -> int:
    """For how many days somebody who was refused may appeal: not at all where that was done."""
    return 0 if was_heard_on_appeal(turn.session, application) else edition.national.appeal_days.value


def _open_appeal(turn: Turn, application: Application, days: int) -> str:
    step = open_step(
        turn,
        application,
        StepKind.APPEAL,
        turn.session.get_one(Teacher, application.teacher).person,
        due=_appeal_until(turn, application, days),
    )
    return step.id


def _appeal_until(turn: Turn, application: Application, days: int) -> datetime:
    return end_of_working_day(turn.now + timedelta(days=days), application.country)
