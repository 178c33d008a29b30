"""What nobody can move: open applications without an owner, a date ahead or a way on, and what mends each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.answering.deadlines import PASSING, STILL_OPEN
from labels.answering.reminders import DECIDED_BY
from labels.applications.printed import unprintable
from labels.clock import in_words
from labels.kinds import LabelKind
from labels.mail import outbox
from labels.mending import (
    GoOnWithRound,
    ImportRegistry,
    KeepUp,
    LookAtCase,
    LookAtMail,
    Mend,
    MoveDeadline,
    Reassign,
    Recover,
)
from labels.people.roles import Role
from labels.record.schema import (
    OPEN_STAGES,
    Application,
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
from labels.steps.kinds import AWAITED

A_MOMENT = timedelta(minutes=10)
"""What is under way is not stuck: upkeep comes by every ten minutes and mends what it can."""

A_WHILE = timedelta(hours=1)
"""The same for what may have thousands of certificates or messages to make."""

TRIES = 3
"""Attempts after which a message is told of: the first two are a quarter of an hour."""

ROUND_WITHIN = timedelta(hours=1)
"""A round checks and invites within minutes; after this it has lost its run."""

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
    UNCOORDINATED = "uncoordinated"
    UNPRINTABLE = "unprintable"
    """Its certificate could not be printed."""
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
            _uncoordinated,
            _unfinished,
        )
        for one in look(session, now)
    ]
    found += [
        _of(one.application, Problem.UNPRINTABLE, str(one), ImportRegistry(one.file))
        for one in unprintable(session, _OPEN, missing)
    ]
    return in_order(list({(one.subject, one.reason): one for one in reversed(found)}.values()))


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
    for one, step in session.execute(
        sa.select(Application, Step)
        .join(Step, Step.application == Application.id)
        .where(*_AWAITED, Step.due_at < now)
    ):
        due = in_words(step.due_at)
        if step.kind in PASSING:
            if step.due_at < now - A_MOMENT:
                reason = f"The deadline of the {step.kind.value} passed, {due}, and nothing came of it."
                yield _of(
                    one, Problem.DEADLINE_PASSED, reason, KeepUp(), awaits=step.assignee, since=step.due_at
                )
            continue
        mend = Reassign(step.id) if step.kind is StepKind.REVIEW else MoveDeadline(step.id)
        reason = f"The {step.kind.value} was due {due}."
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
    for one, step in session.execute(
        sa.select(Application, Step)
        .outerjoin(Step, sa.and_(*_AWAITED))
        .where(
            Application.stage.in_(WAITING),
            Application.outcome.is_(None),
            sa.or_(passed, sa.and_(Application.decide_by.is_(None), Step.id.is_not(None), ~dated)),
        )
    ):
        unassigned = step is not None and step.kind is StepKind.ASSIGNMENT
        mend = Reassign(step.id) if unassigned else LookAtCase(one.id)
        due = (
            f"The decision was due {in_words(one.decide_by)}." if one.decide_by else "There is no date ahead."
        )
        who = step.assignee if step else None
        yield _of(one, Problem.UNDATED, due, mend, awaits=who, since=one.decide_by or one.stage_since)


def _unsent(session: Session, now: datetime) -> Iterator[Stuck]:
    for mail, application in session.execute(
        sa.select(Mail, Application)
        .outerjoin(Application, Application.id == Mail.application)
        .where(Mail.sent_at.is_(None), sa.or_(Mail.attempts >= TRIES, Mail.queued_at < now - A_WHILE))
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
