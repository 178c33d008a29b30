"""The table of step kinds has a row for each, and what is done for a kind agrees with its row."""

from __future__ import annotations

from typing import get_args

from labels.answering.deadlines import PASSING
from labels.record.schema import StepKind
from labels.steps.answers import Answer
from labels.steps.kinds import AWAITED, COORDINATING, STEPS, Act, Power


def test_every_kind_of_step_has_a_row() -> None:
    assert set(STEPS) == set(StepKind)


def test_what_ends_with_its_deadline_has_something_that_ends_it() -> None:
    assert set(PASSING) == {kind for kind, row in STEPS.items() if row.ends_when_late}


def test_every_answer_fits_a_kind_of_step_and_every_step_that_is_answered_takes_one() -> None:
    assert {model for row in STEPS.values() for model in row.answers} == set(get_args(Answer))
    assert all(
        bool(row.answers) is (row.act not in (None, Act.REASSIGN, Act.DECIDE)) for row in STEPS.values()
    )


def test_a_coordinators_code_is_that_of_a_step_which_takes_no_answer() -> None:
    assert all(not STEPS[kind].answers for kind in COORDINATING)
    of_coordinators = {kind for kind in AWAITED if STEPS[kind].power is Power.OTHER_COORDINATOR}
    assert of_coordinators == {StepKind.ASSIGNMENT, StepKind.DECISION}
