"""A round of the School Label: which rules it goes by, and its beginning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from adapters.workspace import Workspace
from labels.clock import brussels_day
from labels.record.schema import SchoolRound
from labels.rules.loading import load_rules, load_school_rules
from labels.rules.model import RuleEdition
from labels.school_label import rounds

DEPLOYMENT = "school-label-preselection/preselection"
"""The deployment that runs a round (prefect.yaml)."""


RulesFor = Callable[[str], RuleEdition]


def rules_on(here: Workspace, day: date) -> RulesFor:
    """The rules in force on a day, for every organisation."""
    return lambda organisation: load_rules(organisation, day, here.settings.rules)


def school_rules_on(here: Workspace, day: date) -> RulesFor:
    """The same, as the applications of schools are judged by them."""
    return lambda organisation: load_school_rules(organisation, day, here.settings.rules)


def begin(here: Workspace, on: date | None = None) -> SchoolRound:
    """The round of the year of `on`, by default today's; begun now where it has not been.

    Raises:
        InvalidInput: the day is none that a round could be of, or there is no Central Support Service.
        NotAllowed: the day is still to come, or the round would end before it begins.
    """
    day = on or brussels_day(here.now())
    with here.record.writing() as session:
        return rounds.begin(here.turn(session), day, rules_on(here, day))
