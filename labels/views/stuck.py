"""What nobody can move: open applications without an owner, a date ahead or a way on, and what mends each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.answering.deadlines import STILL_OPEN, end_of
from labels.answering.reminders import DECIDED_BY
from labels.applications.printed import unprintable
from labels.clock import brussels_day, in_words
from labels.errors import InvalidInput
from labels.european_label.freezing import rules_day, window
from labels.kinds import LabelKind
from labels.mail import outbox
from labels.mending import (
    BeginCycle,
    GoOnWithRound,
    ImportRegistry,
    KeepUp,
    LookAtCase,
    LookAtMail,
    Mend,
    MoveDeadline,
    Reassign,
    Recover,
    TellAgain,
)
from labels.people.roles import Role
from labels.platform import webhooks
from labels.record.schema import (
    OPEN_STAGES,
    Application,
    Award,
    Cycle,
    Journal,
    Mail,
    Organisation,
    SchoolRound,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.registry.letters import Missing, nothing_missing
from labels.rules.model import RuleEdition
from labels.steps.delivered import UNDELIVERED
from labels.steps.kinds import AWAITED

A_MOMENT = timedelta(minutes=10)
"""What is under way is not stuck: upkeep comes by every ten minutes and mends what it can."""

A_WHILE = timedelta(hours=1)
"""The same for what may have thousands of certificates or messages to make."""

DAYS_WITHOUT_NEWS = timedelta(days=2)
"""For how long a message may wait for that of the day."""

TRIES = 3
"""Attempts after which a message is told of: the first two are a quarter of an hour."""

ROUND_WITHIN = timedelta(hours=1)
"""A round checks and invites within minutes; after this it has lost its run."""

MISSED_AFTER = timedelta(days=1)
"""A year that its schedule has not begun by the day after was missed."""

WAITING = tuple(stage for stage in OPEN_STAGES if stage not in (Stage.SUBMITTED, Stage.DECIDED))
"""Stages in which an application waits for somebody; in the other two its run is at work."""


class Problem(StrEnum):
    """Why something does not go on by itself, for programs; people read the reason."""

    NO_RUN = "no run"
    NOT_SEEN = "not seen"
    """Its run has not looked at what happened."""
    IDLE = "idle"
    NOBODY_AWAITED = "nobody awaited"
    DEPARTED = "departed"
    """Whoever is awaited may not answer any more."""
    DEADLINE_PASSED = "deadline passed"
    """And upkeep did nothing about it."""
    OVERDUE = "overdue"
    UNDATED = "undated"
    MAIL_FAILED = "mail failed"
    MAIL_WAITS = "mail waits"
    """For a paper that is not stored."""
    MAIL_UNTRIED = "mail untried"
    ROUND_UNFINISHED = "round unfinished"
    YEAR_MISSED = "year missed"
    """Its schedule came and went, and nothing began."""
    UNCOORDINATED = "uncoordinated"
    UNPRINTABLE = "unprintable"
    """Its certificate could not be printed."""
    WEBHOOK_FAILED = "webhook failed"
    """A platform was not told for three days, or has the telling ended."""
    CLOCK = "clock"
    """It runs backwards."""
    PREFECT_AWAY = "prefect away"
    RUN_AILING = "run ailing"
    """As Prefect knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """One thing that does not go on by itself."""

    problem: Problem
    subject: str
    """The application; an organisation or a message where it is not about one."""
    organisation: str | None = None
    stage: str | None = None
    awaits: str | None = None
    """Whose turn it is."""
    since: datetime | None = None
    reason: str
    """The problem in a sentence."""
    mend: Mend


def stuck(session: Session, now: datetime, missing: Missing = nothing_missing) -> list[Stuck]:
    """Everything that the record alone shows to be stuck; whether each run is well, Prefect knows.

    `missing` tells which letters of a name no font has.
    """
    found = [
        one
        for look in (
            _runless,
            _unseen,
            _idle,
            _unowned,
            _departed,
            _overdue,
            _undated,
            _unsent,
            _untold,
            _uncoordinated,
            _unfinished,
        )
        for one in look(session, now)
    ]
    found += [
        _of(application, Problem.UNPRINTABLE, str(one), ImportRegistry(one.file))
        for application, one in unprintable(session, _OPEN, missing)
    ]
    return in_order(list({(one.subject, one.reason, one.awaits): one for one in reversed(found)}.values()))


