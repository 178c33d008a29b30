"""The process as a picture: its stations are those of the flow, and the case stands where it is."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from flows.quality_label import national, nomination
from flows.school_label import application as school
from labels.kinds import LabelKind
from labels.record.schema import Application, Outcome, Stage
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


@pytest.mark.sampled
@pytest.mark.parametrize("label", LabelKind)
@pytest.mark.parametrize("stage", Stage)
def test_an_application_of_any_label_and_stage_stands_at_one_station_of_its_picture(
    case: Case, label: LabelKind, stage: Stage
) -> None:
    with case.record.reading() as session:
        application = session.get_one(Application, case.id)
        session.expunge(application)
        application.label, application.stage = label, stage
        found = process_of(session, application)
    if label not in LINES:
        assert found is None
    else:
        assert found is not None
        assert found.here in states(found)


def test_a_nomination_that_is_put_forward_has_passed_every_station(case: Case) -> None:
    with case.record.reading() as session:
        application = session.get_one(Application, case.id)
        session.expunge(application)
        application.label, application.stage = LabelKind.NOMINATION, Stage.DECIDED
        application.outcome = Outcome.NOMINATED
        found = process_of(session, application)
    assert found is not None
    assert found.here is Station.END
    assert {one.state for one in found.line[:-1]} == {State.DONE}


def test_a_question_that_was_just_answered_stands_at_the_review(case: Case) -> None:
    case.ask()
    with case.record.writing() as session:
        session.get_one(Application, case.id).stage = Stage.INFORMATION
    assert picture(case).here is Station.REVIEW
