"""What must be true at the end of a year, whatever happened in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import (
    OPEN_STAGES,
    Application,
    Award,
    Awarded,
    CycleLabel,
    CycleProject,
    Decision,
    Mail,
    Outcome,
    Review,
    Step,
    StepState,
)
from labels.rules.kept import rules_of
from labels.steps.kinds import AWAITED
from labels.steps.step import open_steps
from labels.views import stuck

MANY = 500
"""Rows that are in memory together."""


class NotSo(Exception):
    """A year broke its word; says where."""


def check(
    session: Session, now: datetime, taken: Counter[str] | None, refused: Sequence[str] = ()
) -> dict[str, int]:
    """Looks through the whole record; how much of what was looked at.

    `taken` is how often the transport was handed each message, where that was counted, and `refused` what people
    who may were refused.

    Raises:
        NotSo: with the first of what is not as it must be.
    """
    counts: dict[str, int] = {}
    for name, faults in (
        ("what people may do", iter(refused)),
        ("applications ended, or at a step with an owner and a date", _unowned(session, counts)),
        ("decisions after their quorum", _hasty(session, counts)),
        ("messages, each for a reason of its own", _mail(session, counts, taken)),
        ("labels by their decisions", _labels(session, counts)),
        ("radar of what is stuck", _stuck(session, now, counts)),
    ):
        for fault in faults:
            raise NotSo(f"{name}: {fault}")
    return counts


def _unowned(session: Session, counts: dict[str, int]) -> Iterator[str]:
    everything = session.scalars(sa.select(Application).order_by(Application.id)).all()
    counts["applications"] = len(everything)
    for one in everything:
        if one.stage not in OPEN_STAGES:
            if one.outcome is None:
                yield f"{one.id} is closed without an outcome"
            continue
        awaited = open_steps(session, one)
        if not any(step.assignee and (step.due_at or one.decide_by) for step in awaited):
            yield f"{one.id} is {one.stage.value} and awaits {[step.kind.value for step in awaited]}"
    left_open = session.scalar(
        sa.select(Step.id)
        .join(Application, Application.id == Step.application)
        .where(Step.state == StepState.OPEN, Step.kind.in_(AWAITED), Application.outcome.is_not(None))
        .limit(1)
    )
    if left_open:
        yield f"{left_open} is still asked for, though its application has ended"


def _hasty(session: Session, counts: dict[str, int]) -> Iterator[str]:
    """A review counts if it was not void when the decision fell: later conflicts do not undo it here."""
    decisions = session.execute(
        sa.select(Decision, Application)
        .join(Application, Application.id == Decision.application)
        .where(
            Application.label.in_(["national", "school"]),
            Decision.outcome.in_([Outcome.AWARDED, Outcome.REFUSED]),
        )
        .order_by(Decision.application, Decision.instance)
    ).all()
    counts["decisions by reviewers"] = len(decisions)
    given: Counter[tuple[str, int]] = Counter()
    decided = {
        (row.Decision.application, row.Decision.instance): row.Decision.decided_at for row in decisions
    }
    for review in session.execute(
        sa.select(Review.application, Review.instance, Review.given_at, Review.void_at)
    ).all():
        key = (review.application, review.instance)
        at = decided.get(key)
        if at is not None and review.given_at > at:
            yield f"{review.application} was reviewed after it was decided"
        if at is not None and (review.void_at is None or review.void_at > at):
            given[key] += 1
    for decision, application in decisions:
        needed = rules_of(session, application).national.review.reviewers.value
        if given[decision.application, decision.instance] < needed:
            yield f"{decision.application} was decided before its {needed} reviews"
    twice = session.scalar(
        sa.select(Decision.application)
        .where(Decision.instance == 1)
        .group_by(Decision.application)
        .having(sa.func.count() > 1)
    )
    if twice:
        yield f"{twice} was decided twice"


def _mail(session: Session, counts: dict[str, int], taken: Counter[str] | None) -> Iterator[str]:
    mails = session.execute(sa.select(Mail.reason, Mail.message_id, Mail.sent_at, Mail.last_error)).all()
    counts["messages"] = len(mails)
    for one in mails:
        if one.sent_at is None:
            yield f"{one.reason} never went out: {one.last_error}"
    if len({one.message_id for one in mails}) != len(mails):
        yield "two messages have one id"
    if taken is None:
        return
    if twice := [name for name, times in taken.items() if times > 1]:
        yield f"{twice[0]} was sent {taken[twice[0]]} times"
    needed = {one.message_id for one in mails if one.last_error is None}
    if missing := needed - set(taken):
        yield f"{sorted(missing)[0]} was noted as sent and never was"
    if strange := set(taken) - {one.message_id for one in mails}:
        yield f"{sorted(strange)[0]} was sent and is in no outbox"


def _labels(session: Session, counts: dict[str, int]) -> Iterator[str]:
    for label in ("national", "school"):
        decided = set(
            session.scalars(
                sa.select(Application.id)
                .join(
                    Decision,
                    sa.and_(
                        Decision.application == Application.id, Decision.instance == Application.instance
                    ),
                )
                .where(Application.label == label, Decision.outcome == Outcome.AWARDED)
            )
        )
        of_ours = sa.exists().where(Application.id == Award.id)
        awarded = set(
            session.scalars(
                sa.select(Award.id).where(Award.label == label, Award.revoked_at.is_(None), of_ours)
            )
        )
        counts[f"{label} labels"] = len(awarded)
        for identifier in sorted(decided ^ awarded)[:1]:
            yield f"{identifier} is {'decided' if identifier in decided else 'awarded'} only"
    projects = set(
        session.scalars(sa.select(CycleProject.project).where(CycleProject.awarded == Awarded.AWARDED))
    )
    european = session.execute(
        sa.select(CycleLabel.project, CycleLabel.teacher).where(CycleLabel.european.is_not(None))
    ).all()
    held = set(session.execute(sa.select(CycleLabel.project, CycleLabel.teacher)).tuples())
    given = session.execute(
        sa.select(Award.project, Award.teacher).where(
            Award.id.in_(sa.select(CycleLabel.european).where(CycleLabel.european.is_not(None)))
        )
    ).all()
    counts["european projects"], counts["european labels"] = len(projects), len(given)
    if sorted(map(tuple, given)) != sorted(map(tuple, european)):
        yield "a European label is held by somebody else than it was given to"
    for project, teacher in european:
        if project not in projects or (project, teacher) not in held:
            yield f"{teacher} has a European label for {project}, which was not awarded"


def _stuck(session: Session, now: datetime, counts: dict[str, int]) -> Iterator[str]:
    found = stuck.stuck(session, now)
    counts["stuck"] = len(found)
    for one in found:
        yield f"{one.subject}: {one.reason}"


def digest(session: Session) -> str:
    """A digest of all that happened: the same seed, the same digest.

    That of a decision's inputs has no part in it: it is over reviews with salts that nobody can guess, another one
    each time.
    """
    whole = hashlib.sha256()
    for query in (
        sa.select(
            Application.id, Application.label, Application.stage, Application.outcome, Application.instance,
            Application.submitted_at, Application.stage_since, Application.decide_by,
        ).order_by(Application.id),
        sa.select(Step.id, Step.assignee, Step.state, Step.opened_at, Step.due_at, Step.closed_at).order_by(Step.id),
        sa.select(Decision.application, Decision.instance, Decision.outcome, Decision.score).order_by(
            Decision.application, Decision.instance
        ),
        sa.select(Award.id, Award.label, Award.score, Award.awarded_on).order_by(Award.id),
        sa.select(Mail.reason, Mail.to_address, Mail.queued_at).order_by(Mail.reason),
    ):  # fmt: skip
        for row in session.execute(query.execution_options(yield_per=MANY)):
            whole.update(repr(tuple(row)).encode())
    return whole.hexdigest()[:16]
