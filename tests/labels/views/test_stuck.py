"""What is listed as stuck, why, and with what mends it; and that nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.fonts import missing_characters
from labels.kinds import LabelKind
from labels.mending import BeginCycle, GoOnWithRound, ImportRegistry, KeepUp, Mend, Reassign, Recover
from labels.record import Record
from labels.record.schema import (
    Application,
    Award,
    Document,
    Mail,
    Project,
    School,
    SchoolRound,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.rules.loading import load_rules
from labels.steps.answers import Question
from labels.views import stuck
from labels.views.stuck import Problem, Stuck
from tests.support.case import Case, open_case

RUN = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def case(record: Record) -> Case:
    """An application that is as it should be: asked, parked, mailed, with a date ahead."""
    case = open_case(record)
    case.ask()
    change(case, run=RUN)
    parked(case)
    with record.writing() as session:
        session.execute(sa.update(Mail).values(sent_at=case.now))
    return case


def change(case: Case, **values: Any) -> None:
    with case.record.writing() as session:
        session.execute(sa.update(Application).where(Application.id == case.id).values(**values))


def parked(case: Case) -> None:
    with case.record.writing() as session:
        session.execute(sa.update(Application).values(parked_revision=Application.revision))


def steps(case: Case, **values: Any) -> None:
    with case.record.writing() as session:
        session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(**values))


def found(case: Case, after: timedelta = timedelta(days=1)) -> list[Stuck]:
    with case.record.reading() as session:
        return stuck.stuck(session, case.now + after)


def reasons(case: Case, after: timedelta = timedelta(days=1)) -> list[tuple[str, Mend]]:
    return [(one.reason, one.mend) for one in found(case, after)]


def test_an_application_with_an_owner_a_run_and_a_date_ahead_is_not_stuck(case: Case) -> None:
    assert found(case) == []


def test_what_is_closed_is_never_listed(case: Case) -> None:
    change(case, stage=Stage.CLOSED, run=None, parked_revision=-1)
    assert found(case, timedelta(days=900)) == []


def test_one_without_a_run_is(case: Case) -> None:
    change(case, run=None)
    assert reasons(case, timedelta(minutes=9)) == []
    assert reasons(case) == [("No run drives it.", Recover())]


def test_one_whose_run_was_not_told_is_listed_with_when_it_happened(case: Case) -> None:
    change(case, parked_revision=0)
    assert reasons(case, timedelta(minutes=9)) == []
    [(reason, mend)] = reasons(case)
    assert reason == "Its run has not seen what happened at 2026-03-16 10:00 (Brussels)."
    assert mend == Recover()


def test_one_that_awaits_nobody_is(case: Case) -> None:
    steps(case, state=StepState.VOID)
    assert reasons(case) == [("Nobody is awaited.", Recover())]


def test_a_review_whose_clock_stands_still_has_the_applicant_for_an_owner(case: Case) -> None:
    for step in [one for one in case.all(Step) if one.kind is StepKind.REVIEW]:
        case.answer(step, Question(question="Who?"))
    case.ask()
    parked(case)
    with case.record.writing() as session:
        session.execute(sa.update(Mail).values(sent_at=case.now))
    assert found(case) == []


def test_an_overdue_review_is_listed_with_who_is_late_and_how_to_ask_somebody_else(case: Case) -> None:
    [first, _] = [one for one in case.all(Step) if one.kind is StepKind.REVIEW]
    with case.record.writing() as session:
        session.get_one(Step, first.id).due_at = case.now + timedelta(hours=5)
    [late] = found(case)
    assert (late.problem, late.awaits, late.mend) == (Problem.OVERDUE, first.assignee, Reassign(first.id))
    assert late.reason == "The review was due 2026-03-16 15:00 (Brussels)."


def test_a_reviewer_who_left_the_staff_is_told_of(case: Case) -> None:
    [first, _] = [one for one in case.all(Step) if one.kind is StepKind.REVIEW]
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    assert reasons(case) == [
        (
            f"{first.assignee} is no longer on the staff of NSS-PL and can't answer.",
            Reassign(first.id),
        )
    ]


def test_one_without_any_date_ahead_is(case: Case) -> None:
    steps(case, due_at=None)
    assert found(case) == []
    change(case, decide_by=None)
    assert [reason for reason, _ in reasons(case)] == ["There is no date ahead."]


def test_a_decision_that_was_due_is(case: Case) -> None:
    change(case, decide_by=case.now + timedelta(hours=1))
    assert [reason for reason, _ in reasons(case)] == ["The decision was due 2026-03-16 11:00 (Brussels)."]


def test_a_question_that_upkeep_did_not_end_is_told_of(case: Case) -> None:
    step = next(one for one in case.all(Step) if one.kind is StepKind.REVIEW)
    case.answer(step, Question(question="Who?"))
    parked(case)
    with case.record.writing() as session:
        session.execute(sa.update(Mail).values(sent_at=case.now))
        session.execute(
            sa.update(Step)
            .where(Step.kind == StepKind.INFORMATION)
            .values(due_at=case.now + timedelta(hours=1))
        )
    assert reasons(case, timedelta(hours=1, minutes=9)) == []
    assert [(one.problem, one.mend) for one in found(case)] == [(Problem.DEADLINE_PASSED, KeepUp())]


def test_mail_that_failed_again_and_again_is_listed_with_its_last_error(case: Case) -> None:
    unsent(
        case,
        attempts=2,
        last_error="The server is away.",
        queued_at=case.now + timedelta(hours=23, minutes=30),
    )
    assert found(case) == []
    unsent(case, attempts=3, last_error="No such mailbox.")
    [one] = found(case)
    assert (one.problem, one.subject) == (Problem.MAIL_FAILED, case.id)
    assert "failed 3 times: No such mailbox." in one.reason


def test_mail_that_waits_for_a_paper_is_told_apart_from_mail_never_tried(case: Case) -> None:
    unsent(case, attachment=f"letter/{case.id}/1", queued_at=case.now)
    [waits] = found(case)
    assert (waits.problem, waits.mend) == (Problem.MAIL_WAITS, Recover())
    assert "waits for its letter" in waits.reason
    unsent(case, attachment=None)
    assert [(one.problem, one.mend) for one in found(case)] == [(Problem.MAIL_UNTRIED, KeepUp())]


def test_mail_names_the_one_of_its_papers_that_it_waits_for(case: Case) -> None:
    letter, certificate = f"letter/{case.id}/1", f"certificate/{case.id}/1"
    with case.record.writing() as session:
        session.add(
            Document(
                application=case.id, kind="letter", name="letter.pdf", key="k", media_type="application/pdf", size=1,
                stored_at=case.now, paper=letter,
            )
        )  # fmt: skip
    unsent(case, attachment=certificate, second_attachment=letter, queued_at=case.now)
    [waits] = found(case)
    assert "waits for its certificate, which is not stored" in waits.reason
    unsent(case, attachment=letter, second_attachment=None)
    assert [one.problem for one in found(case)] == [Problem.MAIL_UNTRIED]


def unsent(case: Case, **values: Any) -> None:
    with case.record.writing() as session:
        session.execute(sa.update(Mail).where(Mail.template == "receipt").values(sent_at=None, **values))


def test_an_organisation_with_open_work_and_no_coordinator_is(case: Case) -> None:
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "coordinator"))
    [one] = found(case)
    assert (one.problem, one.subject) == (Problem.UNCOORDINATED, "NSS-PL")
    assert one.mend == ImportRegistry("staff.csv")


def test_one_that_was_handed_in_and_never_taken_on_is(case: Case) -> None:
    change(case, stage=Stage.SUBMITTED)
    assert reasons(case, timedelta(minutes=59)) == []
    assert reasons(case) == [("Nothing moved it on since it was submitted.", Recover())]


def test_the_year_is_not_stuck_while_organisations_screen(case: Case) -> None:
    now: datetime = case.now
    with case.record.writing() as session:
        table: Any = Application.__table__
        row = dict(session.execute(sa.select(table).where(Application.id == case.id)).one()._mapping)
        row |= {
            "teacher": None,
            "project": None,
            "stage": Stage.SCREENING,
            "round": "2026",
            "stage_since": now,
        }
        session.execute(sa.insert(Application), [row | {"id": "EQL-2026", "label": "european"}])
        nomination = row | {"id": "EQL-2026-PL", "label": "nomination"}
        session.execute(sa.insert(Application), [nomination])
    assert [one.subject for one in found(case)] == ["EQL-2026-PL"]


def test_a_name_that_no_certificate_could_print_is_told_while_the_application_is_open(case: Case) -> None:
    with case.record.writing() as session:
        session.get_one(School, "S-1").city = "Łódź 李"
        session.get_one(Project, "P-1").title = "Rivers 🌍"
    with case.record.reading() as session:
        told = stuck.stuck(session, case.now, missing_characters)
    assert [(one.reason, one.mend) for one in told] == [
        (
            "No font here has “李” (CJK UNIFIED IDEOGRAPH-674E, U+674E), which is in the school's city:"
            " no certificate could be printed.",
            ImportRegistry("schools.csv"),
        )
    ]


def test_every_late_person_of_a_case_is_listed(case: Case) -> None:
    """Two who were asked on one day are late on one day."""
    reviews = [one for one in case.all(Step) if one.kind is StepKind.REVIEW]
    steps(case, due_at=case.now + timedelta(hours=5))
    late = found(case)
    assert {one.awaits for one in late} == {one.assignee for one in reviews}
    assert {one.mend for one in late} == {Reassign(one.id) for one in reviews}


def missed(case: Case, now: datetime) -> list[tuple[str, Mend]]:
    with case.record.reading() as session:
        rows = stuck.missed(session, now, lambda day: load_rules("CSS", day))
    return [(one.subject, one.mend) for one in rows]


def labelled(case: Case, on: date) -> None:
    row = case.row()
    with case.record.writing() as session:
        session.add(
            Award(
                id="NQL-EARLIER000",
                label=LabelKind.NATIONAL,
                teacher=row.teacher,
                project=row.project,
                school=row.school,
                organisation=row.organisation,
                awarded_on=on,
            )
        )


def test_a_year_whose_schedule_was_missed_is_listed_with_the_command_that_makes_it_up(case: Case) -> None:
    march, october = datetime(2026, 3, 16, 9, tzinfo=UTC), datetime(2026, 10, 3, 9, tzinfo=UTC)
    assert missed(case, march) == [], "a record that has no labels has missed nothing"
    labelled(case, date(2025, 5, 4))
    assert missed(case, march) == [
        ("European Quality Label 2025", BeginCycle(2025)),
        ("School Label 2026", GoOnWithRound(date(2026, 3, 15))),
    ]
    assert missed(case, datetime(2026, 1, 15, 9, tzinfo=UTC))[1:] == [], "its day is not over"
    with case.record.writing() as session:
        session.add(
            SchoolRound(
                year=2026, rules=case.row().rules, on=date(2026, 1, 15), due_at=march, begun_at=march,
            )
        )  # fmt: skip
    assert [subject for subject, _ in missed(case, march)] == ["European Quality Label 2025"]
    assert missed(case, october) == [], "no label was awarded in the year that ended in September"
