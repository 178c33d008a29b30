"""How a school's application ends: with a label for two years, a refusal that can be made good, or its deadline."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications import ending
from labels.applications.file import digest
from labels.clock import brussels_day
from labels.identifiers import paper_id
from labels.kinds import LabelKind
from labels.mail import messages
from labels.record.journal import RULES
from labels.record.schema import Application, Award, Outcome, PaperKind, SchoolRound, Step, StepState
from labels.registry.history import all_numbers
from labels.reviews.deciding import pronounce, reached, write_award
from labels.reviews.instances import certificate_edition
from labels.rules.calendars import end_of_working_day
from labels.rules.kept import rules_of
from labels.school_label import receiving
from labels.school_label.inviting import invite_again
from labels.school_label.people import tell_everyone
from labels.school_label.rounds import due_at
from labels.school_label.validity import Span, last_day, span
from labels.steps.mailing import about
from labels.steps.step import awaited_of, close_step, every_step, locked
from labels.turn import Turn
from labels.words.sentences import Sentence, kept, say


def decide(turn: Turn, application_id: str) -> Outcome:
    """The outcome by the rules that the school was invited under; decided once.

    Raises:
        ValueError: reviews are still missing.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return application.outcome
    edition = rules_of(turn.session, application)
    verdict, who = reached(turn.session, application, edition)
    outcome = Outcome(verdict.outcome)
    due = _due(turn.session, application)
    in_time = outcome is Outcome.REFUSED and due is not None and turn.now < due
    routes = [] if outcome is Outcome.AWARDED else [_route(turn, application, due if in_time else None)]
    told = pronounce(turn, application, verdict, routes, who)
    letter = paper_id(PaperKind.LETTER, application.id, application.instance)
    if outcome is Outcome.AWARDED:
        awarded_on = brussels_day(turn.now)
        valid = _span(turn.session, application, awarded_on)
        write_award(turn, application, verdict.total, valid_from=valid.begins, valid_until=valid.ends)
        won = messages.SchoolAwarded(
            **told, awarded_on=awarded_on, valid_from=valid.begins, valid_until=valid.ends
        )
        certified = certificate_edition(turn.session, application)
        tell_everyone(
            turn, application, won, paper_id(PaperKind.CERTIFICATE, application.id, certified), letter
        )
        return outcome
    refused = messages.SchoolRefused(**told, reasons=verdict.reasons, routes=tuple(routes))
    tell_everyone(turn, application, refused, letter)
    if (
        in_time
        and due is not None
        and not turn.session.scalar(_INVITED_SINCE, {"application": application.id})
    ):
        invite_again(turn, application, due)
    return outcome


_FORMER = sa.orm.aliased(Application)

_INVITED_SINCE = (
    sa.select(Application.id)
    .join(_FORMER, _FORMER.school == Application.school)
    .where(
        _FORMER.id == sa.bindparam("application"),
        Application.label == LabelKind.SCHOOL,
        Application.id != _FORMER.id,
        sa.or_(
            Application.outcome.is_(None),
            sa.and_(Application.round == _FORMER.round, Application.attempt > _FORMER.attempt),
        ),
    )
    .limit(1)
)
"""Where a reopened decision is a refusal again, the school may have a newer application already."""


def _span(session: Session, application: Application, awarded_on: date) -> Span:
    """When the label is valid that a school is awarded now."""
    [numbers] = all_numbers(session, [application.school or ""])
    rules = rules_of(session, application).school
    former = session.execute(
        sa.select(Award.awarded_on, Award.valid_until).where(
            Award.label == LabelKind.SCHOOL,
            Award.school.in_(numbers),
            Award.id != application.id,
            Award.awarded_on
            <= brussels_day(application.submitted_at),  # not one that was won since, where this is reopened
            Award.revoked_at.is_(None),
        )
    )
    years = rules.certificate_years.value
    former_ends = max((one.valid_until or last_day(one.awarded_on, years) for one in former), default=None)
    return span(rules, int(application.round or awarded_on.year), awarded_on, former_ends)


def pass_deadline(turn: Turn, application: Application, step: Step) -> str:
    """Closes an application that was not handed in, or not declared, in time; tells everybody, with the next round.

    Where a coordinator gave a colleague more time, only this teacher's own step ends.
    """
    longer = [
        other
        for other in awaited_of(application, every_step(turn.session, application))
        if other.id != step.id and other.kind in receiving.ASKED and other.due_at and other.due_at >= turn.now
    ]
    if longer:
        close_step(step, StepState.EXPIRED, turn.now, "the deadline has passed")
        return "its time is over; a colleague has more"
    route = _route(turn, application, None)
    ending.end(
        turn,
        application,
        Outcome.EXPIRED,
        RULES,
        verdict={"routes": [route]} | kept([route]),
        inputs=digest({"application": application.id, "due": str(step.due_at)}),
    )
    expired = messages.SchoolExpired(about=about(turn.session, application), due=step.due_at, routes=(route,))
    tell_everyone(turn, application, expired)
    return "nothing was handed in in time; the application is closed"


def _due(session: Session, application: Application) -> datetime | None:
    one = session.get(SchoolRound, int(application.round or 0))
    if one is None:
        return None
    own = due_at(session, one, application.organisation, rules_of(session, application).school)
    return end_of_working_day(own, application.country)


def _route(turn: Turn, application: Application, due: datetime | None) -> Sentence:
    if due is not None:
        return say(
            "The deadline of this round is {due}: until then you may improve your self-assessment and hand it in again. "
            "A new invitation with a new code follows.",
            due=due,
        )
    opens = rules_of(turn.session, application).school.opens.value
    today = brussels_day(turn.now)
    day = date.fromisoformat(f"{today.year}-{opens}")
    if day <= today:
        day = day.replace(year=today.year + 1)
    return say(
        "The next round begins on {day}: your school is looked at again, and invited if it meets the conditions then.",
        day=day,
    )
