"""Reviewers are assigned to many applications at once: first a plan, then all of it or nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.applications import conditions
from labels.applications.documents import StoredDocument
from labels.applications.file import read_application
from labels.applications.submitting import submit
from labels.clock import frozen_clock
from labels.errors import InvalidInput, NotAllowed
from labels.kinds import Wish
from labels.privacy import erasing
from labels.privacy.subject import find
from labels.record import Record, sealing
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Conflict,
    Journal,
    Mail,
    Member,
    Outcome,
    Project,
    ReviewerChoice,
    ReviewerWish,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import asking, conflicts, planning
from labels.reviews.planning import Task
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.settings import Settings
from labels.steps.proof import SignedIn
from labels.steps.step import locked
from labels.turn import Door, Turn
from labels.views.case import case_for
from labels.views.looker import Audience, Looker, looker_at
from tests.support.case import COORDINATOR, Case, withdrawn
from tests.support.patience import PATIENCE
from tests.support.people import KEY, NOW, TODAY, application_file, populate
from usecases import assigning, coordinating
from usecases.performing import perform


def together(value: bool = True) -> RuleEdition:
    """The rules of an organisation that has applications wait until a coordinator assigns all of them."""
    body = load_rules("NSS-PL", TODAY).to_json()
    body["national"]["review"]["assignment"]["together"]["value"] = value
    return RuleEdition.from_json(body)


class Waiting(Case):
    """An application of a round in which reviewers are assigned together."""

    def handed_in(self, again: bool = False, **changes: Any) -> Any:
        file = read_application(application_file(**changes), "application.json")
        documents = [StoredDocument("application", "application.json", "sha256/aa/aa", "application/json", 2)]
        with self.record.writing() as session:
            return submit(Turn(session, self.now, KEY), file, documents, together(), again=again)


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


@pytest.fixture
def cases(record: Record) -> list[Case]:
    """Six applications that came in together, and wait."""
    with record.writing() as session:
        populate(session)
        for number in range(10, 16):
            session.add(Project(id=f"P-{number}", title=f"Project {number}", started_on=TODAY, ended_on=None))
            session.flush()
            for teacher in ("T-1", "T-2"):
                session.add(Member(project=f"P-{number}", teacher=teacher, role="founder", joined_on=TODAY))
    made: list[Case] = []
    for number in range(10, 14):
        made.append(Waiting(record, project=f"P-{number}"))
    for case in made:
        assert case.do(conditions.check_conditions, case.id)
        case.ask()
    return made


def proof(here: Workspace, email: str = COORDINATOR) -> SignedIn:
    with here.record.reading() as session:
        whose = session.scalars(sa.select(Staff.person).where(Staff.email == email)).one()
    return SignedIn(whose, "mail code", NOW)


def carried_out(here: Workspace) -> str:
    planned = assigning.plan(here, "NSS-PL")
    act = assigning.assign(planned, planned.word)
    return perform(here, act, by=proof(here), door=Door.DESK).accepted.remark


def open_reviews(here: Workspace) -> list[Step]:
    with here.record.reading() as session:
        return list(
            session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN))
        )


def test_applications_wait_together_and_the_coordinator_is_written_to_once(
    here: Workspace, cases: list[Case]
) -> None:
    assert [case.row().stage for case in cases] == [Stage.ASSIGNMENT] * 4
    assert open_reviews(here) == []
    assert [one.application for one in cases[0].all(Mail) if one.template == "plan_awaited"] == [cases[0].id]
    assert [one for one in cases[0].all(Mail) if one.template == "assignment_asked"] == []
    for case in cases:  # as often as one likes
        assert [step.kind for step in case.ask()] == [StepKind.ASSIGNMENT]
    assert len(cases[0].all(Step)) == len({step.id for step in cases[0].all(Step)})


def test_a_plan_changes_nothing_until_a_coordinator_asks_for_it(here: Workspace, cases: list[Case]) -> None:
    planned = assigning.plan(here, "NSS-PL")
    assert planned.task.seats == 8
    assert open_reviews(here) == []
    assert assigning.plan(here, "NSS-PL").word == planned.word


def test_everybody_in_a_plan_is_asked_with_even_loads_and_the_applications_go_on(
    here: Workspace, cases: list[Case]
) -> None:
    remark = carried_out(here)
    assert remark == "8 reviews are asked for, of 4 applications."
    steps = open_reviews(here)
    loads = [sum(step.person == person for step in steps) for person in {step.person for step in steps}]
    assert len(steps) == 8
    assert max(loads) - min(loads) <= 1
    assert [case.row().stage for case in cases] == [Stage.REVIEW] * 4
    assert len([one for one in cases[0].all(Mail) if one.template == "review_asked"]) == 8
    for case in cases:
        assert {step.kind for step in case.ask()} == {StepKind.REVIEW}
    assert [one for one in cases[0].all(Mail) if one.template == "review_void"] == []
    lines = [one for one in cases[0].all(Journal) if one.what == Event.PLANNED_REVIEWERS]
    assert [(one.who, one.details["applications"], one.details["seats"]) for one in lines] == [
        (COORDINATOR, 4, 8)
    ]
    assert sum(one.what == Event.ASSIGNED_A_REVIEWER for one in cases[0].all(Journal)) == 8


def test_why_each_was_chosen_is_kept(here: Workspace, cases: list[Case]) -> None:
    planned = assigning.plan(here, "NSS-PL")
    carried_out(here)
    kept = {one.step: one for one in cases[0].all(ReviewerChoice)}
    assert set(kept) == {step.id for step in open_reviews(here)}
    assert {one.plan for one in kept.values()} == {planned.word}
    for step in open_reviews(here):
        one = kept[step.id]
        assert one.following != step.person
        assert one.costs == {"wish": 2}
        assert one.extra == 0


@pytest.mark.slow
def test_why_each_was_chosen_is_shown_to_coordinators_alone(here: Workspace, cases: list[Case]) -> None:
    carried_out(here)
    step = next(one for one in open_reviews(here) if one.application == cases[0].id)
    with here.record.reading() as session:
        css = Looker(Audience.CSS)
        lookers = {who: looker_at(session, cases[0].id, who) for who in (COORDINATOR, step.assignee)}
        teacher = looker_at(session, cases[0].id, "t-1@school.example")
        assert teacher.audience is Audience.APPLICANT
        seen = case_for(session, cases[0].id, lookers[COORDINATOR]).choices
        assert [one.plan for one in seen] == [assigning_word(session, step.id)] * 2
        for other in (lookers[step.assignee], teacher, css):
            assert case_for(session, cases[0].id, other).choices == []


def assigning_word(session: Session, step: str) -> str | None:
    return session.get_one(ReviewerChoice, step).plan


def test_a_plan_that_was_shown_is_carried_out_as_it_was_or_not_at_all(
    here: Workspace, cases: list[Case]
) -> None:
    planned = assigning.plan(here, "NSS-PL")
    first = planned.plans[0].choices[0]
    with here.record.writing() as session:
        session.add(
            Conflict(
                person=first.person, kind="teacher", target="T-1", reason="Cousins.",
                declared_by=COORDINATOR, declared_at=NOW,
            )
        )  # fmt: skip
    with pytest.raises(NotAllowed, match="have changed"):
        perform(here, assigning.assign(planned, planned.word), by=proof(here), door=Door.DESK)
    assert open_reviews(here) == []
    again = assigning.plan(here, "NSS-PL")
    assert again.word != planned.word
    assert first.person not in {one.person for one in again.plans[0].choices}
    with pytest.raises(NotAllowed, match="have changed"):
        perform(here, assigning.assign(again, planned.word), by=proof(here), door=Door.DESK)


@pytest.mark.slow
def test_nobody_but_a_coordinator_has_a_plan_carried_out(here: Workspace, cases: list[Case]) -> None:
    planned = assigning.plan(here, "NSS-PL")
    with here.record.reading() as session:
        reviewer = session.scalars(sa.select(Staff.email).where(Staff.role == "reviewer")).first()
    with pytest.raises(NotAllowed, match="no coordinator"):
        perform(
            here,
            assigning.assign(planned, planned.word),
            by=proof(here, reviewer or ""),
            door=Door.DESK,
        )
    assert open_reviews(here) == []


@pytest.mark.slow
def test_nobodys_seat_moves_when_somebody_declines_or_another_application_comes(
    here: Workspace, cases: list[Case]
) -> None:
    carried_out(here)
    before = {(step.application, step.seat): step.person for step in open_reviews(here)}
    step = open_reviews(here)[0]
    gone = cases[0].do_as(COORDINATOR, asking.void_review, cases[0].row(), step, "left", COORDINATOR)
    assert gone is None
    with here.record.writing() as session:
        session.get_one(Step, step.id).state = StepState.DECLINED
    of = next(case for case in cases if case.id == step.application)
    of.ask()  # one at a time, at once
    new = Waiting(here.record, project="P-14")
    new.ask()
    planned = assigning.plan(here, "NSS-PL")
    assert {one.application for one in planned.task.problems[0].waiting} == {new.id}
    carried_out(here)
    after = {(one.application, one.seat): one.person for one in open_reviews(here)}
    moved = {seat for seat, person in before.items() if after[seat] != person}
    assert moved == {(step.application, step.seat)}


def test_an_application_that_was_withdrawn_is_in_no_plan(here: Workspace, cases: list[Case]) -> None:
    withdrawn(cases[0])
    planned = assigning.plan(here, "NSS-PL")
    assert cases[0].id not in {one.application for one in planned.task.problems[0].waiting}


@pytest.mark.slow
def test_a_coordinator_may_name_a_reviewer_for_one_of_them_and_the_rules_choose_the_others(
    here: Workspace, cases: list[Case]
) -> None:
    [assignment] = cases[0].ask()
    with here.record.reading() as session:
        reviewer = session.scalars(sa.select(Staff.email).where(Staff.role == "reviewer")).first() or ""
    act = coordinating.reassign(assignment.id, reviewer, "She knows the field.")
    perform(here, act, by=proof(here), door=Door.DESK)
    assert [step.kind for step in cases[0].ask()] == [StepKind.REVIEW, StepKind.REVIEW]
    assert assigning.plan(here, "NSS-PL").task.seats == 6


@pytest.mark.slow
def test_an_application_that_is_withdrawn_as_a_plan_is_carried_out_is_reviewed_by_nobody(
    here: Workspace, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = assigning.plan(here, "NSS-PL")
    task, withdraws = planning.task, threading.Thread(target=withdrawn, args=[cases[0]])

    def read(session: Session, organisation: str, today: date) -> Task:
        found = task(session, organisation, today)
        withdraws.start()
        withdraws.join(1)  # it may be over by now, unless it has to wait for this transaction
        return found

    monkeypatch.setattr(planning, "task", read)
    perform(here, assigning.assign(planned, planned.word), by=proof(here), door=Door.DESK)
    withdraws.join(PATIENCE)
    assert cases[0].row().outcome is Outcome.WITHDRAWN
    assert {one.application for one in open_reviews(here)} == {case.id for case in cases[1:]}


@pytest.mark.slow
def test_a_plan_and_whoever_assigns_one_application_do_not_wait_for_each_other(
    here: Workspace, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = assigning.plan(here, "NSS-PL")
    task, begun, planning_now = planning.task, threading.Event(), threading.Event()

    def read(session: Session, organisation: str, today: date) -> Task:
        planning_now.set()
        return task(session, organisation, today)

    def assigns_one() -> None:
        with here.record.writing() as session:
            application = locked(session, cases[0].id)
            begun.set()
            planning_now.wait(1)  # or the plan waits for the application
            conflicts.candidates(session, application)

    monkeypatch.setattr(planning, "task", read)
    with ThreadPoolExecutor(1) as threads:
        one = threads.submit(assigns_one)
        assert begun.wait(PATIENCE)
        done = perform(here, assigning.assign(planned, planned.word), by=proof(here), door=Door.DESK)
        one.result(PATIENCE)
    assert done.accepted.remark == "8 reviews are asked for, of 4 applications."


def conflict(here: Workspace, kind: str, target: str) -> None:
    with here.record.writing() as session:
        session.add(
            Conflict(
                person=proof(here).person, kind=kind, target=target, reason="My sister's.",
                declared_by=COORDINATOR, declared_at=NOW,
            )
        )  # fmt: skip


@pytest.mark.slow
def test_what_a_coordinator_is_near_to_waits_for_another_one(here: Workspace, cases: list[Case]) -> None:
    conflict(here, "project", "P-10")
    assert carried_out(here) == (
        "6 reviews are asked for, of 3 applications. 1 wait for another coordinator: you have a conflict of interest there."
    )
    assert {one.application for one in open_reviews(here)} == {case.id for case in cases[1:]}
    assert [step.kind for step in cases[0].ask()] == [StepKind.ASSIGNMENT]
    [line] = [one for one in cases[0].all(Journal) if one.what == Event.PLANNED_REVIEWERS]
    assert (line.details["applications"], line.details["seats"]) == (3, 6)
    with pytest.raises(NotAllowed, match="You have a conflict of interest: has a declared"):
        carried_out(here)
    with here.record.writing() as session:
        session.execute(sa.delete(Conflict))
    assert carried_out(here) == "2 reviews are asked for, of 1 applications."


def test_the_coordinator_is_written_to_of_the_first_that_waits_in_each_school_year(
    here: Workspace, cases: list[Case]
) -> None:
    with here.record.writing() as session:
        for case in cases:
            session.get_one(Application, case.id).school_year -= 1
    new = Waiting(here.record, project="P-14")
    new.do(conditions.check_conditions, new.id)
    new.ask()
    told = [one.application for one in cases[0].all(Mail) if one.template == "plan_awaited"]
    assert told == [cases[0].id, new.id]


def test_nobody_is_left_out_where_more_are_chosen_than_there_are_seats(
    here: Workspace, cases: list[Case]
) -> None:
    planned = assigning.plan(here, "NSS-PL")
    people = planned.task.problems[0].people
    with here.record.writing() as session:
        turn = here.turn(session)
        found = asking.vacancies(session, locked(session, cases[0].id))
        chosen = [asking.Chosen(one, 1, {}, None, None, None) for one in people[:3]]
        with pytest.raises(ValueError, match="zip"):
            asking.seat(turn, found, chosen, list(people), set())


def wishes(here: Workspace, folder: Path, *rows: str) -> int:
    path = folder / "wishes.csv"
    path.write_text("\n".join(["reviewer,application,wish", *rows]) + "\n", "utf-8")
    return assigning.take_over_wishes(here, "NSS-PL", path)


def reviewers(here: Workspace) -> dict[str, str]:
    with here.record.reading() as session:
        rows = session.execute(sa.select(Staff.email, Staff.person).where(Staff.role == "reviewer"))
        return {row.email: row.person for row in rows}


def test_whoever_wishes_to_judge_an_application_gets_it_where_loads_allow_it(
    here: Workspace, cases: list[Case], tmp_path: Path
) -> None:
    glad, unwilling = sorted(reviewers(here))[:2]
    said = [f"{glad},{cases[2].id},yes", f"{unwilling},{cases[3].id},rather not"]
    assert wishes(here, tmp_path, *said) == 2
    plan = assigning.plan(here, "NSS-PL").plans[0]
    chosen = {(one.application, one.person) for one in plan.choices}
    assert (cases[2].id, reviewers(here)[glad]) in chosen
    assert (cases[3].id, reviewers(here)[unwilling]) not in chosen
    assert plan.cost == plan.bound


def test_wishes_are_kept_whole_or_not_at_all_and_taken_back_by_none(
    here: Workspace, cases: list[Case], tmp_path: Path
) -> None:
    one = min(reviewers(here))
    with pytest.raises(InvalidInput) as refused:
        wishes(here, tmp_path, f"{one},{cases[0].id},yes", "nobody@x.example,NQL-9,gladly")
    assert [fault.where for fault in refused.value.faults] == [
        "wishes.csv:3 · reviewer",
        "wishes.csv:3 · application",
        "wishes.csv:3 · wish",
    ]
    assert cases[0].all(ReviewerWish) == []
    wishes(here, tmp_path, f"{one},{cases[0].id},yes")
    wishes(here, tmp_path, f"{one},{cases[0].id},maybe")
    assert [row.wish for row in cases[0].all(ReviewerWish)] == [Wish.MAYBE]
    wishes(here, tmp_path, f"{one},{cases[0].id},none")
    assert cases[0].all(ReviewerWish) == []
    with pytest.raises(InvalidInput, match="further up"):
        wishes(here, tmp_path, f"{one},{cases[0].id},yes", f"{one},{cases[0].id},maybe")
    (tmp_path / "wishes.csv").write_text("who,what\n", "utf-8")
    with pytest.raises(InvalidInput, match="no column"):
        assigning.take_over_wishes(here, "NSS-PL", tmp_path / "wishes.csv")


@pytest.mark.slow
def test_one_application_by_itself_is_assigned_by_the_same_weights(
    here: Workspace, cases: list[Case], tmp_path: Path
) -> None:
    """The least loaded are asked first, as ever; who of them, the rules' weights say."""
    carried_out(here)
    people = reviewers(here)
    loads = {person: sum(step.person == person for step in open_reviews(here)) for person in people.values()}
    least = [email for email, person in people.items() if loads[person] == min(loads.values())]
    alone = Case(here.record, project="P-15")
    wishes(here, tmp_path, *(f"{email},{alone.id},rather not" for email in least[1:]))
    first, *_ = alone.ask()
    if len(least) > 1:
        assert first.assignee == least[0]
    assert loads[first.person] == min(loads.values())
    kept = {one.step: one for one in alone.all(ReviewerChoice)}
    assert kept[first.id].plan is None
    assert kept[first.id].load == min(loads.values()) + 1


@pytest.mark.slow
def test_an_erasure_leaves_nobody_in_the_reasons_of_choices(
    here: Workspace, cases: list[Case], tmp_path: Path
) -> None:
    carried_out(here)
    kept = next(one for one in cases[0].all(ReviewerChoice) if one.following)
    for case in cases:
        withdrawn(case)
        with here.record.writing() as session:
            row = session.get_one(type(case.row()), case.id)
            row.stage = Stage.CLOSED
    assert sealing.seal(here.record, now=NOW).position
    with here.record.writing() as session:
        erasing.erase(here.turn(session), find(session, kept.following), "She asked for it.")
    assert {one.following for one in cases[0].all(ReviewerChoice)} != {kept.following}
    with here.record.reading() as session:
        again = session.get_one(ReviewerChoice, kept.step)
        assert again.following is None
