"""Several teachers draft one self-assessment: every save is stored, and nobody overwrites what they have not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import in_words
from labels.errors import Fault, InvalidInput, NotFound
from labels.record.schema import Application, Draft, Step
from labels.steps.answers import SelfAssessment
from labels.steps.outcome import Refusal
from labels.turn import Turn
from labels.words.text import one_line

_SHOWN = 80
"""Characters of a text that stand in a difference."""


def drafts(session: Session, application: Application) -> list[Draft]:
    """Every save, oldest first."""
    return list(
        session.scalars(sa.select(Draft).where(Draft.application == application.id).order_by(Draft.number))
    )


def latest(session: Session, application: Application) -> Draft | None:
    """The newest save; None before the first."""
    return session.scalar(
        sa.select(Draft).where(Draft.application == application.id).order_by(Draft.number.desc()).limit(1)
    )


def draft_of(session: Session, application: Application, number: int) -> Draft:
    """One save.

    Raises:
        NotFound: there is no such draft.
    """
    found = session.get(Draft, (application.id, number))
    if found is None:
        raise NotFound(f"{application.id} has no draft {number}.")
    return found


def unseen(session: Session, application: Application, author: str, given: SelfAssessment) -> Refusal | None:
    """Why this can't take the place of the newest draft: somebody else saved it, and it was not gone on from."""
    newest = latest(session, application)
    if newest is None or newest.author == author or given.draft == newest.number:
        return None
    faults = [
        Fault(where, f"{newest.author} has {_said(theirs)}; you have {_said(yours)}.")
        for where, theirs, yours in differences(newest.body, body_of(given))
    ]
    if not faults:
        return None
    why = (
        f"{newest.author} saved draft {newest.number} at {in_words(newest.saved_at)}, which yours does not go on from. "
        f'Look at the difference and save again with "draft": {newest.number}.'
    )
    return Refusal(why, InvalidInput(f"draft of {application.id}", [Fault("draft", why), *faults]))


def save(turn: Turn, application: Application, step: Step, given: SelfAssessment) -> int | Refusal:
    """Keeps a draft for all of the school; its number, or why it is not taken.

    What is not taken over is stored as the author's own, so that it is not lost either.
    """
    if refusal := unseen(turn.session, application, step.assignee, given):
        step.draft = given.model_dump(mode="json")
        return refusal
    newest = latest(turn.session, application)
    number = 1 + (newest.number if newest else 0)
    turn.session.add(
        Draft(
            application=application.id, number=number, author=step.assignee, saved_at=turn.now, body=body_of(given)
        )
    )  # fmt: skip
    turn.session.flush()
    return number


def body_of(given: SelfAssessment) -> dict[str, Any]:
    """What is said, without what it goes on from."""
    return given.model_dump(mode="json", exclude={"draft"})


def differences(theirs: Any, yours: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every place in which two drafts differ, with what stands there in each; None where nothing does."""
    if isinstance(theirs, Mapping) and isinstance(yours, Mapping):
        for name in dict.fromkeys([*theirs, *yours]):
            yield from differences(theirs.get(name), yours.get(name), f"{where}.{name}" if where else name)
    elif (theirs or None) != (yours or None):
        yield where, theirs, yours


def _said(value: Any) -> str:
    return f"“{one_line(str(value), _SHOWN)}”" if value else "nothing"
