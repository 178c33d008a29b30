"""Many applications at once: the plan says what will happen, and is carried out whole, as it was shown, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import many
from labels.answering.carrying_out import Done, carry_out
from labels.answering.many import Chosen, Plan, PlanChanged, What, Wish
from labels.answering.many_file import read
from labels.clock import end_of_day
from labels.errors import InvalidInput, NotAllowed, NotFound
from labels.kinds import Wish as ReviewerWishes
from labels.mail.message import Template
from labels.people.persons import named
from labels.privacy.retention import let_go, periods
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    BulkPlan,
    Conflict,
    Journal,
    Mail,
    Outcome,
    Person,
    ReviewerChoice,
    ReviewerWish,
    Staff,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import conflicts, coordinating
from labels.reviews.judged_together import judged_by_application
from labels.steps.answers import Information, Question
from labels.steps.outcome import Accepted
from labels.turn import Door, Turn
from labels.views.many import not_kept, shown
from tests.support.case import COORDINATOR, Case, open_case, staff
from tests.support.killing import Killed
from tests.support.many import copied
from tests.support.people import KEY

WHY = "Anna is ill until May."
OURS = ("NSS-PL",)


class Scene:
    """Ten applications, each asked of the same two reviewers, and a coordinator who plans."""

    def __init__(self, record: Record, number: int = 10) -> None:
        self.record = record
        self.case = open_case(record)
        self.first, self.second = self.case.ask()
        with record.writing() as session:
            self.applications = copied(session, self.case.id, number)
            somebody = named(session, COORDINATOR)
            assert somebody is not None
            self.who = somebody.id

    def person(self, address: str) -> str:
        with self.record.reading() as session:
            somebody = named(session, address)
            assert somebody is not None
            return somebody.id

    def plan(self, what: What, *chosen: str, **wish: Any) -> Plan:
        rows = [Chosen(one) for one in chosen or self.applications]
        return self.planned(Wish(what, WHY, **wish), rows)

    def planned(self, wish: Wish, rows: list[Chosen]) -> Plan:
        with self.record.reading() as session:
            return many.plan(session, self.who, OURS, wish, rows, self.case.now)

    def kept(self, plan: Plan) -> str:
        with self.record.writing() as session:
            return many.keep(session, self.who, plan, self.case.now)

    def carries_out(self, plan: str) -> Done:
        with self.record.writing() as session:
            turn = Turn(session, self.case.now, KEY, Door.DESK, COORDINATOR, person=self.who)
            return carry_out(turn, plan)

    def open_reviews(self) -> Counter[str]:
        return Counter(
            one.assignee
            for one in self.case.all(Step)
            if one.kind is StepKind.REVIEW and one.state is StepState.OPEN
        )

    def entries(self, event: Event) -> list[Journal]:
        return [one for one in self.case.all(Journal) if one.what == event]

    def messages(self) -> list[Mail]:
        return [one for one in self.case.all(Mail) if one.template == Template.CHANGED_TOGETHER]

    def everything(self) -> list[Any]:
        """All that the record says, but for plans."""
        with self.record.reading() as session:
            return [
                sorted(map(str, session.execute(sa.select(kind.__table__)).all()))
                for kind in (Application, Step, Journal, Mail, Conflict)
            ]


@pytest.fixture
def scene(record: Record) -> Scene:
    return Scene(record)


def test_thirty_reviews_of_somebody_who_is_ill_go_to_those_who_have_least_to_do(scene: Scene) -> None:
    ill = scene.first.person
    before = scene.open_reviews()
    plan = scene.plan(What.REASSIGN, whose=ill)
    assert [one.application for one in plan.done] == scene.applications
    assert plan.loads[ill] == (10, 0)
    others = [after for person, (_, after) in plan.loads.items() if person != ill]
    assert sum(others) == 10
    assert max(others) - min(others) <= 1
    assert scene.open_reviews() == before, "a plan changes nothing"
    done = scene.carries_out(scene.kept(plan))
    assert (done.number, done.applications) == (10, tuple(scene.applications))
    after = scene.open_reviews()
    assert after[scene.first.assignee] == 0
    assert after[scene.second.assignee] == before[scene.second.assignee]
    assert {person: number for person, (_, number) in plan.loads.items() if number} == {
        scene.person(address): number for address, number in after.items() if address != scene.second.assignee
    }


def test_each_has_an_entry_of_its_own_and_everybody_one_message(scene: Scene) -> None:
    identifier = scene.kept(scene.plan(What.REASSIGN, whose=scene.first.person))
    scene.carries_out(identifier)
    entries = scene.entries(Event.REASSIGNED)
    assert Counter(one.application for one in entries) == Counter(scene.applications)
    assert {
        (one.who, one.details["because"], one.details["plan"], one.details["door"]) for one in entries
    } == {(COORDINATOR, WHY, identifier, Door.DESK.value)}
    told = {one.to_address: one.context["message"] for one in scene.messages()}
    assert len(told) == len(scene.messages())
    assert len(told[scene.first.assignee]["ended"]) == 10
    assert sum(len(one["asked"]) for one in told.values()) == 10
    assert {one["reason"] for one in told.values()} == {WHY}
    assert scene.second.assignee not in told
    asked = [one for one in scene.case.all(Mail) if one.template == Template.REVIEW_ASKED]
    assert len(asked) == 2, "those of before"


def wishes(scene: Scene, person: str, wish: ReviewerWishes) -> None:
    with scene.record.writing() as session:
        for application in scene.applications:
            session.add(
                ReviewerWish(person=person, application=application, wish=wish, said_at=scene.case.now)
            )


def test_where_nobody_is_named_the_rules_choose_as_for_one_application_and_why_is_kept(scene: Scene) -> None:
    glad, unwilling = scene.person("r3@nss.example"), scene.person("r4@nss.example")
    assert {scene.first.person, scene.second.person}.isdisjoint({glad, unwilling})
    wishes(scene, glad, ReviewerWishes.YES)
    wishes(scene, unwilling, ReviewerWishes.RATHER_NOT)
    plan = scene.plan(What.REASSIGN, *scene.applications[:2], whose=scene.first.person)
    assert plan.done[0].to == glad, "of those with as little to do, whom least speaks against"
    assert plan.done[1].to not in (glad, unwilling), "as even as can be"
    identifier = scene.kept(plan)
    scene.carries_out(identifier)
    new = [one for one in scene.case.all(Step) if one.person == glad]
    [kept] = [one for one in scene.case.all(ReviewerChoice) if one.step == new[0].id]
    assert (kept.plan, kept.load) == (identifier, 1)
    assert kept.following not in (glad, unwilling)
    assert kept.extra == 2


def test_the_load_of_the_school_year_decides_and_not_what_is_open(scene: Scene) -> None:
    done, free = scene.person("r3@nss.example"), scene.person("r4@nss.example")
    wishes(scene, done, ReviewerWishes.YES)
    wishes(scene, free, ReviewerWishes.YES)
    with scene.record.writing() as session:
        for n, application in enumerate(scene.applications[2:5]):
            session.add(
                Step(
                    id=f"STEP-D{n}", application=application, kind=StepKind.REVIEW, number=9, seat=9, person=done,
                    organisation="NSS-PL", state=StepState.ANSWERED, opened_at=scene.case.now, code_hash="",
                )
            )  # fmt: skip
    plan = scene.plan(What.REASSIGN, *scene.applications[:2], whose=scene.first.person)
    assert plan.done[0].to == free
    assert done not in {one.to for one in plan.done}


def test_a_plan_shows_the_open_reviews_of_its_own_organisations_alone(scene: Scene) -> None:
    busy = scene.person("r4@nss.example")
    with scene.record.writing() as session:
        elsewhere = session.get_one(Application, scene.applications[9])
        elsewhere.organisation = "NSS-PT"
        session.add(
            Step(
                id="STEP-E", application=elsewhere.id, kind=StepKind.REVIEW, number=9, seat=9, person=busy,
                organisation="NSS-PT", state=StepState.OPEN, opened_at=scene.case.now, code_hash="",
            )
        )  # fmt: skip
    plan = scene.plan(What.REASSIGN, scene.case.id, whose=scene.first.person, to="r4@nss.example")
    assert plan.loads == {scene.first.person: (9, 8), busy: (0, 1)}


def test_whoever_takes_over_an_open_question_is_written_to_once_it_is_answered(scene: Scene) -> None:
    scene.case.answer(scene.first, Question(question="Which tasks were shared?"))
    identifier = scene.kept(
        scene.plan(What.REASSIGN, scene.case.id, whose=scene.first.person, to="r4@nss.example")
    )
    scene.carries_out(identifier)
    assert [one.to_address for one in scene.messages()] == [scene.first.assignee]
    asked = scene.case.right(StepKind.INFORMATION)
    assert isinstance(scene.case.answer(asked, Information(text="All of them.")), Accepted)
    [new] = [one for one in scene.case.all(Step) if one.application == scene.case.id
             and one.assignee == "r4@nss.example"]  # fmt: skip
    assert [one.to_address for one in scene.case.all(Mail) if one.step == new.id] == ["r4@nss.example"]


def test_nobody_is_planned_who_has_a_conflict_of_interest(scene: Scene) -> None:
    near = scene.person("r3@nss.example")
    scene.case.do_as(COORDINATOR, coordinating.declare_conflict, scene.case.id, "r3@nss.example", "cousins")
    to_them = scene.plan(What.REASSIGN, whose=scene.first.person, to="r3@nss.example")
    assert not to_them.done
    assert {str(one.why_not) for one in to_them.rows} == {
        "r3@nss.example has a conflict of interest: has a declared conflict of interest."
    }
    spread = scene.plan(What.REASSIGN, whose=scene.first.person)
    assert len(spread.done) == 10
    assert near not in {one.to for one in spread.rows}


def test_two_seats_of_one_application_never_go_to_one_person(scene: Scene) -> None:
    plan = scene.plan(What.REASSIGN, scene.case.id, to="r2@nss.example")
    taken = {scene.first.assignee, scene.second.assignee}
    assert "r2@nss.example" not in taken
    first, second = plan.rows
    assert first.to == scene.person("r2@nss.example")
    assert str(second.why_not) == "r2@nss.example gets another seat of this application."
    spread = scene.plan(What.REASSIGN)
    for application in scene.applications:
        given = [one.to for one in spread.done if one.application == application]
        assert len(given) == len(set(given)) == 2
    scene.carries_out(scene.kept(spread))
    for application in scene.applications:
        seats = [one.person for one in scene.case.all(Step) if (one.application, one.state) == (application, "open")
                 and one.kind is StepKind.REVIEW]  # fmt: skip
        assert len(set(seats)) == 2


def test_whoever_may_be_one_of_two_who_review_is_not_asked_too(scene: Scene) -> None:
    with scene.record.writing() as session:
        name = session.get_one(Person, scene.second.person).name
        session.add(
            Staff(email="other@nss.example", role="reviewer", name=name, organisation="NSS-PL", language="pl", school=None)
        )  # fmt: skip
    plan = scene.plan(What.REASSIGN, whose=scene.first.person, to="other@nss.example")
    assert not plan.done
    assert "may be" in str(plan.rows[0].why_not)


CHANGES: dict[str, Callable[[Scene], Any]] = {
    "is with": lambda one: one.case.do_as(
        COORDINATOR, coordinating.reassign, one.first.id, "r2@nss.example", "already"
    ),
    "has a declared conflict": lambda one: one.case.do_as(
        COORDINATOR, coordinating.declare_conflict, one.case.id, "r4@nss.example", "cousins"
    ),
    "not on the staff": lambda one: one.case.do(
        lambda turn: turn.session.execute(sa.delete(Staff).where(Staff.email == "r4@nss.example"))
    ),
    "has an outcome": lambda one: one.case.do(
        lambda turn: turn.session.execute(
            sa.update(Application).where(Application.id == one.case.id).values(outcome=Outcome.WITHDRAWN)
        )
    ),
    "due": lambda one: one.case.do(
        lambda turn: turn.session.execute(
            sa.update(Step).where(Step.id == one.first.id).values(due_at=one.case.now + timedelta(days=9))
        )
    ),
    "coordinate it any more": lambda one: one.case.do(
        lambda turn: turn.session.execute(sa.delete(Staff).where(Staff.email == COORDINATOR))
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_plan_is_refused_with_the_difference_where_something_has_changed(scene: Scene, what: str) -> None:
    assert {"r4@nss.example", "r2@nss.example"}.isdisjoint({scene.first.assignee, scene.second.assignee})
    identifier = scene.kept(scene.plan(What.REASSIGN, whose=scene.first.person, to="r4@nss.example"))
    CHANGES[what](scene)
    before = scene.everything()
    with pytest.raises(PlanChanged) as refused:
        scene.carries_out(identifier)
    assert scene.everything() == before
    assert scene.case.id in dict(refused.value.changed)
    if what == "is with":
        assert [(one, what in why or "void" in why) for one, why in refused.value.changed] == [
            (scene.case.id, True)
        ]
    else:
        assert what in str(dict(refused.value.changed)[scene.case.id])


def test_done_twice_it_is_done_once(scene: Scene) -> None:
    identifier = scene.kept(scene.plan(What.REASSIGN, whose=scene.first.person))
    scene.carries_out(identifier)
    before = scene.everything()
    assert scene.carries_out(identifier).already
    assert scene.everything() == before


def test_a_plan_is_its_makers_alone_and_good_for_a_day(scene: Scene) -> None:
    identifier = scene.kept(scene.plan(What.REMIND))
    with pytest.raises(NotFound):
        replace_who(scene, "r1@nss.example").carries_out(identifier)
    scene.who = scene.person(COORDINATOR)
    scene.case.now += timedelta(days=2)
    with pytest.raises(NotAllowed, match="more than a day old"):
        scene.carries_out(identifier)


def replace_who(scene: Scene, address: str) -> Scene:
    scene.who = scene.person(address)
    return scene


def test_another_countrys_application_is_as_one_that_is_not_there(scene: Scene) -> None:
    with scene.record.reading() as session, pytest.raises(NotFound) as elsewhere:
        many.plan(
            session, scene.who, ("NSS-PT",), Wish(What.REMIND, WHY), [Chosen(scene.case.id)], scene.case.now
        )
    with scene.record.reading() as session, pytest.raises(NotFound) as nowhere:
        many.plan(session, scene.who, OURS, Wish(What.REMIND, WHY), [Chosen("NQL-X")], scene.case.now)
    assert str(elsewhere.value).replace(scene.case.id, "NQL-X") == str(nowhere.value)


def test_whose_name_somebody_may_not_know_is_not_told_for_a_number(scene: Scene) -> None:
    with scene.record.writing() as session:
        session.add(
            Staff(email="ana@nss.pt", role="reviewer", name="Ana", organisation="NSS-PT", language="pt", school=None)
        )  # fmt: skip
    elsewhere = scene.person("ana@nss.pt")
    for typed, name in ((elsewhere, elsewhere), ("PER-X", "PER-X"), (scene.first.person, None)):
        plan = scene.plan(What.REMIND, whose=typed, to=typed)
        with scene.record.reading() as session:
            looked = not_kept(session, scene.who, plan, scene.case.now)
        identifier = scene.kept(plan)
        with scene.record.reading() as session:
            read = shown(session, identifier, scene.who)
            name = name or session.get_one(Person, typed).name
        assert {looked.whose, looked.to, read.whose, read.to} == {name}


def test_whoever_reviews_is_reminded_once_of_all(scene: Scene) -> None:
    scene.carries_out(scene.kept(scene.plan(What.REMIND, kind=StepKind.REVIEW)))
    told = {one.to_address: len(one.context["message"]["awaited"]) for one in scene.messages()}
    assert told == {scene.first.assignee: 10, scene.second.assignee: 10}
    assert len(scene.entries(Event.REMINDED)) == 20


def test_deadlines_are_moved_together_and_a_late_decision_is_told(scene: Scene) -> None:
    until = scene.case.now + timedelta(days=300)
    plan = scene.plan(What.DEADLINE, kind=StepKind.REVIEW, until=until)
    assert {"after the decision is due" in str(one.warning) for one in plan.done} == {True}
    scene.carries_out(scene.kept(plan))
    steps = [one for one in scene.case.all(Step) if one.kind is StepKind.REVIEW]
    assert {one.due_at for one in steps} == {until}
    assert len(scene.entries(Event.MOVED_A_DEADLINE)) == 20
    again = scene.plan(What.DEADLINE, kind=StepKind.REVIEW, until=until)
    assert {str(one.why_not) for one in again.rows} == {"It is due then already."}
    for wrong in (timedelta(days=-1), timedelta(days=1000)):
        with pytest.raises(NotAllowed, match=r"is past|two years"):
            scene.plan(What.DEADLINE, until=scene.case.now + wrong)


def test_dates_of_decisions_are_moved_together_and_everybody_who_applies_is_told_once(scene: Scene) -> None:
    saturday = end_of_day(date(2026, 9, 5))
    plan = scene.plan(What.DECISION, until=saturday)
    assert len(plan.done) == 10
    done = scene.carries_out(scene.kept(plan))
    assert len(done.applications) == 10
    moved = {one.decide_by for one in scene.case.all(Application) if one.id in scene.applications}
    assert moved == {end_of_day(date(2026, 9, 7))}, "to the end of a working day"
    entries = scene.entries(Event.MOVED_A_DECISION_DATE)
    assert {one.details["because"] for one in entries} == {WHY}
    assert len(entries) == 10
    told = [one for one in scene.case.all(Mail) if one.template == Template.DECISIONS_MOVED]
    assert len(told) == len({one.person for one in told}), "one message a person"
    assert sum(len(one.context["message"]["moved"]) for one in told) == 10
    again = scene.plan(What.DECISION, until=saturday)
    assert {str(one.why_not) for one in again.rows} == {"It is due then already."}
    assert scene.carries_out(scene.kept(plan)).already


def test_the_date_of_a_decision_moves_only_while_it_is_as_it_was_shown(scene: Scene) -> None:
    until = scene.case.now + timedelta(days=200)
    kept = scene.kept(scene.plan(What.DECISION, until=until))
    with scene.record.writing() as session:
        one = session.get_one(Application, scene.applications[3])
        one.decide_by = scene.case.now + timedelta(days=90)
        session.get_one(Application, scene.applications[5]).outcome = Outcome.WITHDRAWN
    before = scene.everything()
    with pytest.raises(PlanChanged) as changed:
        scene.carries_out(kept)
    assert {one for one, _ in changed.value.changed} == {scene.applications[3], scene.applications[5]}
    assert scene.everything() == before, "all of it or nothing"
    again = scene.plan(What.DECISION, until=until)
    why = {str(one.why_not) for one in again.rows if one.application == scene.applications[5]}
    assert why == {"No decision is due here."}
    with pytest.raises(NotAllowed, match="is past"):
        scene.plan(What.DECISION, until=scene.case.now - timedelta(days=1))


def test_a_missing_reviewer_is_found_where_there_is_one_by_now(lonely: Case, record: Record) -> None:
    [assignment] = lonely.ask()
    assert assignment.kind is StepKind.ASSIGNMENT
    with record.reading() as session:
        somebody = named(session, COORDINATOR)
        assert somebody is not None

        def planned() -> Plan:
            wish = Wish(What.ASSIGN, "Piotr is new.")
            return many.plan(session, somebody.id, OURS, wish, [Chosen(lonely.id)], lonely.now)

        assert "Nobody is left" in str(planned().rows[0].why_not)
    staff(record, "piotr@nss.example", "reviewer")
    with record.writing() as session:
        identifier = many.keep(session, somebody.id, planned_in(session, somebody.id, lonely), lonely.now)
    with record.writing() as session:
        carry_out(Turn(session, lonely.now, KEY, Door.DESK, COORDINATOR, person=somebody.id), identifier)
    [review] = [
        one for one in lonely.all(Step) if one.kind is StepKind.REVIEW and one.state is StepState.OPEN
    ]
    assert review.assignee == "piotr@nss.example"


def planned_in(session: Any, who: str, case: Case) -> Plan:
    return many.plan(session, who, OURS, Wish(What.ASSIGN, "Piotr is new."), [Chosen(case.id)], case.now)


def test_whoever_has_a_conflict_of_interest_does_nothing_about_that_case(scene: Scene) -> None:
    with scene.record.writing() as session:
        session.add(
            Conflict(
                person=scene.who, kind="project", target="P-1m", reason="my own", declared_by=COORDINATOR,
                declared_at=scene.case.now,
            )
        )  # fmt: skip
    plan = scene.plan(What.REMIND, kind=StepKind.REVIEW)
    assert {one.application for one in plan.rows if one.why_not} == {scene.applications[1]}
    assert "You have a conflict of interest" in str(next(one.why_not for one in plan.rows if one.why_not))


def test_what_many_are_about_is_what_each_is_about_alone(scene: Scene) -> None:
    with scene.record.reading() as session:
        rows = [session.get_one(Application, one) for one in scene.applications]
        together = judged_by_application(session, rows)
        assert together == {one.id: conflicts.judged(session, one) for one in rows}


# Interrupted --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_before_any_statement_all_of_it_is_done_or_nothing(record: Record) -> None:
    scene = Scene(record, 3)
    identifier = scene.kept(scene.plan(What.REASSIGN, whose=scene.first.person))
    before = scene.everything()
    left = 0

    def dies(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    lives = 0
    sa.event.listen(record.engine, "before_cursor_execute", dies)
    try:
        for last in range(1, 10_000):
            left = last
            try:
                scene.carries_out(identifier)
            except Killed:
                left = 0
                assert scene.everything() == before
                lives += 1
                continue
            break
    finally:
        sa.event.remove(record.engine, "before_cursor_execute", dies)
    assert lives > 20
    assert len(scene.entries(Event.REASSIGNED)) == 3
    assert scene.carries_out(identifier).already


# From a file --------------------------------------------------------------------------------------


def rows_of(tmp_path: Path, text: str) -> list[Chosen]:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8")
    return read(path, "rows.csv")


def test_a_file_says_for_each_row_who_reviews(scene: Scene, tmp_path: Path) -> None:
    first, second = scene.applications[:2]
    rows = rows_of(
        tmp_path,
        f"eTwinning labels · NSS-PL;;\nNumber;Reviewer;Title\n{first};r4@nss.example;Mosty\n;;\n{second};r2@nss.example;Rzeki\n",
    )
    assert [(one.application, one.to, one.row) for one in rows] == [
        (first, "r4@nss.example", "rows.csv:3"),
        (second, "r2@nss.example", "rows.csv:5"),
    ]
    plan = scene.planned(Wish(What.REASSIGN, WHY, whose=scene.first.person), rows)
    assert [one.to for one in plan.done] == [scene.person("r4@nss.example"), scene.person("r2@nss.example")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("NQL-X,r4@nss.example", "NQL-X is unknown"),
        ("{second},nobody@nss.example", "nobody@nss.example is not on the staff of NSS-PL"),
        ("{second},{busy}", "judges or judged this application already"),
        ("{first},r2@nss.example", "It stands here twice"),
    ],
)
def test_one_row_that_cannot_be_done_refuses_the_file_and_is_named(
    scene: Scene, tmp_path: Path, line: str, problem: str
) -> None:
    first, second = scene.applications[:2]
    text = line.format(first=first, second=second, busy=scene.second.assignee)
    rows = rows_of(tmp_path, f"application,to\n{first},r4@nss.example\n{text}\n")
    with pytest.raises(InvalidInput) as refused:
        scene.planned(Wish(What.REASSIGN, WHY, whose=scene.first.person), rows)
    [fault] = refused.value.faults
    assert fault.where == "rows.csv:3"
    assert problem in fault.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n", "has no column"),
        ("application\n", "has no row"),
        ("application,until\nNQL-1,soon\n", "until"),
        ("application,to\n,r4@nss.example\n", "neither an application nor a step"),
        ("", "has no"),
    ],
)
def test_a_file_that_says_nothing_of_use_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        rows_of(tmp_path, text)


def test_there_are_no_more_than_can_be_done_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST", 3)
    with pytest.raises(NotAllowed, match="10 applications are more than the 3"):
        scene.plan(What.REMIND)


def test_plans_go_with_their_time_and_their_maker(scene: Scene) -> None:
    scene.kept(scene.plan(What.REMIND))
    scene.case.now += timedelta(days=8)
    assert scene.case.do(let_go, {"plans": periods(None)["plans"]}) == {"plans": 1}
    assert scene.case.all(BulkPlan) == []


def test_a_plan_is_kept_as_it_was_made(scene: Scene) -> None:
    plan = replace(scene.plan(What.REASSIGN, whose=scene.first.person), rows=scene.plan(What.ASSIGN).rows)
    with scene.record.writing() as session:
        identifier = many.keep(session, scene.who, plan, scene.case.now)
    with scene.record.reading() as session:
        assert many.kept(session, identifier, scene.who)[1] == plan
