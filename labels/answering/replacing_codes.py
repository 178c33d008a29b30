"""Codes and sessions that end at once, since others may have had the secret key by which they can be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.mail import messages, outbox
from labels.mail.message import Message
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.record.schema import (
    Application,
    Organisation,
    OrganisationCode,
    Person,
    PupilCode,
    SignIn,
    SignInCode,
    Step,
    StepState,
)
from labels.steps.codes import code_hash, made_with, review_code
from labels.turn import Turn

BECAUSE = "the secret key was replaced"
"""Why sessions ended, as the record keeps it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends with a secret key that leaked."""

    codes: int
    """Of steps that are open, each of which gets a new one."""
    people: int
    """Who are written to, once each."""
    others: int
    """Codes to sign in, for acts of an organisation and for classes, which are asked for anew."""
    sessions: int


_OPEN_STEPS = (
    sa.select(Step.id, Step.code_number, Step.code_hash, Step.state, Step.person, Organisation.name)
    .join(Application, Application.id == Step.application)
    .join(Organisation, Organisation.id == Application.organisation)
    .where(Step.state.in_([StepState.OPEN, StepState.ASKED]))
    .order_by(Step.person, Step.id)
)
_OTHERS: tuple[type[SignInCode] | type[OrganisationCode] | type[PupilCode], ...] = (
    SignInCode,
    OrganisationCode,
    PupilCode,
)


def what_would_end(session: Session) -> Ending:
    """What `end_codes` would end; changes nothing."""
    steps = session.execute(_OPEN_STEPS).all()
    others = (
        session.scalar(sa.select(sa.func.count()).select_from(one).where(one.spent_at.is_(None))) or 0
        for one in _OTHERS
    )
    sessions = session.scalar(sa.select(sa.func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None)))
    return Ending(len(steps), len(_awaited(steps)), sum(others), sessions or 0)


def _awaited(steps: Sequence[Any]) -> dict[str, list[Any]]:
    """The steps that are open, by the person of whom they are asked."""
    still = (one for one in steps if one.state is StepState.OPEN)
    return {
        person: list(theirs) for person, theirs in groupby(still, key=lambda one: cast("str", one.person))
    }


def end_codes(turn: Turn) -> Ending:
    """Makes every code void that was given out, gives each open step a new one and ends all sessions.

    Whoever is asked for something is written to once. `turn.key` is the new secret key.
    """
    ended = what_would_end(turn.session)
    steps = turn.session.execute(_OPEN_STEPS).all()
    _replace(turn, steps)
    _end_others(turn)
    turn.session.execute(
        sa.update(SignIn)
        .where(SignIn.ended_at.is_(None))
        .values(ended_at=turn.now, ended_because=BECAUSE)
        .execution_options(synchronize_session=False)
    )
    turn.session.expire_all()
    return ended


def end_late_codes(turn: Turn, leaked: Sequence[bytes]) -> None:
    """Does the same to the code of an open step that was made with a key that leaked: a transaction that had read that key
    before it was replaced may have come to its end after `end_codes`."""
    steps = turn.session.execute(_OPEN_STEPS).all()
    late = [one for one in steps if made_with(leaked, one.id, one.code_number, one.code_hash)]
    if late:
        _replace(turn, late)
        turn.session.expire_all()


def _replace(turn: Turn, steps: Sequence[Any]) -> None:
    if steps:
        turn.session.connection().execute(
            _NEW_CODE,
            [
                {
                    "which": one.id,
                    "next": one.code_number + 1,
                    "hash": _hash(turn, one.id, one.code_number + 1),
                }
                for one in steps
            ],
        )
    _tell(turn, _awaited(steps))


_STEP = cast("sa.Table", Step.__table__)
_NEW_CODE = (
    sa.update(_STEP)
    .where(_STEP.c.id == sa.bindparam("which"))
    .values(code_number=sa.bindparam("next"), code_hash=sa.bindparam("hash"), code_failures=0)
)


def _hash(turn: Turn, subject: str, number: int) -> str:
    return code_hash(review_code(turn.key, subject, number))


def _tell(turn: Turn, awaited: dict[str, list[Any]]) -> None:
    asked = sa.select(Step.person).where(Step.state == StepState.OPEN)
    people = {one.id: one for one in turn.session.scalars(sa.select(Person).where(Person.id.in_(asked)))}
    letters: list[tuple[Message, Envelope]] = []
    for person, steps in awaited.items():
        first = steps[0]
        message = messages.CodesVoid(
            person=person, step=first.id, organisation_name=first.name, number=len(steps)
        )
        only = first.id if len(steps) == 1 else None
        letters.append((message, Envelope(Recipient.of(people[person]), (turn.now.isoformat(),), step=only)))
    outbox.queue_many(turn, letters)


def _end_others(turn: Turn) -> None:
    """Codes that people ask for when they need one: they ask for another."""
    turn.session.execute(
        sa.update(SignInCode)
        .where(SignInCode.spent_at.is_(None))
        .values(spent_at=turn.now)
        .execution_options(synchronize_session=False)
    )
    for organisation in turn.session.scalars(
        sa.select(OrganisationCode).where(OrganisationCode.spent_at.is_(None))
    ):
        organisation.number += 1
        subject = outbox.organisation_code_subject(organisation.organisation, organisation.person)
        organisation.code_hash = _hash(turn, subject, organisation.number)
    for pupils in turn.session.scalars(sa.select(PupilCode).where(PupilCode.spent_at.is_(None))):
        pupils.number += 1
        pupils.code_hash = _hash(turn, outbox.pupil_code_subject(pupils.award), pupils.number)
    turn.session.flush()
