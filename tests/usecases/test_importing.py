"""What a corrected address in the registry's files means for what people are asked."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.answering import proving
from labels.answering.following import follow
from labels.record import Record
from labels.record.schema import Mail, Staff, Step, StepKind, StepState, Teacher
from labels.registry.entering import Correction
from labels.registry.importing import Following, ImportReport, import_registry
from labels.steps.answers import Information, Question
from labels.steps.outcome import Accepted
from labels.turn import Turn
from tests.support.case import Case, open_case
from tests.support.people import KEY, NOW, TODAY, code_of


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


def corrected(
    case: Case, folder: Path, table: type[Teacher] | type[Staff], former: str, new: str
) -> ImportReport:
    """Imports the record's own rows once more, with one address corrected."""
    folder.mkdir()
    columns = {
        "teacher": ("id", "name", "email", "school", "registered_on", "language"),
        "staff": ("email", "name", "organisation", "role", "language", "school"),
    }[table.__tablename__]
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["teacher" if one == "id" else one for one in columns])
    with case.record.reading() as session:
        for row in session.scalars(sa.select(table)):
            values = [getattr(row, one) or "" for one in columns]
            rows.writerow([new if one == former else one for one in values])
    name = "teachers.csv" if table is Teacher else "staff.csv"
    (folder / name).write_text(text.getvalue(), encoding="utf-8")

    return import_registry(case.record, folder, TODAY, following=Followed())


class Followed(Following):
    """What follows an import of these tests."""

    def corrected(self, session: sa.orm.Session, corrections: Sequence[Correction]) -> None:
        follow(Turn(session, NOW, KEY), corrections)


def test_a_reviewer_s_review_follows_to_the_corrected_address(case: Case, tmp_path: Path) -> None:
    first, second = case.ask()
    old = code_of(first)
    report = corrected(case, tmp_path / "r", Staff, first.assignee, "moved@nss.example")
    assert [one.former for one in report.corrections] == [first.assignee]
    with case.record.reading() as session:
        moved = session.get_one(Step, first.id)
        assert (moved.assignee, moved.state) == ("moved@nss.example", StepState.OPEN)
        assert code_of(moved) != old
        codes = session.scalars(
            sa.select(Mail.to_address).where(Mail.template == "code", Mail.step == first.id)
        ).all()
        assert codes == ["moved@nss.example"]
        told = sa.select(Mail.to_address).where(Mail.template == "address_corrected")
        assert sorted(session.scalars(told)) == sorted(["moved@nss.example", first.assignee])
    refused = case.review(first)
    assert not isinstance(refused, Accepted), "the former code is void"
    assert isinstance(case.review(moved), Accepted)
    assert second.id in {step.id for step in case.ask()}, "nobody else was asked meanwhile"


def test_a_question_is_answered_under_the_corrected_address(case: Case, tmp_path: Path) -> None:
    first, _ = case.ask()
    case.answer(first, Question(question="How?"))
    asked = case.right(StepKind.INFORMATION)
    corrected(case, tmp_path / "r", Teacher, "t-1@school.example", "t-1@new.example")
    with case.record.reading() as session:
        now = session.get_one(Step, asked.id)
    assert now.assignee == "t-1@new.example"
    assert isinstance(case.answer(now, Information(text="So."), email="t-1@new.example"), Accepted)


def test_mail_that_waits_goes_to_the_corrected_address(case: Case, tmp_path: Path) -> None:
    first, _ = case.ask()
    with case.record.writing() as session:
        session.execute(sa.update(Mail).values(attempts=3, last_error="550 no such user"))
    corrected(case, tmp_path / "r", Staff, first.assignee, "moved@nss.example")
    with case.record.reading() as session:
        asked = session.scalars(sa.select(Mail).where(Mail.step == first.id)).all()
        assert {one.to_address for one in asked} == {"moved@nss.example"}
        assert {one.last_error for one in asked} == {None}


def test_seven_corrected_addresses_ask_nobody_twice(case: Case, tmp_path: Path) -> None:
    steps = case.ask()
    for n in range(1, 6):
        corrected(case, tmp_path / f"r{n}", Staff, f"r{n}@nss.example", f"r{n}@new.example")
    assert {step.id for step in case.ask()} == {step.id for step in steps}
    with case.record.reading() as session:
        people = session.scalars(sa.select(Step.person).where(Step.kind == StepKind.REVIEW)).all()
        assert len(people) == len(set(people)) == 2
        assert proving.find_step(session, steps[0].id).assignee.endswith("@new.example")
