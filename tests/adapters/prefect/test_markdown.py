"""What people see in Prefect of each kind of case: the texts in `shown/`, word for word.

To write them anew after a change that is meant: `WRITE_SHOWN=1 ./run test tests/adapters/prefect/test_markdown.py`.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.prefect.markdown import european
from adapters.prefect.markdown.briefs import whole
from adapters.prefect.markdown.decision import decision
from labels.european_label import awarding, screening
from labels.record import Record
from labels.record.schema import Application, Staff, StepKind
from labels.reviews import deciding
from labels.steps.answers import Information, Question, ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import open_steps
from labels.turn import Turn
from labels.views.about import DocumentFile
from labels.views.briefs.by_label import brief_of
from labels.views.decision import decision_of
from labels.views.screening import progress_of, ranking_of
from tests.support import european as a_year
from tests.support.case import Case, open_case
from tests.support.people import KEY, points, populate
from tests.support.school import School
from tests.support.school import whole as self_assessment

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)

SHOWN = Path(__file__).parent / "shown"


def link(document: DocumentFile, days: int | None) -> str:
    return f"https://documents.example/{document.key}?days={days}"


def is_shown(name: str, text: str) -> None:
    """Whether the text is the one that was looked at and found good."""
    file = SHOWN / f"{name}.md"
    if os.environ.get("WRITE_SHOWN"):
        file.write_text(text + "\n", "utf-8")
    assert text + "\n" == file.read_text("utf-8")


def of(case: Case) -> str:
    return brief(case.record, case.id)


def decision_in(case: Case) -> str:
    with case.record.reading() as session:
        shown = decision_of(session, session.get_one(Application, case.id))
    assert shown
    return decision(shown, link)


def brief(record: Record, identifier: str) -> str:
    with record.reading() as session:
        application = session.get_one(Application, identifier)
        return whole(brief_of(session, application, open_steps(session, application)), link)


def test_reviewers_see_who_applies_and_what_they_say_on_each_criterion(record: Record) -> None:
    case = open_case(record)
    case.ask()
    is_shown("reviews", of(case))


def test_everybody_sees_what_was_asked_and_why_an_answer_was_not_accepted(record: Record) -> None:
    case = open_case(record, description="A *bold* project.\nSee <https://a.example>.")
    first, second = case.ask()
    assert isinstance(case.answer(second, ReviewAnswer(scores={}, comment="So so.")), Refusal)
    case.answer(first, Question(question="Which _class_ was it?"))
    case.ask()
    is_shown("question", of(case))
    given = Information(text="5a.\n\n* And 6b.", links=["https://a.example/6_b"])
    case.answer(case.right(StepKind.INFORMATION), given)
    case.ask()
    is_shown("question-answered", of(case))


def test_a_decision_has_the_points_the_reasons_and_what_the_reviewers_say(record: Record) -> None:
    case = open_case(record)
    for step in case.ask():
        case.answer(step, ReviewAnswer(scores=points(4), comment="Well | done."))
    case.do(deciding.decide, case.id)
    is_shown("awarded", decision_in(case))


def test_a_decision_has_the_conditions_that_are_not_met(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(record, project="P-2", description="")
    assert not case.conditions()
    is_shown("ineligible", decision_in(case))


def test_a_school_sees_what_is_asked_of_it_and_its_reviewers_what_it_says_of_itself(record: Record) -> None:
    school = School(record)
    is_shown("school-asked", brief(record, school.id))
    assert isinstance(school.hand_in(), Accepted)
    is_shown("school-declaration", brief(record, school.id))
    school.declare()
    school.ask()
    is_shown("school-reviews", brief(record, school.id))


def test_what_a_school_disputes_stands_beside_it(record: Record) -> None:
    school = School(record)
    disputed = {"members": "One *left*.", "P-1": "Not ours."}
    assert isinstance(
        school.hand_in(self_assessment(disputed=disputed, links=["https://a.example/b_c"])), Accepted
    )
    school.declare()
    shown = brief(record, school.id)
    assert r"**Members** (2) · disputed: One \*left\*\." in shown
    assert r"2026\-03\-01 · disputed\: Not ours\." in shown
    assert "**Link:** <https://a.example/b_c>" in shown


@pytest.mark.slow
def test_a_year_of_the_european_quality_label_is_shown_to_all_who_answer(record: Record) -> None:
    with record.writing() as session:
        a_year.populate_year(session)
        national = sa.and_(Staff.role == "coordinator", Staff.organisation != "CSS")
        session.execute(sa.update(Staff).where(national).values(school="S-1"))
        award = a_year.begun(session, move_up=True, four_eyes=True)
        proposal = a_year.nomination_of(a_year.OWN)
        session.get_one(Application, proposal).run = "0000-1"
        steps = screening.ask(Turn(session, a_year.BEGINS, KEY), proposal)
    is_shown("screenings", brief(record, award))
    is_shown("proposal", brief(record, proposal))
    with record.writing() as session:
        steps = open_steps(session, session.get_one(Application, proposal))
        a_year.answered(session, steps, {"approve": ["all"], "strike": {"NQL-T-A1-P-A": "Copied | it."}})
        screening.ask(Turn(session, a_year.BEGINS, KEY), proposal)
    is_shown("proposal-moved-up", brief(record, proposal))
    with record.writing() as session:
        a_year.screen(session, a_year.OWN)
        a_year.screen(session, a_year.OTHER)
        awarding.merge_nominations(Turn(session, a_year.BEGINS, KEY), award)
        steps = awarding.ask(Turn(session, a_year.BEGINS, KEY), award)
        a_year.answered(session, steps, {"strike": {"P-A": "No _proof_."}, "approve": ["all"]})
        awarding.ask(Turn(session, a_year.BEGINS, KEY), award)
    is_shown("award", brief(record, award))
    with record.reading() as session:
        ranking = ranking_of(session, session.get_one(Application, proposal))
        progress = progress_of(session, a_year.YEAR)
    is_shown("ranking", european.ranking(ranking))
    assert progress.per_cent == 100
    is_shown("progress", european.progress(progress, lambda run: f"https://prefect.example/{run}"))
    sealed = dataclasses.replace(progress, journal="4711-9c1f2a33b0d4e5f6")
    assert european.progress(sealed, str).endswith("\n\nThe journal stands at `4711-9c1f2a33b0d4e5f6`.")
