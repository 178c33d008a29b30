"""The tables of a rehearsal, alike on the terminal, in its report and on the desk's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from labels.clock import brussels_day
from labels.record.schema import StepKind
from labels.steps.kinds import STEPS
from labels.views.rehearsal import Played, Rehearsal, Spread
from labels.words.sentences import Sentence, english, say

Cell = Sentence | str | int | float | date | None
"""A sentence is said in the reader's language; None is a number that is not there."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what it is called."""

    title: Sentence
    heads: Sequence[Sentence | str]
    rows: Sequence[Sequence[Cell]]
    """Each begins with its name."""


MIDDLE, NINE_IN_TEN, LONGEST = say("Median"), say("Nine in ten within"), say("Longest")
SIDE_BY_SIDE = say("The years side by side, in days")
WAITING = say("How long each step took, in days")
REVIEWER_NEEDED = say("A reviewer is needed")
_ENDS = {
    "awarded": say("Awarded"),
    "refused": say("Not awarded"),
    "ineligible": say("Conditions not met"),
    "withdrawn": say("Withdrawn"),
    "expired": say("Ran out"),
}
_OPEN = say("Still open")
_LATEST = 20
"""Late cases of each year that are shown."""


def tables(found: Rehearsal) -> list[Table]:
    """All of them, the comparison first."""
    return [
        _side_by_side(found),
        _waiting(found),
        *_ends(found),
        _by_name(say("Mails"), found, lambda one: one.mails),
        _by_name(say("Papers"), found, lambda one: one.papers),
        *_late(found),
    ]


def cell_text(cell: Cell) -> str:
    """A value of a table as English has it."""
    match cell:
        case None:
            return "–"
        case Sentence():
            return english(cell)
        case float():
            return f"{cell:,.1f}"
        case int():
            return f"{cell:,}"
    return str(cell)


def step_name(step: str) -> Sentence:
    """What is awaited, as people read it."""
    return STEPS[StepKind(step)].worded or REVIEWER_NEEDED


def _side_by_side(found: Rehearsal) -> Table:
    heads = (
        say("Year"), say("Reviewers"), say("Last day"), say("Applications"), say("Decided"), MIDDLE, NINE_IN_TEN, LONGEST,
        say("Decided late"), say("Reviews of one reviewer, median"), say("Most"),
    )  # fmt: skip
    return Table(
        SIDE_BY_SIDE,
        heads,
        [
            (
                str(place), one.reviewers, one.last_day, one.applications, one.decision.number, *_spread(one.decision),
                one.late, one.load.median, one.load.longest,
            )
            for place, one in enumerate(found.played, 1)
        ],
    )  # fmt: skip


def _spread(spread: Spread) -> tuple[Cell, ...]:
    return spread.median, spread.p90, spread.longest


def _waiting(found: Rehearsal) -> Table:
    heads = (
        say("What is awaited"), say("Year"), say("Asked"), say("Given"), MIDDLE, NINE_IN_TEN, LONGEST, say("Late"), _OPEN,
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for step in dict.fromkeys(wait.step for one in found.played for wait in one.steps):
        for place, one in enumerate(found.played, 1):
            rows += [
                (
                    step_name(step), str(place), wait.asked, wait.days.number, *_spread(wait.days), wait.late,
                    wait.left_open,
                )
                for wait in one.steps
                if wait.step == step
            ]  # fmt: skip
    return Table(WAITING, heads, rows)


def _ends(found: Rehearsal) -> Iterable[Table]:
    titles = {
        "national": say("National Quality Label: how cases ended"),
        "school": say("School Label: how cases ended"),
    }
    for label, title in titles.items():
        counted = [_told(one.stages.get(label, {})) for one in found.played]
        if any(counted):
            yield Table(title, _heads(found), _rows(counted))


def _told(stages: dict[str, int]) -> dict[Cell, int]:
    ends: dict[Cell, int] = {}
    for name, number in stages.items():
        end = _ENDS.get(name, _OPEN)
        ends[end] = ends.get(end, 0) + number
    return ends


def _by_name(title: Sentence, found: Rehearsal, of: Callable[[Played], dict[str, int]]) -> Table:
    return Table(title, _heads(found), _rows([dict[Cell, int](of(one).items()) for one in found.played]))


def _heads(found: Rehearsal) -> list[Sentence | str]:
    return ["", *(str(place) for place, _ in enumerate(found.played, 1))]


def _rows(counted: Sequence[dict[Cell, int]]) -> list[Sequence[Cell]]:
    order = dict.fromkeys(name for one in counted for name in one)
    return [(name, *(one.get(name, 0) for one in counted)) for name in order]


def _late(found: Rehearsal) -> Iterable[Table]:
    heads = (say("Late application"), say("Year"), say("Due"), say("Decided"), say("Days late"))
    rows = [
        (
            case.application,
            str(place),
            brussels_day(case.decide_by),
            case.decided_at and brussels_day(case.decided_at),
            case.days,
        )
        for place, one in enumerate(found.played, 1)
        for case in one.late_cases[:_LATEST]
    ]
    if rows:
        yield Table(say("The latest cases"), heads, rows)
