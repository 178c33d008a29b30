"""Why the rules chose a reviewer, as the record keeps it with the review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from labels.record.rows import write
from labels.record.schema import ReviewerChoice, Step
from labels.turn import Turn


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody was chosen, and who was next."""

    load: int
    """How many applications of the year they have been asked to judge by then."""
    costs: Mapping[str, int]
    """What speaks against them, by `Drawback`."""
    following: str | None = None
    """Who was next: a person's id."""
    following_load: int | None = None
    extra: int | None = None
    """What that one would have cost more."""

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Reason:
        """As it was kept."""
        return cls(**kept)


def keep_why(turn: Turn, *reviews: tuple[Step, Reason, str | None]) -> None:
    """Keeps with each review why its reviewer was chosen, and by which plan, where it was one."""
    write(
        turn.session,
        ReviewerChoice,
        *(
            {
                "step": step.id,
                "plan": plan,
                "costs": dict(why.costs),
                "load": why.load,
                "following": why.following,
                "following_load": why.following_load,
                "extra": why.extra,
                "chosen_at": turn.now,
            }
            for step, why, plan in reviews
        ),
    )
