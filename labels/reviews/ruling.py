"""What a person decided on an application, where the rules leave the decision to one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from labels.record.schema import Step, StepKind, StepState


class Ruling(StrEnum):
    """What a coordinator can say of an application whose reviews are in."""

    AWARD = "award"
    REFUSE = "refuse"
    ANOTHER = "another"
    """One more reviewer is called first."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """An award or a refusal by a person."""

    outcome: Literal["awarded", "refused"]
    reason: str
    by: str
    """Their present address."""
    erased: bool
    """Whether its words were erased since."""


OUTCOMES: dict[str, Literal["awarded", "refused"]] = {Ruling.AWARD: "awarded", Ruling.REFUSE: "refused"}


def ruled(steps: Iterable[Step], instance: int, reviews: Iterable[datetime]) -> Ruled | None:
    """What a person decided in an instance on the reviews that were given at these instants; None where nobody did, or
    where another review came in since.

    `steps` are the application's, oldest first.
    """
    newest = max(reviews, default=None)
    found = None
    for step in steps:
        if (
            step.kind is StepKind.DECISION
            and step.instance == instance
            and step.state is StepState.ANSWERED
            and step.closed_at is not None
            and (newest is None or step.closed_at >= newest)
        ):
            found = step
    if found is None or found.answer is None:
        return None
    outcome = OUTCOMES.get(found.answer.get("decide", ""))
    if outcome is None and found.answer.get("decide") == Ruling.ANOTHER:
        return None
    return Ruled(outcome or "refused", found.answer.get("reason", ""), found.assignee, erased=outcome is None)
