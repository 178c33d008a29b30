"""What a reviewer sees: their own list, filtered and paged; first the question; then the case, and nobody else's review."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import reviewing
from labels.applications import ending
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.people.persons import person
from labels.record import Record
from labels.record.schema import Application, Cause, Outcome, Project, Staff, Step, StepKind
from labels.reviews import conflicts, coordinating, deciding
from labels.revoking import redeciding
from labels.steps.answers import Decline, Information, Question, ReviewAnswer, ReviewTyped
from labels.steps.proof import SignedIn
from labels.turn import Turn
from labels.views.review_case import ConflictQuestion, End, Ended, ReviewPage, Shown, review_for
from labels.views.review_list import (
    Due,
    Filters,
    ReviewList,
    State,
    Tab,
    next_review,
    review_list,
)
from labels.views.review_statistics import MyStatistics, YearLine, my_statistics
from tests.support.case import COORDINATOR, Case
from tests.support.people import CRITERIA, points
from tests.support.persons import person_at
from tests.support.school import School

HALF = ReviewTyped(scores={CRITERIA[0]: 4, CRITERIA[1]: 2}, comment="The maps are")


def seen(case: Case | School, step: Step, who: str | None = None) -> Shown:
    with case.record.reading() as session:
        return review_for(session, step.id, who or step.person, case.now)


def listed(case: Case | School, who: str, filters: Filters | None = None, **more: Any) -> ReviewList:
    with case.record.reading() as session:
        return review_list(session, who, more.pop("now", case.now), filters, **more)


def begin(case: Case | School, step: Step) -> None:
    by = SignedIn(step.person, "mail code", case.now)
    case.do(reviewing.say_no_conflict, step.id, by)


def draft(case: Case | School, step: Step, typed: ReviewTyped = HALF) -> None:
    begin(case, step)
    case.do(reviewing.save_draft, step.id, SignedIn(step.person, "mail code", case.now), typed, None)


# The page -----------------------------------------------------------------------------------------


def test_first_comes_the_question_of_a_conflict_with_what_one_can_tell_it_by(case: Case) -> None:
    first, _ = case.ask()
    shown = seen(case, first)
    assert isinstance(shown, ConflictQuestion)
    assert (shown.applicant, shown.school) == ("Zażółć Gęślą", "Szkoła Podstawowa nr 7, Łódź")
    assert shown.partners == ("Escola Básica, Łódź (PT)",)


def test_then_the_case_stands_beside_the_draft_with_what_the_rules_ask(case: Case) -> None:
    first, _ = case.ask()
    draft(case, first)
    shown = seen(case, first)
    assert isinstance(shown, ReviewPage)
    assert (shown.typed, shown.number, shown.saved_at) == (HALF, 1, case.now)
    assert [one.id for one in shown.brief.criteria] == list(CRITERIA)
    assert "komuni" not in shown.brief.criteria[0].text
    assert shown.brief.criteria[0].text.endswith(f"({CRITERIA[0]}).")
    assert set(shown.brief.points) == set(range(6))
    assert (shown.sum.total, shown.sum.maximum, shown.sum.pass_mark) == (6, 30, 18)
    assert len(shown.sum.missing) == 4
    assert not shown.sum.passes


def test_a_criterion_below_its_minimum_stops_the_sum_from_passing(record: Record) -> None:
    from tests.support.case import open_case

    case = open_case(record, "NSS-FR", "FR", sections=dict.fromkeys(
        ("pedagogical_innovation", "curricular_integration", "collaboration", "technology", "results"), "Ils ont."
    ))  # fmt: skip
    first, *_ = case.ask()
    begin(case, first)
    shown = seen(case, first)
    assert isinstance(shown, ReviewPage)
    scores = {one.id: 2 if one.minimum == 3 else 5 for one in shown.brief.criteria}
    draft(case, first, ReviewTyped(scores=scores))
    shown = seen(case, first)
    assert isinstance(shown, ReviewPage)
    assert shown.sum.total >= shown.sum.pass_mark
    assert [one.id for one in shown.sum.below] == [
        "online_collaboration",
        "choice_of_ict",
        "safety_and_rights",
    ]
    assert not shown.sum.passes


@pytest.mark.slow
def test_a_school_is_shown_pillar_by_pillar_with_its_answers(record: Record) -> None:
    school = School(record)
    school.hand_in()
    school.declare()
    first = school.ask()[0]
    assert isinstance(seen(school, first), ConflictQuestion)
    begin(school, first)
    shown = seen(school, first)
    assert isinstance(shown, ReviewPage)
    assert all(one.answers for one in shown.brief.criteria)
    assert shown.asked.label is LabelKind.SCHOOL


def test_somebody_elses_review_is_as_unknown_as_one_that_there_is_not(case: Case) -> None:
    first, second = case.ask()
    for step, who in (
        (first.id, second.person),
        ("STEP-NONE", second.person),
        (first.id, person_at(case.record, COORDINATOR)),
    ):
        with case.record.reading() as session, pytest.raises(NotFound, match=r"^There is no such review\.$"):
            review_for(session, step, who, case.now)


def test_a_review_that_is_sent_declined_or_waits_says_so(case: Case) -> None:
    first, second = case.ask()
    draft(case, first)
    case.answer(first, Question(question="Which maps?"))
    assert _ended(case, first).how is End.WAITING
    asked = case.right(StepKind.INFORMATION)
    case.answer(asked, Information(text="All of them."))
    shown = seen(case, first)
    assert isinstance(shown, ReviewPage), "the mail's link works until the step closes"
    assert shown.typed == HALF
    assert [one.answer for one in shown.brief.exchanges] == ["All of them."]
    case.review(first)
    assert _ended(case, first).how is End.SENT
    case.answer(second, Decline(decline="ill"))
    assert _ended(case, second).how is End.DECLINED


def test_a_review_that_was_given_to_somebody_else_says_who_has_it(case: Case) -> None:
    first, second = case.ask()
    begin(case, first)
    free = next(
        name for n in range(1, 6) if (name := f"r{n}@nss.example") not in (first.assignee, second.assignee)
    )
    new = case.do_as(COORDINATOR, coordinating.reassign, first.id, free, "illness")
    ended = _ended(case, first)
    assert (ended.how, ended.now_with) == (End.TAKEN_BACK, f"Recenzent {free[1]}")
    assert isinstance(seen(case, new), ConflictQuestion)


def test_a_reviewer_who_was_replaced_by_a_reopening_is_told_who_has_the_seat(case: Case) -> None:
    steps = case.ask()
    for step in steps:
        case.review(step, 4)
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    case.do(ending.close, case.id)
    case.do_as(COORDINATOR, declared, case, steps[0])
    reopened = redeciding.Reopened(case.id, Cause.CONFLICT)
    plan = case.do(redeciding.consequences, reopened).plan
    case.do_as(COORDINATOR, redeciding.reopen, reopened, plan, "They are cousins.")
    assert case.conditions()
    [new] = case.ask()
    with case.record.reading() as session:
        name = person(session, new.person).name
    ended = _ended(case, steps[0])
    assert (new.instance, ended.how, ended.now_with) == (2, End.TAKEN_BACK, name)


def declared(turn: Turn, case: Case, step: Step) -> None:
    application = turn.session.get_one(Application, case.id)
    conflicts.declare(turn, application, step.person, reason="Cousins.")


def test_a_review_that_was_sent_back_leads_to_its_draft(case: Case) -> None:
    first, _ = case.ask()
    case.review(first, 3)
    new = case.do_as(COORDINATOR, coordinating.send_back, first.id, "the maps")
    assert (_ended(case, first).again, _ended(case, first).now_with) == (new.id, None)
    shown = seen(case, new)
    assert isinstance(shown, ReviewPage)
    assert shown.typed.scores == points(3)


def test_who_left_the_staff_is_told_why_and_nothing_of_the_case(case: Case) -> None:
    first, _ = case.ask()
    draft(case, first)
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    ended = _ended(case, first)
    assert (ended.asked, ended.how) == (None, End.NOT_ALLOWED)
    assert "no longer on the staff" in ended.why
    assert not listed(case, first.assignee).rows


def _ended(case: Case, step: Step) -> Ended:
    shown = seen(case, step)
    assert isinstance(shown, Ended)
    return shown


# The list -----------------------------------------------------------------------------------------


def many(case: Case, number: int) -> str:
    """A reviewer with that many reviews, each due a day after the other; returns their address."""
    first, *_ = case.ask()
    with case.record.writing() as session:
        of = session.get_one(Application, case.id)
        columns = {c.name: getattr(of, c.name) for c in Application.__table__.columns}
        for n in range(1, number):
            session.add(
                Project(id=f"P-{n}x", title=f"Rzeki {n}", started_on=datetime(2025, 9, 1), ended_on=None)
            )
            session.flush()
            session.add(Application(**columns | {
                "id": f"NQL-{n:010}", "project": f"P-{n}x", "language": "pl" if n % 2 else "en",
                "country": "PL" if n % 3 else "XK",
            }))  # fmt: skip
            session.flush()
            session.add(
                Step(
                    id=f"STEP-{n:010}", application=f"NQL-{n:010}", kind=StepKind.REVIEW, number=1, assignee=first.assignee,
                    organisation="NSS-PL", state="open", opened_at=case.now, due_at=case.now + timedelta(days=n - 3),
                    code_hash="",
                )
            )  # fmt: skip
    return first.person


def test_the_list_is_paged_by_key_in_the_order_of_what_is_due(case: Case) -> None:
    who = many(case, 45)
    pages, after = [], None
    while True:
        page = listed(case, who, after=after)
        pages.append([row.step for row in page.rows])
        assert page.counts == {Tab.TO_DO: 45, Tab.WAITING: 0, Tab.SENT: 0}
        assert page.matching == 45
        if (after := page.next) is None:
            break
    assert [len(page) for page in pages] == [20, 20, 5]
    together = [step for page in pages for step in page]
    assert len(set(together)) == 45
    everything = listed(case, who, limit=100).rows
    assert together == [row.step for row in everything]
    assert [row.due_at for row in everything] == sorted(row.due_at for row in everything if row.due_at)


def test_the_list_is_filtered_by_what_is_due_country_language_and_words(case: Case) -> None:
    who = many(case, 12)

    def matching(**chosen: Any) -> int:
        return listed(case, who, Filters(**chosen)).matching

    assert matching(due=Due.OVERDUE) == 2
    assert matching(due=Due.WEEK) == 10
    assert matching(country="XK") == 3
    assert matching(language="en") == 5
    assert matching(language="en", country="XK") == 1
    assert matching(words="rzeki 1") == 3
    assert matching(words="NQL-0000000004") == 1
    assert matching(words="100%") == 0, "what means anything to the database is text"
    assert matching(label=LabelKind.SCHOOL) == 0
    page = listed(case, who)
    assert (page.overdue, page.this_week) == (2, 8)
    assert page.choices.countries == ("PL", "XK")
    assert [row.late for row in page.rows[:3]] == [True, True, False]


def test_the_list_says_how_far_each_review_is(case: Case) -> None:
    first, _ = case.ask()
    who = first.person

    def state(tab: Tab = Tab.TO_DO) -> tuple[State, int | None]:
        [row] = listed(case, who, Filters(tab=tab)).rows
        return row.state, row.total

    assert state() == (State.CONFLICT, None)
    begin(case, first)
    assert state() == (State.NOT_BEGUN, None)
    draft(case, first)
    assert state() == (State.DRAFT, 6)
    case.answer(first, Question(question="Which maps?"))
    assert state(Tab.WAITING) == (State.WAITING, 6)
    case.now += timedelta(days=1)
    case.answer(case.right(StepKind.INFORMATION), Information(text="All."))
    assert state() == (State.ANSWER_CAME, 6)
    case.review(first, 4)
    assert state(Tab.SENT) == (State.SENT, 24)


def test_after_sending_the_next_one_of_the_same_filters_comes_then_any(case: Case) -> None:
    who = many(case, 6)

    def after(step: str, **chosen: Any) -> str | None:
        with case.record.reading() as session:
            row = next_review(session, who, case.now, Filters(**chosen), but=step)
            return row.step if row else None

    assert after("STEP-0000000001") == "STEP-0000000002"
    assert after("STEP-0000000001", country="XK") == "STEP-0000000003"
    assert after("STEP-0000000003", country="XK") == "STEP-0000000001"
    assert after("STEP-0000000003", tab=Tab.SENT) == "STEP-0000000001"


# Blind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        ReviewAnswer(scores=points(0), comment="Poor.", note="A friend of mine."),
        ReviewAnswer(scores=points(5), comment="Wonderful.", note=""),
        Decline(decline="I know them too well.", conflict=True),
    ],
)
def test_worlds_that_differ_in_another_persons_review_look_the_same(case: Case, other: Any) -> None:
    first, second = case.ask()
    draft(case, first)

    def everything() -> list[Any]:
        return [
            numbers(case, first.person),
            seen(case, first),
            *(listed(case, first.person, Filters(tab=tab)) for tab in Tab),
        ]

    before = everything()
    draft(case, second, ReviewTyped(scores=points(1), comment="Theirs."))
    assert everything() == before
    case.answer(second, other)
    case.ask()
    assert everything() == before


# Statistics ---------------------------------------------------------------------------------------


def numbers(case: Case, who: str) -> MyStatistics:
    with case.record.reading() as session:
        return my_statistics(session, who)


def test_a_reviewer_sees_what_came_of_their_own_reviews(case: Case) -> None:
    first, second = case.ask()
    assert numbers(case, first.person).years[0] == YearLine(2025, 1, 0, 0, 0, 1, 0, None)
    case.now += timedelta(days=2)
    case.answer(first, Question(question="Which maps?"))
    case.now += timedelta(days=5)
    case.answer(case.right(StepKind.INFORMATION), Information(text="All."))
    case.now += timedelta(days=1)
    case.answer(first, ReviewAnswer(scores=points(3), comment="Four words of praise."))
    case.answer(second, Decline(decline="ill"))
    mine = numbers(case, first.person)
    assert mine.years == (YearLine(2025, 1, 1, 0, 0, 0, 1, 3.0),)
    assert mine.spread == (0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
    assert [(one.maximum, one.mean) for one in mine.criteria] == [(5, 3)] * 6
    assert (mine.comment_words, mine.decided, mine.distance) == (4, 0, None)
    assert numbers(case, second.person).total.declined == 1
    assert numbers(case, "PER-NOBODY").years == ()


def test_how_near_one_was_to_the_decision_is_told_of_decisions_alone(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 4)
    before = numbers(case, first.person)
    case.review(second, 3)
    assert numbers(case, first.person) == before
    assert case.ask() == []
    case.do(deciding.decide, case.id)
    after = numbers(case, first.person)
    assert (after.decided, after.distance) == (1, 10.0)