def in_order(found: list[Stuck]) -> list[Stuck]:
    """By organisation, and what is about one application together."""
    return sorted(found, key=lambda one: (one.organisation or "", one.subject, one.reason))


def _of(application: Application, problem: Problem, reason: str, mend: Mend, **more: Any) -> Stuck:
    return Stuck(
        problem=problem, subject=application.id, organisation=application.organisation, stage=application.stage.value,
        reason=reason, mend=mend, **{"since": application.stage_since} | more,
    )  # fmt: skip


_OPEN = Application.stage.in_(OPEN_STAGES)
_NOT_SEEN = Application.parked_revision < Application.revision
_ITS_STEP = (Step.application == Application.id, Step.instance == Application.instance)
_AWAITED = (STILL_OPEN, Step.kind.in_(AWAITED), *_ITS_STEP, Application.outcome.is_(None), _OPEN)


def _runless(session: Session, now: datetime) -> Iterator[Stuck]:
    for one in session.scalars(
        sa.select(Application).where(
            _OPEN, Application.run.is_(None), Application.stage_since < now - A_MOMENT
        )
    ):
        yield _of(one, Problem.NO_RUN, "No run drives it.", Recover())


def _unseen(session: Session, now: datetime) -> Iterator[Stuck]:
    newest = (
        sa.select(sa.func.max(Journal.at))
        .where(Journal.application == Application.id)
        .correlate(Application)
        .scalar_subquery()
    )
    for one, at in session.execute(
        sa.select(Application, newest).where(
            _OPEN, _NOT_SEEN, Application.run.is_not(None), newest < now - A_MOMENT
        )
    ):
        yield _of(
            one,
            Problem.NOT_SEEN,
            f"Its run has not seen what happened at {in_words(at)}.",
            Recover(),
            since=at,
        )


def _idle(session: Session, now: datetime) -> Iterator[Stuck]:
    """At work for longer than any execution takes, while nothing is new."""
    for one in session.scalars(
        sa.select(Application).where(
            Application.stage.in_((Stage.SUBMITTED, Stage.DECIDED)),
            ~_NOT_SEEN,
            Application.run.is_not(None),
            Application.stage_since < now - A_WHILE,
        )
    ):
        yield _of(one, Problem.IDLE, f"Nothing moved it on since it was {one.stage.value}.", Recover())


def _unowned(session: Session, now: datetime) -> Iterator[Stuck]:
    nomination = aliased(Application)
    still_nominating = sa.exists().where(
        Application.label == LabelKind.EUROPEAN,
        nomination.label == LabelKind.NOMINATION,
        nomination.round == Application.round,
        nomination.outcome.is_(None),
    )
    for one in session.scalars(
        sa.select(Application).where(
            Application.stage.in_(WAITING),
            Application.outcome.is_(None),
            Application.run.is_not(None),
            ~_NOT_SEEN,
            Application.stage_since < now - A_MOMENT,
            ~sa.exists().where(STILL_OPEN, Step.kind.in_(AWAITED), *_ITS_STEP),
            ~still_nominating,
        )
    ):
        yield _of(one, Problem.NOBODY_AWAITED, "Nobody is awaited.", Recover())


def _departed(session: Session, now: datetime) -> Iterator[Stuck]:
    """Awaited of somebody who may not answer any more."""
    has_role = sa.exists().where(Staff.person == Step.person, Staff.organisation == Application.organisation)
    for one, step in session.execute(
        sa.select(Application, Step)
        .join(Step, Step.application == Application.id)
        .where(*_AWAITED, Step.kind == StepKind.REVIEW, ~has_role)
    ):
        reason = f"{step.assignee} is no longer on the staff of {one.organisation} and can't answer."
        yield _of(
            one, Problem.DEPARTED, reason, Reassign(step.id), awaits=step.assignee, since=step.opened_at
        )


