"""Briefs and decisions as data: words as they were written, instants and points as values, and no door's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from labels.record import Record
from labels.record.schema import Application, Outcome, StepKind
from labels.reviews import deciding
from labels.steps.answers import Information, Question
from labels.steps.step import open_steps
from labels.views.briefs.by_label import brief_of
from labels.views.briefs.common import Brief
from labels.views.briefs.national import NationalBrief
from labels.views.briefs.school import SchoolBrief
from labels.views.decision import DecisionShown, decision_of
from tests.support.case import Case, open_case
from tests.support.people import CRITERIA, TODAY
from tests.support.school import School, whole

WORDS = "*Bold* | <b>plans</b>\nhttps://a.example {{ x }}"


def brief(record: Record, identifier: str) -> Brief:
    with record.reading() as session:
        application = session.get_one(Application, identifier)
        return brief_of(session, application, open_steps(session, application))


def of_a_teacher(case: Case) -> NationalBrief:
    shown = brief(case.record, case.id)
    assert isinstance(shown, NationalBrief)
    return shown


def texts(view: Any) -> Iterator[str]:
    """Every text in a view."""
    if isinstance(view, str):
        yield view
    elif isinstance(view, dict):
        yield from texts([*view, *view.values()])
    elif isinstance(view, list | tuple):
        for one in view:
            yield from texts(one)


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record, description=WORDS, sections=dict.fromkeys(CRITERIA, WORDS))


def test_words_stand_in_a_brief_as_they_were_written(case: Case) -> None:
    case.ask()
    shown = of_a_teacher(case)
    assert shown.description == WORDS
    assert [one.text for one in shown.criteria] == [WORDS] * len(CRITERIA)
    said = [text for text in texts(dataclasses.asdict(shown)) if text != WORDS]
    assert not any("\\" in text or "**" in text or "labels " in text for text in said)


def test_a_brief_says_until_when_what_is_asked_and_how_points_are_given(case: Case) -> None:
    steps = case.ask()
    shown = of_a_teacher(case)
    assert [(one.step, one.kind) for one in shown.asked] == [(step.id, StepKind.REVIEW) for step in steps]
    assert all(isinstance(one.due_at, datetime) for one in shown.asked)
    assert [(one.id, one.maximum) for one in shown.criteria] == [(name, 5) for name in CRITERIA]
    assert shown.points[5] == "excellent"


def test_a_question_stands_in_the_brief_with_its_answer_and_its_links(case: Case) -> None:
    [first, _] = case.ask()
    case.answer(first, Question(question=WORDS))
    case.ask()
    [asked] = [one for one in of_a_teacher(case).asked if one.kind is StepKind.INFORMATION]
    assert asked.question == WORDS
    case.answer(case.right(StepKind.INFORMATION), Information(text=WORDS, links=["https://b.example"]))
    [exchange] = of_a_teacher(case).exchanges
    assert (exchange.question, exchange.answer, exchange.links) == (WORDS, WORDS, ("https://b.example",))


def test_a_decision_has_every_reviewers_points_as_numbers(case: Case) -> None:
    for step, each in zip(case.ask(), (3, 4), strict=True):
        case.review(step, each)
    case.do(deciding.decide, case.id)
    with case.record.reading() as session:
        shown = decision_of(session, session.get_one(Application, case.id))
    assert isinstance(shown, DecisionShown)
    assert shown.scores
    assert (shown.outcome, shown.scores.totals, shown.scores.maximum) == (Outcome.AWARDED, (18, 24), 30)
    assert [line.points for line in shown.scores.lines] == [(3, 4)] * len(CRITERIA)


def test_reviewers_of_a_school_see_levels_requirements_and_what_it_disputes(record: Record) -> None:
    school = School(record)
    before = brief(record, school.id)
    assert isinstance(before, SchoolBrief)
    assert (before.received, before.handed_in) == (False, None)
    school.hand_in(whole(level=3, disputed={"P-1": WORDS}))
    school.declare()
    shown = brief(record, school.id)
    assert isinstance(shown, SchoolBrief)
    assert shown.received
    assert shown.handed_in
    assert shown.filled_in
    assert {answer.level for one in shown.criteria for answer in one.answers} == {3}
    assert shown.handed_in.requirements[1].said == "Also Łucja."
    projects = shown.filled_in.parts[1]
    assert [(one.row.id, one.disputed) for one in projects.rows] == [("P-1", WORDS)]
    assert shown.filled_in.since.year == TODAY.year - 2
