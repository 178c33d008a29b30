"""Several teachers draft one self-assessment: what each changes is put together field by field, and nobody overwrites
what they have not seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import in_words
from labels.errors import Fault, InvalidInput, NotFound
from labels.record.schema import Application, Draft, Step, StepKind, StepState
from labels.school_label.fields import Change, Clash, Field, changes, flat, merged, named, nested, said
from labels.steps.answers import SelfAssessment, read_model
from labels.steps.outcome import Refusal
from labels.steps.step import steps_of
from labels.turn import Turn
from labels.words.sentences import say
from labels.words.text import one_line

_SHOWN = 80
"""Characters of a text that stand in a difference."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Who changed a field last, and when."""

    author: str
    """Their address at the time."""
    person: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a school's teachers have written together, as it stands after a save."""

    number: int
    """Of that save; 0 before the first."""
    fields: Mapping[Field, Any]
    touched: Mapping[Field, Touched] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The self-assessment, as incomplete as it is."""
        return nested(self.fields)

    @property
    def given(self) -> SelfAssessment:
        """The same as an answer that goes on from this save."""
        return SelfAssessment.model_validate(self.body | ({"draft": self.number} if self.number else {}))


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into single fields, on from what they saw there."""

    changes: Mapping[Field, Change]
    dropped: Collection[Field] = ()
    """Fields of which they take what a colleague wrote, in place of their own words that were not taken."""


def drafts(session: Session, application: Application) -> list[Draft]:
    """Every save, oldest first."""
    return list(
        session.scalars(sa.select(Draft).where(Draft.application == application.id).order_by(Draft.number))
    )


def drafted(session: Session, application: Application, number: int | None = None) -> Drafted:
    """What stands in the draft, or stood there after save `number`.

    Raises:
        NotFound: there is no such save.
    """
    rows = [one for one in drafts(session, application) if number is None or one.number <= number]
    if number is not None and (not rows or rows[-1].number != number):
        raise NotFound(f"{application.id} has no draft {number}.")
    if not rows:
        return Drafted(0, _typed_before(session, application))
    fields: dict[Field, Any] = {}
    touched: dict[Field, Touched] = {}
    for row in rows:
        for where, value in flat(row.changed).items():
            touched[where] = Touched(row.author, row.person, row.saved_at)
            if said(value) is None:
                fields.pop(where, None)
            else:
                fields[where] = value
    return Drafted(rows[-1].number, fields, touched)


def _typed_before(session: Session, application: Application) -> dict[Field, Any]:
    """What was handed in, or typed last into an answer that was not complete, where nobody saved a draft yet."""
    steps = steps_of(session, application, StepKind.SELF_ASSESSMENT)
    typed = [step.answer or step.draft for step in steps if step.answer or step.draft]
    return (
        {where: value for where, value in flat(typed[-1] or {}).items() if said(value) is not None}
        if typed
        else {}
    )


def handed_in(session: Session, application: Application) -> bool:
    """Whether the self-assessment is in."""
    return any(
        step.state is StepState.ANSWERED for step in steps_of(session, application, StepKind.SELF_ASSESSMENT)
    )


def unseen(session: Session, application: Application, step: Step, given: SelfAssessment) -> Refusal | None:
    """Why this can't be handed in as it is: somebody else saved a draft that it does not go on from."""
    newest = _newest(session, application)
    if newest is None or newest.person == step.person or given.draft == newest.number:
        return None
    now, yours = drafted(session, application).fields, flat(body_of(given))
    differing = [
        Clash(one, now.get(one), yours.get(one))
        for one in dict.fromkeys((*now, *yours))
        if said(now.get(one)) != said(yours.get(one))
    ]
    return _refusal(application, newest, differing) if differing else None


def _newest(session: Session, application: Application) -> Draft | None:
    return session.scalar(
        sa.select(Draft).where(Draft.application == application.id).order_by(Draft.number.desc()).limit(1)
    )


def _refusal(application: Application, newest: Draft, differing: Collection[Clash]) -> Refusal:
    why = (
        f"{newest.author} saved draft {newest.number} at {in_words(newest.saved_at)}, which yours does not go on from. "
        f'Look at the difference and save again with "draft": {newest.number}.'
    )
    faults = [
        Fault(named(one.field), f"{newest.author} has {_said(one.theirs)}; you have {_said(one.yours)}.")
        for one in differing
    ]
    return Refusal(why, InvalidInput(f"draft of {application.id}", [Fault("draft", why), *faults]))