def _overdue(session: Session, now: datetime) -> Iterator[Stuck]:
    for one, step, undelivered in session.execute(
        sa.select(Application, Step, UNDELIVERED)
        .join(Step, Step.application == Application.id)
        .where(*_AWAITED, Step.due_at < now)
    ):
        due = in_words(step.due_at)
        ends = end_of(session, one, step)
        if ends is not None and ends < now:
            if undelivered:
                reason = (
                    f"The deadline of the {step.kind.value} passed, {due}, and waits: its message never left."
                )
                yield _of(
                    one, Problem.MAIL_FAILED, reason, LookAtMail(), awaits=step.assignee, since=step.due_at
                )
            elif ends < now - A_MOMENT:
                reason = f"The deadline of the {step.kind.value} passed, {due}, and nothing came of it."
                yield _of(
                    one, Problem.DEADLINE_PASSED, reason, KeepUp(), awaits=step.assignee, since=step.due_at
                )
            continue
        mend = Reassign(step.id) if step.kind is StepKind.REVIEW else MoveDeadline(step.id)
        reason = f"The {step.kind.value} was due {due}."
        if ends is not None:
            reason = f"{reason} It ends by itself {in_words(ends)}, and the rules go on without it."
        yield _of(one, Problem.OVERDUE, reason, mend, awaits=step.assignee, since=step.due_at)


def _undated(session: Session, now: datetime) -> Iterator[Stuck]:
    """No date ahead: neither a deadline of somebody awaited nor a day of the decision."""
    other = aliased(Step)
    dated = sa.exists().where(
        other.application == Application.id,
        other.instance == Application.instance,
        other.state == StepState.OPEN,
        other.kind.in_(AWAITED),
        other.due_at.is_not(None),
    )
    passed = sa.and_(Application.label.in_(DECIDED_BY), Application.decide_by < now)
    rows = session.execute(
        sa.select(Application, Step)
        .outerjoin(Step, sa.and_(*_AWAITED))
        .where(
            Application.stage.in_(WAITING),
            Application.outcome.is_(None),
            sa.or_(passed, sa.and_(Application.decide_by.is_(None), Step.id.is_not(None), ~dated)),
        )
        .order_by(Application.id, Step.seat, Step.id)
    )
    for one, of_one in itertools.groupby(rows, lambda row: row.Application):
        steps = [row.Step for row in of_one if row.Step is not None]
        unassigned = next((step for step in steps if step.kind is StepKind.ASSIGNMENT), None)
        mend = Reassign(unassigned.id) if unassigned else LookAtCase(one.id)
        due = (
            f"The decision was due {in_words(one.decide_by)}." if one.decide_by else "There is no date ahead."
        )
        who = ", ".join(dict.fromkeys(step.assignee for step in steps)) or None
        yield _of(one, Problem.UNDATED, due, mend, awaits=who, since=one.decide_by or one.stage_since)


def _unsent(session: Session, now: datetime) -> Iterator[Stuck]:
    for mail, application in session.execute(
        sa.select(Mail, Application)
        .outerjoin(Application, Application.id == Mail.application)
        .where(
            Mail.sent_at.is_(None),
            sa.or_(Mail.daily.is_(False), Mail.queued_at < now - DAYS_WITHOUT_NEWS),
            sa.or_(Mail.attempts >= TRIES, Mail.queued_at < now - A_WHILE),
        )
    ):
        what = f"The message {mail.template} to {mail.to_address}"
        mend: Mend
        if mail.attempts:
            error = mail.last_error or "no attempt told how it went."
            again = in_words(mail.next_attempt_at)
            reason = f"{what} failed {mail.attempts} times: {error} Tried again {again}."
            problem, mend = Problem.MAIL_FAILED, LookAtMail()
        elif missing := outbox.not_stored(session, mail):
            papers = " and its ".join(paper.partition("/")[0] for paper in missing)
            reason = (
                f"{what} waits for its {papers}, which {'is' if len(missing) == 1 else 'are'} not stored."
            )
            problem, mend = Problem.MAIL_WAITS, Recover()
        else:
            reason = f"{what} was never tried."
            problem, mend = Problem.MAIL_UNTRIED, KeepUp()
        yield Stuck(
            problem=problem,
            subject=mail.application or mail.reason,
            organisation=application.organisation if application else None,
            stage=application.stage.value if application else None,
            awaits=mail.to_address, since=mail.queued_at, reason=reason, mend=mend,
        )  # fmt: skip


