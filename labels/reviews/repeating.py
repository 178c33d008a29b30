"""Decisions by points and for conditions made again from the record alone, and compared with what was decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.conditions import FACTS, checked_again
from labels.record.rows import read
from labels.record.schema import Application, Decision, Outcome, Review, Step
from labels.reviews.asking import REVIEWED, assessment
from labels.reviews.instances import counted_from
from labels.reviews.ruling import ruled
from labels.reviews.scoring import Assessment, Verdict, judge, rule
from labels.rules.kept import kept_rules
from labels.rules.model import RuleEdition


@dataclass(frozen=True, slots=True)
class DecidedAgain:
    """One decision, and what of it comes out otherwise when it is made again."""

    application: str
    instance: int
    differing: tuple[str, ...]
    """Names of the values that differ; empty where every byte is the same."""
    erased: bool = False
    """Something that it rests on was erased since, so that it can't be made again."""

    @property
    def same(self) -> bool:
        """Whether it is what it was."""
        return not self.differing


def decided_again(session: Session, *, applications: sa.Select[tuple[str]]) -> Iterator[DecidedAgain]:
    """Every decision by points on these applications, teachers' and schools', made again, and every one for conditions.

    From the reviews that counted when it was made, or what the registry said then, and the rules that the application
    keeps. What people did (a withdrawal) or let pass (a deadline) is no decision by rules and is left out, as are conditions
    that were checked before the record kept what the registry said.
    """
    decisions = session.scalars(
        sa.select(Decision)
        .where(Decision.application.in_(applications))
        .order_by(Decision.decided_at, Decision.application, Decision.instance)
    )
    for decision in decisions:
        if "lines" in decision.verdict:
            yield _again(session, decision)
        elif FACTS in decision.verdict:
            yield _checked_again(session, decision)


def _checked_again(session: Session, decision: Decision) -> DecidedAgain:
    """A decision for conditions that were not met, made again."""
    if decision.erased:
        return DecidedAgain(decision.application, decision.instance, (), erased=True)
    application = session.get_one(Application, decision.application)
    edition = kept_rules(decision.rules, session)
    again = checked_again(application, decision.verdict[FACTS], edition)
    was = {name: value for name, value in decision.verdict.items() if name != FACTS}
    made = {"decided": Outcome.INELIGIBLE.value if again else None, "inputs": application.content_digest}
    stood = {"decided": decision.outcome.value, "inputs": decision.inputs_digest}
    return _differing(decision, made | (again or {}), stood | was)


def _again(session: Session, decision: Decision) -> DecidedAgain:
    since = counted_from(session, decision.application, decision.instance)
    counted = {"application": decision.application, "since": since, "instance": decision.instance}
    rows = read(session, _COUNTED, counted | {"at": decision.decided_at}).mappings().all()
    if decision.erased or any(row["erased"] for row in rows):
        return DecidedAgain(decision.application, decision.instance, (), erased=True)
    assessments = [assessment(row) for row in rows]
    edition = kept_rules(decision.rules, session)
    if edition.national.review.by_a_person:
        return _ruled_again(session, decision, assessments, edition)
    try:
        verdict = judge(assessments, edition)
        if verdict.inputs_digest != decision.inputs_digest:  # before reviews had a digest of their own
            former = judge([replace(one, digest="") for one in assessments], edition)
            verdict = former if former.inputs_digest == decision.inputs_digest else verdict
    except (ValueError, KeyError) as error:
        return DecidedAgain(decision.application, decision.instance, (f"reviews ({error})",))
    return _compared(decision, verdict)


def _ruled_again(
    session: Session, decision: Decision, assessments: Sequence[Assessment], edition: RuleEdition
) -> DecidedAgain:
    """The decision of a person, made again from what they said."""
    steps = session.scalars(_STEPS, {"application": decision.application, "at": decision.decided_at})
    by_person = ruled(steps, decision.instance, ())
    if by_person is None:
        return DecidedAgain(decision.application, decision.instance, ("who decided",))
    if by_person.erased:
        return DecidedAgain(decision.application, decision.instance, (), erased=True)
    try:
        verdict = rule(assessments, edition, by_person.outcome, by_person.reason)
    except (ValueError, KeyError) as error:
        return DecidedAgain(decision.application, decision.instance, (f"reviews ({error})",))
    return _compared(decision, verdict)


_STEPS = (
    sa.select(Step)
    .where(Step.application == sa.bindparam("application"), Step.closed_at <= sa.bindparam("at"))
    .order_by(Step.opened_at, Step.number)
)


def _compared(decision: Decision, verdict: Verdict) -> DecidedAgain:
    again = verdict.model_dump(mode="json")
    was = {name: decision.verdict.get(name) for name in again}
    again |= {"decided": verdict.outcome, "score": verdict.total, "inputs": verdict.inputs_digest}
    was |= {"decided": decision.outcome.value, "score": decision.score, "inputs": decision.inputs_digest}
    return _differing(decision, again, was)


def _differing(decision: Decision, again: dict[str, Any], was: dict[str, Any]) -> DecidedAgain:
    names = dict.fromkeys([*again, *was])
    differing = tuple(name for name in names if _bytes(again.get(name)) != _bytes(was.get(name)))
    return DecidedAgain(decision.application, decision.instance, differing)


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()


_COUNTED = (
    sa.select(*REVIEWED)
    .join(Step, Step.id == Review.step)
    .where(
        Review.application == sa.bindparam("application"),
        Review.instance.between(sa.bindparam("since"), sa.bindparam("instance")),
        Review.given_at <= sa.bindparam("at"),
        sa.or_(Review.void_at.is_(None), Review.void_at > sa.bindparam("at")),
    )
    .order_by(Review.given_at, Review.step)
)
