"""For how long a link to a document is its reader's: while what is asked of them is open, and theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Step, StepState

_AWAITED = frozenset({StepState.OPEN, StepState.ASKED})
_DONE = frozenset({StepState.ANSWERED})


def readers(steps: Iterable[Step]) -> tuple[tuple[str, str], ...]:
    """The steps of which a link is made, each with a mark of who it awaits now."""
    return tuple((step.id, _mark(step)) for step in steps)


def may_read(session: Session, marked: Sequence[tuple[str, str]]) -> bool:
    """Whether those for whom a link was made may read still.

    A form may be for several people, and another is made when any of them has answered. So the link is good while
    one of their steps is open, and for nobody any more once one of them is somebody else's.
    """
    found = {step.id: step for step in session.scalars(sa.select(Step).where(Step.id.in_(dict(marked))))}
    steps = [found.get(step) for step, mark in marked if step in found and _mark(found[step]) == mark]
    if len(steps) < len(marked):
        return False
    states = {step.state for step in steps if step}
    return bool(states & _AWAITED) and states <= _AWAITED | _DONE


def _mark(step: Step) -> str:
    return hashlib.sha256(f"{step.id}\x1f{step.assignee}".encode()).hexdigest()[:16]
