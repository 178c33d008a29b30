"""A record made before, with a case open at every step, is opened by this version, and each case goes on to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import accepting, merging, rights
from labels.applications import ending
from labels.european_label import awarding, screening
from labels.people.persons import behind
from labels.record import Record, chain_export, sealing
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Cause,
    Decision,
    Journal,
    Mail,
    Outcome,
    Person,
    Review,
    Staff,
    Step,
    StepKind,
    StepState,
)
from labels.registry import search_index
from labels.reviews import conflicts, coordinating
from labels.revoking import redeciding, reopening
from labels.revoking.reopening import Revoked
from labels.school_label import deciding as school_deciding
from labels.steps.answers import Declaration, Information, Screening, read_answer
from labels.steps.kinds import STEPS
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door, Turn
from labels.views.finding import find
from tests.support.case import Case, decided
from tests.support.european import CENTRAL, OTHER, OWN, answered, nomination_of, screen
from tests.support.former_records import Former, former, migrated, names
from tests.support.people import KEY
from tests.support.school import School
from usecases.coordinating import reassign


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'former.db'}"
        return
    cluster = request.getfixturevalue("postgresql_cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


Opened = Callable[[str], tuple[Former, Record]]


@pytest.fixture
def opened(empty_url: str) -> Iterator[Opened]:
    """Opens a former record with this version."""
    records = []

    def open_it(name: str) -> tuple[Former, Record]:
        one = former(name)
        records.append(migrated(empty_url, one))
        return one, records[-1]

    yield open_it
    for record in records:
        record.engine.dispose()


def case_of(one: Former, record: Record) -> Case:
    """The case as tests drive it."""
    case = Case.__new__(Case)
    case.record, case.now, case.organisation, case.id = record, one.now, "", one.application
    return case


def school_of(one: Former, record: Record) -> School:
    school = School.__new__(School)
    school.record, school.now, school.id = record, one.now, one.application
    return school


def with_its_code(one: Former, record: Record, given: Any) -> None:
    """Whoever was asked answers with the code from the mail that they got before the migration."""
    with record.writing() as session:
        turn = Turn(session, one.now, KEY, Door.COMMAND_LINE)
        done = accepting.answer(turn, one.step, Code(one.code, one.person), given)
    assert isinstance(done, Accepted), done


def review_goes_on(one: Former, record: Record) -> None:
    case = case_of(one, record)
    scores = dict.fromkeys(_criteria(case), 4)
    with_its_code(one, record, read_answer({"scores": scores, "comment": "Well done."}))
    assert decided(case, 4) is Outcome.AWARDED


def question_goes_on(one: Former, record: Record) -> None:
    case = case_of(one, record)
    with_its_code(one, record, Information(text="All of them."))
    assert decided(case, 4) is Outcome.AWARDED


def search_for_a_reviewer_goes_on(one: Former, record: Record) -> None:
    case = case_of(one, record)
    new = case.do_as(one.person, coordinating.reassign, one.step, "new@nss.example", "she knows it")
    assert new.assignee == "new@nss.example"
    with record.writing() as session:
        session.add(
            Staff(email="second@nss.example", role="reviewer", name="Second", organisation="NSS-PL", language="pl")
        )  # fmt: skip
    assert decided(case, 4) is Outcome.AWARDED


def coordinating_goes_on(one: Former, record: Record) -> None:
    case = case_of(one, record)
    with record.reading() as session:
        seat = session.scalars(
            sa.select(Step).where(Step.kind == StepKind.REVIEW).order_by(Step.number)
        ).first()
        taken = set(session.scalars(sa.select(Step.person).where(Step.kind == StepKind.REVIEW)))
        free = session.scalars(
            sa.select(Person.address)
            .join(Staff, Staff.person == Person.id)
            .where(Staff.role == "reviewer", Person.id.not_in(taken))
            .order_by(Person.address)
        ).first()
    assert seat is not None
    assert free is not None
    with record.writing() as session:
        turn = Turn(session, one.now, KEY, Door.COMMAND_LINE)
        done = reassign(seat.id, free, "illness")(turn, Code(one.code, one.person))
    assert isinstance(done, Accepted), done
    assert decided(case, 4) is Outcome.AWARDED


def half_reviewed_goes_on(one: Former, record: Record) -> None:
    case = case_of(one, record)
    assert decided(case, 4) is Outcome.AWARDED
    assert len(case.all(Review)) == 2


def withdrawal_is_still_a_right(one: Former, record: Record) -> None:
    case = case_of(one, record)
    done = case.do(rights.withdraw, case.id, Code(one.code, one.person))
    assert isinstance(done, Accepted), done
    assert case.row().outcome is Outcome.WITHDRAWN


def appeal_is_still_a_right(one: Former, record: Record) -> None:
    case = case_of(one, record)
    done = case.do(rights.appeal, case.id, Code(one.code, one.person), "The map was not looked at.")
    assert isinstance(done, Accepted), done
    assert decided(case, 3) is Outcome.AWARDED
    assert sorted(one.outcome.value for one in case.all(Decision)) == ["awarded", "refused"]


def award_is_reopened_and_decided_anew(one: Former, record: Record) -> None:
    case = case_of(one, record)
    with record.writing() as session:
        step = session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW)).first()
        assert step is not None
        turn = Turn(session, one.now, KEY, by=one.person)
        conflicts.declare(turn, session.get_one(Application, case.id), step.person, reason="Cousins.")
    subject = redeciding.Reopened(case.id, Cause.CONFLICT)
    plan = case.do(redeciding.consequences, subject).plan
    case.do_as(one.person, redeciding.reopen, subject, plan, "Cousins.")
    assert decided(case, 4) is Outcome.AWARDED
    taken_back = case.do(reopening.consequences, Revoked(case.id)).plan
    case.do_as(one.person, reopening.reopen, Revoked(case.id), taken_back, "A mistake.")
    [award] = [one for one in case.all(Award) if one.id == case.id]
    assert award.revoked_at is not None


def invited_school_goes_on(one: Former, record: Record) -> None:
    school = school_of(one, record)
    assert isinstance(school.hand_in(), Accepted)
    confirmed_school_goes_on(one, record)


def confirmed_school_goes_on(one: Former, record: Record) -> None:
    school = school_of(one, record)
    [step] = school.open(StepKind.DECLARATION)
    assert isinstance(school.answer(step, Declaration(declare=True)), Accepted)
    reviewed_school_goes_on(one, record)


def reviewed_school_goes_on(one: Former, record: Record) -> None:
    school = school_of(one, record)
    school.review(3)
    assert school.do(school_deciding.decide, school.id) is Outcome.AWARDED
    school.do(ending.close, school.id)


def screening_goes_on(one: Former, record: Record) -> None:
    with_its_code(one, record, Screening(approve=["all"]))
    with record.writing() as session:
        turn = Turn(session, one.now, KEY)
        assert screening.ask(turn, nomination_of(OWN)) == []
        screening.put_forward(turn, nomination_of(OWN))
        screen(session, OTHER)
        [cycle] = session.scalars(sa.select(Application.id).where(Application.organisation == CENTRAL))
        awarding.merge_nominations(turn, cycle)
        assert isinstance(answered(session, awarding.ask(turn, cycle), {"approve": ["all"]}), Accepted)
        assert awarding.award(turn, cycle) is Outcome.AWARDED


def award_goes_on(one: Former, record: Record) -> None:
    with_its_code(one, record, Screening(approve=["all"]))
    with record.writing() as session:
        turn = Turn(session, one.now, KEY)
        assert awarding.ask(turn, one.application) == []
        assert awarding.award(turn, one.application) is Outcome.AWARDED


GO_ON: dict[str, Callable[[Former, Record], None]] = {
    "asked": review_goes_on,
    "applicant_asked": question_goes_on,
    "nobody_free": search_for_a_reviewer_goes_on,
    "coordinator_has_a_code": coordinating_goes_on,
    "reviewed": half_reviewed_goes_on,
    "may_withdraw": withdrawal_is_still_a_right,
    "may_appeal": appeal_is_still_a_right,
    "awarded": award_is_reopened_and_decided_anew,
    "school_invited": invited_school_goes_on,
    "school_handed_in": confirmed_school_goes_on,
    "school_reviewed": reviewed_school_goes_on,
    "screening_asked": screening_goes_on,
    "award_asked": award_goes_on,
}


def _criteria(case: Case) -> list[str]:
    with case.record.reading() as session:
        return list(session.get_one(Application, case.id).content["sections"])


@pytest.mark.slow
@pytest.mark.parametrize("name", GO_ON)
def test_a_case_that_was_open_before_goes_on_to_its_end(opened: Opened, name: str) -> None:
    one, record = opened(name)
    with record.reading() as session:
        assert chain_export.verify(session, [])[1] == [], "what was sealed is as it was"
        before = session.scalar(sa.select(sa.func.count()).select_from(Journal)) or 0
    GO_ON[name](one, record)
    sealing.seal(record, now=one.now)
    with record.reading() as session:
        verifier, findings = chain_export.verify(session, [])
        assert findings == []
        assert verifier.sealed == verifier.entries > before


def test_a_former_record_has_a_case_open_at_every_step() -> None:
    assert set(GO_ON) == set(names())
    kinds = set()
    for name in names():
        table = former(name).tables["step"]
        kind, state = (table["columns"].index(column) for column in ("kind", "state"))
        kinds |= {row[kind] for row in table["rows"] if row[state] in (StepState.OPEN, StepState.ASKED)}
    assert kinds == {kind.value for kind in STEPS if kind is not StepKind.DECISION}  # it came after them


def test_everybody_in_a_former_record_is_who_they_were(opened: Opened) -> None:
    one, record = opened("asked")
    with record.reading() as session:
        for step in session.scalars(sa.select(Step)):
            assert [who.id for who in behind(session, step.assignee)] == [step.person]
        assert session.get_one(Step, one.step).assignee == one.person
        assert {mail.person for mail in session.scalars(sa.select(Mail))} >= {
            step.person for step in session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW))
        }


def test_what_came_later_works_in_a_former_record_too(opened: Opened) -> None:
    """Finding by words (0027), persons who are said to be different (0029), and reopening beside a round (0032)."""
    one, record = opened("asked")
    with record.reading() as session:
        assert search_index.is_empty(session.connection()), "upkeep fills it"
    with record.writing() as session:
        search_index.fill(session.connection())
    with record.writing() as session:
        found = find(session, one.application, None)
        assert one.application in {hit.id for hit in found.every}
        reviewers = session.scalars(
            sa.select(Staff.person).where(Staff.role == "reviewer").order_by(Staff.person).limit(2)
        ).all()
        [coordinator] = behind(session, "coordinator@nss.example")
        turn = Turn(session, one.now, KEY).acting(coordinator.address, coordinator.id)
        assert merging.tell_apart(turn, reviewers, "namesakes") == 1
    with record.reading() as session:
        assert session.scalar(sa.select(Journal.id).where(Journal.what == Event.TOLD_APART)) is not None
