"""Which of Prefect's runs somebody may see: an operator, a coordinator, or a person with open steps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Step, StepKind, StepState
from labels.sessions.accounts import Account


@dataclass(frozen=True, slots=True)
class PrefectAccess:
    """A signed-in person, and which of Prefect's runs are theirs, as the record has it now."""

    person: str
    """Their id, as a proof says it (`labels.steps.proof.SignedIn`)."""
    address: str
    """The address that they signed in with, which the form shows them."""
    operator: bool = False
    """They run this installation: nothing of Prefect is kept from them but what people answered."""
    organisations: frozenset[str] = frozenset()
    """Those that they coordinate."""
    runs: frozenset[str] = frozenset()
    """The runs that wait for an open step of theirs."""


def access_of(session: Session, account: Account, operators: Collection[str]) -> PrefectAccess | None:
    """What somebody who has signed in may see; None where Prefect's pages are not for them, and until one of
    several with one mailbox has said who they are.

    `operators` are the addresses of those who run this installation.
    """
    if account.several:
        return None
    if account.address in operators:
        return PrefectAccess(account.person, account.address, operator=True)
    found = session.scalars(_AWAITED_RUNS, {"person": account.person})
    runs = frozenset(run for run in found if run)
    if not account.staff and not runs:  # a reviewer who has answered everything is known, and sees nothing
        return None
    return PrefectAccess(
        account.person, account.address, organisations=frozenset(account.coordinates), runs=runs
    )


_OF_STAFF = (StepKind.REVIEW, StepKind.ASSIGNMENT, StepKind.DECISION, StepKind.SCREENING, StepKind.AWARDING)
"""Applicants have open steps, too; they answer at the desk."""
_AWAITED_RUNS = (
    sa.select(Application.run)
    .join(Step, Step.application == Application.id)
    .where(
        Step.person == sa.bindparam("person"),
        Step.state == StepState.OPEN,
        Step.kind.in_(_OF_STAFF),
    )
)