def save(turn: Turn, application: Application, step: Step, given: SelfAssessment) -> int | Refusal:
    """Puts a whole draft together with what colleagues saved meanwhile; its number, or why it is not taken.

    What is not taken over is stored as the author's own, so that it is not lost either.
    """
    newest = _newest(turn.session, application)
    base: Mapping[Field, Any] = {}
    if newest is not None and (given.draft is not None or newest.person == step.person):
        number = newest.number if given.draft is None else min(given.draft, newest.number)
        base = drafted(turn.session, application, number).fields if number else {}
    now = drafted(turn.session, application)
    wanted = changes(base, flat(body_of(given)))
    if not now.number:
        _leave_own_words(turn, application, now)
        now = Drafted(0, {})
    taken, clashes = merged(now.fields, wanted)
    if clashes and newest is not None:
        step.draft = nested({one: change.value for one, change in wanted.items()})
        return _refusal(application, newest, clashes)
    step.draft = None
    return _write(turn, application, step, now, taken, always=True)


def save_fields(turn: Turn, application: Application, step: Step, typed: Typed) -> int | Refusal:
    """Takes what somebody typed into single fields; the number of the draft that it is in.

    A field that a colleague changed at the same time stays as the colleague has it; the author's words are stored
    as their own until they choose (`clashes`).
    """
    now = drafted(turn.session, application)
    taken, clashes = merged(now.fields, typed.changes)
    try:
        whole = {one: value for one, value in {**now.fields, **taken}.items() if value is not None}
        read_model(SelfAssessment, nested(whole), f"draft of {application.id}")
    except InvalidInput as error:
        return Refusal(say("Something can't be saved as it is."), error)
    begins = not now.number and bool(typed.changes or typed.dropped)
    if begins:
        _leave_own_words(turn, application, now)
    own = flat(step.draft or {})
    for one in (*typed.dropped, *typed.changes):
        own.pop(one, None)
    own |= {one.field: one.yours for one in clashes}
    own = {one: value for one, value in own.items() if said(value) != said({**now.fields, **taken}.get(one))}
    step.draft = nested(own) or None
    return _write(turn, application, step, now, taken, always=begins)


def _leave_own_words(turn: Turn, application: Application, now: Drafted) -> None:
    """Before the first save, leaves of what each has typed what is not in it anyway: the rest is shared from now on."""
    for step in steps_of(turn.session, application, StepKind.SELF_ASSESSMENT):
        own = {
            one: value
            for one, value in flat(step.draft or {}).items()
            if said(value) is not None and said(value) != said(now.fields.get(one))
        }
        step.draft = nested(own) or None


def _write(
    turn: Turn,
    application: Application,
    step: Step,
    now: Drafted,
    taken: Mapping[Field, Any],
    *,
    always: bool = False,
) -> int:
    if not taken and not always:
        return now.number
    fresh = dict(taken) if now.number else {**now.fields, **taken}
    turn.session.add(
        Draft(
            application=application.id,
            number=now.number + 1,
            author=step.assignee,
            person=step.person,
            saved_at=turn.now,
            changed=nested(fresh),
        )
    )
    turn.session.flush()
    return now.number + 1


def clashes(now: Drafted, step: Step) -> tuple[Clash, ...]:
    """Where what somebody wrote was not taken, since a colleague had changed the same field; they choose."""
    return tuple(
        Clash(one, now.fields.get(one), value)
        for one, value in flat(step.draft or {}).items()
        if said(value) is not None and said(value) != said(now.fields.get(one))
    )


def keep_what_was_handed_in(turn: Turn, application: Application, step: Step, given: SelfAssessment) -> None:
    """Enters what was handed in as a save, where drafts say otherwise: colleagues go on from it if it comes back."""
    now = drafted(turn.session, application)
    if now.number:
        wanted = changes(now.fields, flat(body_of(given)))
        _write(turn, application, step, now, {one: change.value for one, change in wanted.items()})


def keep_where_nobody_saved(turn: Turn, application: Application, step: Step, given: SelfAssessment) -> None:
    """Makes what was typed into an incomplete answer the first save, so that it is not lost; later ones stay as they are."""
    if _newest(turn.session, application) is None:
        save(turn, application, step, given)


def body_of(given: SelfAssessment) -> dict[str, Any]:
    """What is said, without what it goes on from."""
    return given.model_dump(mode="json", exclude={"draft"})


def _said(value: Any) -> str:
    return f"“{one_line(str(value), _SHOWN)}”" if said(value) is not None else "nothing"
