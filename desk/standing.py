"""Where an application stands, in words for its applicant: the chain of stages, a line, a sign."""

from __future__ import annotations

from labels.clock import brussels_day
from labels.record.schema import Outcome, Stage
from labels.views.applicant import Standing
from labels.words.sentences import Sentence, say

STAGES = (say("Received"), say("Conditions met"), say("In review"), say("Decision"), say("Papers"))
"""The chain, from the first link to the last."""

_PLACES = {
    Stage.SUBMITTED: 0,
    Stage.REVIEW: 2,
    Stage.INFORMATION: 2,
    Stage.ASSIGNMENT: 2,
    Stage.DECIDED: 4,
    Stage.CLOSED: 5,
}


def place_in_chain(one: Standing) -> int:
    """Which link is in hand; behind the last where all is done."""
    return _PLACES.get(one.stage, 2)


def standing_line(one: Standing) -> Sentence:
    """The stage and since when, in a sentence."""
    if one.outcome is not None:
        return {
            Outcome.AWARDED: say("The label was awarded on {day}.", day=brussels_day(one.since)),
            Outcome.REFUSED: say("The label was not awarded; decided on {day}.", day=brussels_day(one.since)),
            Outcome.INELIGIBLE: say(
                "It did not meet the conditions; ended on {day}.", day=brussels_day(one.since)
            ),
            Outcome.WITHDRAWN: say("You withdrew it on {day}.", day=brussels_day(one.since)),
        }.get(one.outcome, say("It ended on {day}.", day=brussels_day(one.since)))
    if one.stage is Stage.SUBMITTED:
        return say("Received on {day}; its conditions are being checked.", day=one.since)
    if one.asked:
        return say("In review; the reviewers have a question for you.")
    return say("In review since {day}.", day=brussels_day(one.since))


def turn_of(one: Standing) -> Sentence:
    """Whose turn it is, by their role."""
    if one.outcome is not None:
        return (
            say("Nothing is left to do.") if one.stage is Stage.CLOSED else say("Your papers are being made.")
        )
    if one.asked:
        return say("It is your turn.")
    if one.stage is Stage.SUBMITTED:
        return say("This happens by itself, within minutes.")
    if one.stage is Stage.ASSIGNMENT:
        return say("It is the turn of your organisation, which looks for a reviewer.")
    return say("It is the turn of the reviewers.")


def tag_of(one: Standing) -> tuple[str, Sentence]:
    """The sign of its state, and what the sign is called."""
    match one.outcome:
        case Outcome.AWARDED:
            return "label", say("awarded")
        case Outcome.REFUSED:
            return "refused", say("not awarded")
        case Outcome.INELIGIBLE:
            return "refused", say("conditions not met")
        case Outcome.WITHDRAWN:
            return "closed", say("withdrawn")
        case None:
            pass
        case _:
            return "closed", say("ended")
    if one.asked:
        return "question", say("your turn")
    return ("waits", say("received")) if one.stage is Stage.SUBMITTED else ("review", say("in review"))
