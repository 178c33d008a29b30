"""What an act is: something a person does, proved and done within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy.orm import Session

from labels.answering import organisation_codes
from labels.answering.proving import Coordinator, prove_coordinator
from labels.errors import LabelsError, NotAllowed, OutOfReach
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, StepKind
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.steps.step import locked
from labels.turn import Turn
from labels.words.sentences import say
from labels.words.text import has_words


def needs_words(reason: str) -> None:
    """Refuses a reason that says nothing: it is what somebody goes by, and what the journal keeps.

    Raises:
        NotAllowed: it is blank, or nothing that somebody can read.
    """
    if not has_words(reason):
        raise NotAllowed(say("A reason is needed, in words that somebody can read."))


Act = Callable[[Turn, Proof], Accepted | Refusal]
"""What a person does, within a transaction: it checks the proof, and does all or nothing. What a refusal
leaves in the record (a wrong code that is counted, an entry in the journal) stays."""


def as_coordinator(whose: Callable[[Session], str], do: Callable[[Turn], Accepted]) -> Act:
    """The act of a coordinator upon an application, which `whose` finds.

    The code is spent with the action, or neither is: where the action is refused, the code stays valid, and
    the journal keeps why.
    """

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        application = locked(turn.session, whose(turn.session))
        proven = prove_coordinator(turn, application, proof)
        if isinstance(proven, Refusal):
            return proven
        turn = turn.acting(proven.email, proven.person)
        try:
            with turn.session.begin_nested():
                accepted = do(turn)
                proven.spend(turn)
        except OutOfReach:
            raise
        except LabelsError as error:
            return _not_accepted(turn, application, proven, error)
        return accepted

    return act


def as_coordinator_of(whose: Callable[[Session], Collection[str]], do: Callable[[Turn], Accepted]) -> Act:
    """The act of a coordinator of one of the organisations that `whose` finds, about no application.

    The code is spent with the action, or neither is.
    """

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        organisations = whose(turn.session)
        try:
            with turn.session.begin_nested():
                proven = organisation_codes.prove(turn, organisations, proof)
                if isinstance(proven, Refusal):
                    return proven
                return do(turn.acting(proven.email, proven.person))
        except OutOfReach:
            raise
        except LabelsError as error:
            note(turn, None, SYSTEM, Event.NOT_ACCEPTED, because=str(error))
            return Refusal(error.args[0], error, noted=True)

    return act


def as_coordinator_here(whose: Callable[[Session], str], do: Callable[[Turn], Accepted]) -> Act:
    """The act of a coordinator upon an application, or upon what has none and is an organisation's: `whose` finds either."""

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        found = whose(turn.session)
        if turn.session.get(Application, found) is None:
            return as_coordinator_of(lambda session: [found], do)(turn, proof)
        return as_coordinator(lambda session: found, do)(turn, proof)

    return act


def _not_accepted(turn: Turn, application: Application, person: Coordinator, error: LabelsError) -> Refusal:
    step, about = person.spends, None
    if step is not None and step.kind in (
        StepKind.ASSIGNMENT,
        StepKind.DECISION,
    ):  # it is what they answered, and its form is shown again
        step.refused, about = str(error), step.id
    note(turn, application, person.email, Event.NOT_ACCEPTED, step=about, news=False, because=str(error))
    return Refusal(error.args[0], error, noted=True)
