"""The process as a picture: its stations are those of the flow, and the case stands where it is."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from flows.quality_label import national, nomination
from flows.school_label import application as school
from labels.kinds import LabelKind
from labels.record.schema import Application, Outcome
from labels.steps.answers import Question
from labels.views.process import LINES, Process, State, Station, process_of
from tests.support.case import Case, decided, withdrawn

FLOWS: dict[LabelKind, ModuleType] = {
    LabelKind.NATIONAL: national,
    LabelKind.SCHOOL: school,
    LabelKind.NOMINATION: nomination,
}


@pytest.mark.parametrize("label", FLOWS)
def test_the_stations_are_tasks_of_the_flow_in_its_order(label: LabelKind) -> None:
    tree = ast.parse(inspect.getsource(FLOWS[label]))
    calls = [
        (node.lineno, node.func.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    tasks = [name for _, name in sorted(calls)]
    drawn = [task for _, task in LINES[label]]
    assert [name for name in tasks if name in drawn] == drawn


def picture(case: Case) -> Process:
    with case.record.reading() as session:
        found = process_of(session, session.get_one(Application, case.id))
        assert found is not None
        return found


def states(process: Process) -> dict[Station, State]:
    return {one.station: one.state for one in (*process.line, *process.beside)}


def test_a_case_stands_where_it_waits(case: Case) -> None:
    first, second = case.ask()
    review = picture(case)
    assert review.here is Station.REVIEW
    assert (review.given, review.asked) == (0, 2)
    assert states(review)[Station.CONDITIONS] is State.DONE
    assert states(review)[Station.QUESTION] is State.AHEAD
    case.answer(first, Question(question="Which school?"))
    case.ask()
    both = states(picture(case))
    assert (both[Station.REVIEW], both[Station.QUESTION]) == (State.HERE, State.HERE)
    case.review(second)
    case.ask()
    question = picture(case)
    assert question.here is Station.QUESTION
    assert states(question)[Station.REVIEW] is State.AHEAD


def test_a_decided_case_has_passed_every_station(case: Case) -> None:
    assert decided(case, 4) is Outcome.AWARDED
    found = states(picture(case))
    assert found[Station.END] is State.HERE
    assert {found[one] for one in (Station.REVIEW, Station.DECISION, Station.PAPERS)} == {State.DONE}
    assert picture(case).given == 2


def test_what_was_withdrawn_was_never_decided(case: Case) -> None:
    withdrawn(case)
    found = states(picture(case))
    assert found[Station.DECISION] is not State.DONE
    assert found[Station.REVIEW] is not State.DONE


def test_who_misses_a_reviewer_stands_beside_the_line(lonely: Case) -> None:
    lonely.ask()
    assert picture(lonely).here is Station.ASSIGNMENT
