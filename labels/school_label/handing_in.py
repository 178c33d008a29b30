"""Who hands in for a school: anybody who was invited, or the one whom they chose."""

from __future__ import annotations

from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.people.persons import person
from labels.record.journal import Event, note
from labels.record.schema import Application, HandingIn, Step, StepKind, StepState
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import steps_of
from labels.turn import Turn
from labels.words.sentences import say


def chosen(session: Session, application: Application) -> Step | None:
    """The step of the teacher who was chosen to hand in; None while nobody is, or where they can't any more."""
    row = session.get(HandingIn, application.id, populate_existing=True)
    if row is None:
        return None
    return next((one for one in _who_may(session, application) if one.person == row.person), None)


def _who_may(session: Session, application: Application) -> list[Step]:
    steps = steps_of(session, application, StepKind.SELF_ASSESSMENT)
    return [one for one in steps if one.state is StepState.OPEN]


def choose(turn: Turn, application: Application, step: Step, who: str) -> Accepted | Refusal:
    """Says who hands in for all: whoever was invited may say so, and say otherwise later.

    `who` is a person's id, the id of their step, or an address that one of them alone reads.
    """
    found = [
        one
        for one in _who_may(turn.session, application)
        if who in (one.person, one.id) or who.lower() == one.assignee
    ]
    people = sorted({one.person for one in found})
    if not people:
        why = say("{address} is not among those who can hand in for your school.", address=who)
        return Refusal(why, NotAllowed(why))
    if len(people) > 1:
        several = f"{who} is read by several people: {', '.join(people)}. Say which."
        return Refusal(several, NotAllowed(several))
    whom = found[0]
    row = turn.session.get(HandingIn, application.id) or HandingIn(application=application.id)
    if row.person != whom.person:
        row.person, row.chosen_by, row.chosen_at = whom.person, step.person, turn.now
        turn.session.add(row)
        note(
            turn, application, step.assignee, Event.CHOSE_WHO_HANDS_IN, step=step.id, news=False, whom=whom.id
        )
    return Accepted(application.id, f"{whom.assignee} hands in for your school.", concerned=())


def somebody_else_was_chosen(session: Session, application: Application, step: Step) -> Refusal | None:
    """Why somebody may not hand in, where a colleague was chosen to; None where they may."""
    found = chosen(session, application)
    if found is None or found.person == step.person:
        return None
    why = say(
        "{name} was chosen to hand in for your school. Let them do it, or choose somebody else first.",
        name=person(session, found.person).name,
    )
    return Refusal(why, NotAllowed(why))
