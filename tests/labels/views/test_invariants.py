"""What must hold of every record: nothing is found in whole ones, and each thing that is broken is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from labels.record import Record
from labels.record.rows import write
from labels.record.schema import Document, Outcome
from labels.reviews import deciding
from labels.views.invariants import Breach, Invariant, breaches
from tests.support.case import Case, decided, open_case, withdrawn
from tests.support.people import NOW


def found(record: Record, later: timedelta = timedelta(0)) -> list[Breach]:
    with record.reading() as session:
        return breaches(session, NOW + later)


def told(record: Record) -> list[tuple[Invariant, str]]:
    return [(one.invariant, one.problem) for one in found(record)]


def broken(record: Record, statement: str) -> None:
    """Changes the record behind everybody's back, as a fault or a person with a database tool would."""
    with record.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN")
        assert connection.exec_driver_sql(statement).rowcount
        connection.commit()
        connection.detach()


def refused(case: Case) -> None:
    assert decided(case, 1) is Outcome.REFUSED


def awarded(case: Case) -> None:
    """Its papers are still to be made, so that it is not closed."""
    for step in case.ask():
        case.review(step)
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED


def under_way(case: Case) -> None:
    case.ask()


@pytest.mark.parametrize("course", [under_way, refused, awarded, withdrawn])
def test_nothing_is_found_in_a_whole_record(record: Record, course: Callable[[Case], None]) -> None:
    course(open_case(record))
    assert found(record) == []


@pytest.mark.parametrize(
    ("course", "statement", "invariant", "problem"),
    [
        (
            awarded,
            "UPDATE application SET outcome = 'refused'",
            Invariant.ONE_DECISION,
            "its outcome is refused, and its decision says awarded.",
        ),
        (
            under_way,
            "UPDATE application SET stage = 'decided'",
            Invariant.ONE_DECISION,
            "its stage, decided, is not that of its outcome.",
        ),
        (
            awarded,
            "UPDATE decision SET score = score + 1",
            Invariant.REPEATABLE,
            "made again, it differs in score.",
        ),
        (awarded, "DELETE FROM award", Invariant.ONE_AWARD, "awarded, and no label is held."),
        (
            awarded,
            "UPDATE application SET stage = 'closed'",
            Invariant.ONE_CERTIFICATE,
            "0 certificates of it count.",
        ),
        (
            under_way,
            "UPDATE step SET state = 'answered' WHERE kind = 'review' AND seat = 1",
            Invariant.ONE_REVIEW,
            "answered, and there is no review.",
        ),
        (
            refused,
            "UPDATE review SET void_at = given_at",
            Invariant.ONE_REVIEW,
            "answered, and its review is void.",
        ),
        (
            under_way,
            "UPDATE step SET seat = 1 WHERE kind = 'review'",
            Invariant.ONE_REVIEW,
            "seat 1 is taken by 2 reviews.",
        ),
        (
            refused,
            "UPDATE step SET state = 'open' WHERE kind = 'review' AND seat = 1",
            Invariant.NOTHING_ASKED_AT_THE_END,
            "still asked, after the outcome.",
        ),
    ],
)
def test_what_is_broken_is_named(
    record: Record, course: Callable[[Case], None], statement: str, invariant: Invariant, problem: str
) -> None:
    course(open_case(record))
    broken(record, statement)
    assert (invariant, problem) in told(record)


def test_a_label_of_somebody_who_was_not_awarded_is_named(record: Record) -> None:
    case = open_case(record)
    awarded(case)
    broken(record, "UPDATE application SET outcome = 'refused'")
    broken(record, "UPDATE decision SET outcome = 'refused'")
    assert (Invariant.ONE_AWARD, "not awarded, and a label is held.") in told(record)


def test_a_case_that_nobody_drives_is_nobodys(record: Record) -> None:
    case = open_case(record)
    case.ask()
    [one] = found(record, timedelta(days=1))
    assert (one.invariant, one.subject, one.problem) == (Invariant.OWNED, case.id, "No run drives it.")


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_reference_to_nothing_is_named(record: Record) -> None:
    case = open_case(record)
    case.ask()
    broken(record, "UPDATE step SET person = 'PER-NOBODY' WHERE kind = 'withdrawal'")
    assert [one.problem for one in found(record) if one.invariant is Invariant.REFERENCES] == [
        "refers to a person that is not there."
    ]


def test_a_certificate_from_before_papers_were_entered_counts(record: Record) -> None:
    case = open_case(record)
    awarded(case)
    broken(record, "UPDATE application SET stage = 'closed'")
    with record.writing() as session:
        write(
            session,
            Document,
            {
                "application": case.id, "kind": "certificate", "name": "certificate.pdf", "key": "sha256/bb/bb",
                "media_type": "application/pdf", "size": 2, "stored_at": NOW,
            },
        )  # fmt: skip
    assert found(record) == []
