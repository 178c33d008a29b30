"""Whoever has any number of ours in hand finds the case that it belongs to."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.papers.codes import Stamp
from labels.record import Record
from labels.record.schema import Award, Cycle, CycleLabel, PupilClass, Step
from labels.views.numbers import application_named
from tests.support.case import decided, open_case
from tests.support.european import awarded, populate_year
from tests.support.people import KEY


def named(record: Record, typed: str) -> str:
    with record.reading() as session:
        return application_named(session, typed)


def test_an_application_is_found_by_its_number_its_steps_and_its_pupils_class(record: Record) -> None:
    case = open_case(record)
    decided(case, 5)
    with record.writing() as session:
        session.add(
            PupilClass(
                id="PQL-0000000001",
                award=case.id,
                number=1,
                teacher=case.row().teacher,
                attempt=1,
                pupils=3,
                left_out=0,
                begun_at=case.now,
            )
        )
    assert named(record, case.id) == case.id
    assert named(record, case.id.lower()) == case.id
    for step in case.all(Step):
        assert named(record, step.id) == case.id
    assert named(record, "PQL-0000000001") == case.id


@pytest.mark.slow
def test_a_european_label_is_found_in_the_award_of_its_year(record: Record) -> None:
    with record.writing() as session:
        populate_year(session)
        year_award = awarded(session)
    with record.reading() as session:
        labels = list(session.scalars(sa.select(CycleLabel.european).where(CycleLabel.european.is_not(None))))
        assert session.scalars(sa.select(Cycle.application)).all() == [year_award]
    assert labels
    assert {named(record, str(label)) for label in labels} == {year_award}


def test_what_was_awarded_elsewhere_is_told_apart_from_what_there_is_not(record: Record) -> None:
    case = open_case(record)
    with record.writing() as session:
        session.add(
            Award(
                id="NQL-ELSEWHERE0",
                label=LabelKind.NATIONAL,
                teacher=case.row().teacher,
                project=case.row().project,
                school=case.row().school,
                organisation=case.row().organisation,
                awarded_on=date(2019, 5, 1),
            )
        )
    with pytest.raises(NotFound, match="NQL-ELSEWHERE0 was awarded elsewhere or earlier"):
        named(record, "NQL-ELSEWHERE0")
    with pytest.raises(NotFound, match="There is no application NQL-NONE"):
        named(record, "NQL-NONE")
    code = Stamp(KEY, "https://x.example").paper("certificate", "NQL-NONE")
    with pytest.raises(NotFound, match=f"No certificate has the code {code}"):
        named(record, code)