def _untold(session: Session, now: datetime) -> Iterator[Stuck]:
    for one in webhooks.waiting(session):
        if one.well:
            continue
        count = "1 change" if one.given_up == 1 else f"{one.given_up:,} changes"
        reason = one.ended_because or f"{count} could not be told it for three days: {one.last_error}"
        yield Stuck(
            problem=Problem.WEBHOOK_FAILED, subject=one.webhook, organisation=one.organisation, awaits=one.host,
            since=one.since, reason=f"The webhook at {one.host}: {reason}", mend=TellAgain(one.webhook),
        )  # fmt: skip


def _unfinished(session: Session, now: datetime) -> Iterator[Stuck]:
    begun = sa.select(SchoolRound).where(
        SchoolRound.invited_at.is_(None), SchoolRound.begun_at < now - ROUND_WITHIN
    )
    for one in session.scalars(begun):
        what = "invited everybody" if one.checked_at else "checked the schools"
        yield Stuck(
            problem=Problem.ROUND_UNFINISHED, subject=f"School Label {one.year}", since=one.begun_at,
            reason=f"Its round has not {what}, hours after it began.",
            mend=GoOnWithRound(one.on),
        )  # fmt: skip


def _uncoordinated(session: Session, now: datetime) -> Iterator[Stuck]:
    coordinated = sa.exists().where(Staff.organisation == Organisation.id, Staff.role == Role.COORDINATOR)
    has_open = sa.exists().where(Application.organisation == Organisation.id, _OPEN)
    for one in session.scalars(sa.select(Organisation).where(~coordinated, has_open)):
        yield Stuck(
            problem=Problem.UNCOORDINATED, subject=one.id, organisation=one.id, awaits=one.email,
            reason=f"Nobody coordinates it; {one.email} is told instead.",
            mend=ImportRegistry("staff.csv"),
        )  # fmt: skip


def missed(session: Session, now: datetime, rules_on: Callable[[date], RuleEdition]) -> list[Stuck]:
    """The years whose schedule came while nobody was there to begin them, and which can be made up.

    Only where there are labels to rank, or a label that could make a school eligible: a record that was just begun
    has missed nothing. `rules_on` gives the Central Support Service's rules of a day.
    """
    today = brussels_day(now - MISSED_AFTER)
    return [*_missed_cycle(session, today, rules_on), *_missed_round(session, today, rules_on(today))]


def _missed_cycle(session: Session, today: date, rules_on: Callable[[date], RuleEdition]) -> Iterator[Stuck]:
    for year in (today.year, today.year - 1):
        try:
            begins, ends = window(rules_on(rules_day(year)).european, year)
        except InvalidInput:  # no rules are of that year
            continue
        if ends >= today:
            continue
        labels = sa.select(Award.id).where(
            Award.label == LabelKind.NATIONAL, Award.awarded_on >= begins, Award.awarded_on <= ends
        )
        if session.get(Cycle, year) is None and session.scalar(labels.limit(1)):
            yield Stuck(
                problem=Problem.YEAR_MISSED, subject=f"European Quality Label {year}",
                reason=f"Its labels ended on {ends}, and its cycle has not begun.", mend=BeginCycle(year),
            )  # fmt: skip
        return


def _missed_round(session: Session, today: date, rules: RuleEdition) -> Iterator[Stuck]:
    opens = date.fromisoformat(f"{today.year}-{rules.school.opens.value}")
    labels = sa.select(Award.id).where(
        Award.label == LabelKind.NATIONAL,
        Award.awarded_on < opens,
        Award.awarded_on >= opens - timedelta(days=366 * rules.school.preselection.label_years.value),
    )
    if opens < today and session.get(SchoolRound, today.year) is None and session.scalar(labels.limit(1)):
        yield Stuck(
            problem=Problem.YEAR_MISSED, subject=f"School Label {today.year}",
            reason=f"Its round was to begin on {opens}, and has not.", mend=GoOnWithRound(today),
        )  # fmt: skip
