"""Which of Prefect's runs somebody may see: an operator, a coordinator, or a person with open steps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import behind
from labels.people.roles import Role
from labels.record.schema import Application, Organisation, Staff, Step, StepKind, StepState


@dataclass(frozen=True, slots=True)
class PrefectAccess:
    """A signed-in person, and which of Prefect's runs are theirs, as the record has it now."""

    person: str
    """Who it is, as a proof says it (`labels.steps.proof.SignedIn`)."""
    address: str
    """What the person is shown of that."""
    operator: bool = False
    """They run this installation: nothing of Prefect is kept from them but what people answered."""
    organisations: frozenset[str] = frozenset()
    """Those that they coordinate."""
    runs: frozenset[str] = frozenset()
    """The runs that wait for an open step of theirs."""


def access_of(session: Session, address: str, operators: Collection[str]) -> PrefectAccess | None:
    """What a signed-in address may see; None where Prefect's pages are not for them.

    `operators` are the addresses of those who run this installation.
    """
    address = address.lower()
    if address in operators:
        return PrefectAccess(address, address, operator=True)
    whom = {"persons": [one.id for one in behind(session, address)]}
    organisations = frozenset(session.scalars(_COORDINATES, whom))
    runs = frozenset(run for run in session.scalars(_AWAITED_RUNS, whom) if run)
    if not organisations and not runs and not session.scalar(_ON_STAFF, whom):
        return None
    return PrefectAccess(address, address, organisations=organisations, runs=runs)


_PERSONS: sa.BindParameter[str] = sa.bindparam("persons", expanding=True)
_COORDINATES = sa.union(
    sa.select(Staff.organisation).where(Staff.person.in_(_PERSONS), Staff.role == Role.COORDINATOR),
    sa.select(Organisation.id).where(Organisation.person.in_(_PERSONS)),
)
_ON_STAFF = sa.select(sa.func.count()).where(Staff.person.in_(_PERSONS))
"""A reviewer who has answered everything is known, and sees nothing."""
_OF_STAFF = (StepKind.REVIEW, StepKind.ASSIGNMENT, StepKind.SCREENING, StepKind.AWARDING)
"""Applicants have open steps, too; they answer at the desk."""
_AWAITED_RUNS = (
    sa.select(Application.run)
    .join(Step, Step.application == Application.id)
    .where(
        Step.person.in_(_PERSONS),
        Step.state == StepState.OPEN,
        Step.kind.in_(_OF_STAFF),
    )
)
