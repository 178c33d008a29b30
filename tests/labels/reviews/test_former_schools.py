"""Schools that people left count for conflicts of interest, for as many years as the rules say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record import Record
from labels.record.schema import (
    Application,
    FormerSchool,
    FormerStaff,
    FormerStaffSchool,
    School,
    Staff,
    Teacher,
)
from labels.reviews import conflicts
from labels.reviews.choosing import conflicts_of_interest
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from tests.support.case import Case, open_case
from tests.support.people import TODAY

LAST_MONTH = TODAY - timedelta(days=30)
YEARS_AGO = date(2023, 3, 16)
"""As many years before the application as the rules say: that day does not count any more."""


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


def against_ada(case: Case, change: Callable[[Session], object]) -> list[str]:
    """What speaks against a reviewer, once something is changed."""
    with case.record.writing() as session:
        session.add(
            Staff(
                email="ada@nss.example", role="reviewer", name="Ada Lis", organisation="NSS-PL", language="pl", school="S-9"
            )
        )  # fmt: skip
        session.flush()
        change(session)
        session.flush()
        ada = conflicts.staff(session, ada_in(session))
        assert ada is not None
        found = conflicts_of_interest(ada, conflicts.judged(session, session.get_one(Application, case.id)))
    return [str(one) for one in found]


def ada_in(session: Session) -> str:
    return session.scalars(sa.select(Staff.person).where(Staff.email == "ada@nss.example")).one()


def taught(session: Session, school: str, until: date) -> None:
    session.add(FormerStaffSchool(person=ada_in(session), school=school, until=until))


def on_a_staff(session: Session, school: str, until: date) -> None:
    session.add(
        FormerStaff(
            person=ada_in(session),
            organisation="NSS-PT",
            role="reviewer",
            email="ada@former.example",
            name="Ada Lis",
            language="pl",
            school=school,
            id=None,
            left_on=until,
            left_by="registry",
        )
    )


def left(session: Session, teacher: str, school: str, until: date, now: str) -> None:
    session.add(FormerSchool(teacher=teacher, school=school, until=until))
    session.get_one(Teacher, teacher).school = now


def closed(session: Session, school: str, goes_on_as: str) -> None:
    session.get_one(School, goes_on_as).succeeds = school


def test_the_rules_name_the_years_and_their_source() -> None:
    years = load_rules("NSS-PL", TODAY).national.review.former_school_years
    assert years is not None
    assert (years.value, years.source) == (3, "assumption")


def test_rules_that_were_stored_before_have_the_digest_that_they_had() -> None:
    body = load_rules("NSS-PL", TODAY).to_json()
    del body["national"]["review"]["former_school_years"]
    former = RuleEdition.from_json(body)
    assert former.national.review.former_school_years is None
    assert former.to_json() == body


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda session: None, []),
        (lambda session: taught(session, "S-1", LAST_MONTH), ["taught at a school of the applicant not long ago"]),
        (lambda session: taught(session, "S-1", YEARS_AGO + timedelta(days=1)), ["taught at a school of the applicant not long ago"]),
        (lambda session: taught(session, "S-1", YEARS_AGO), []),
        (lambda session: taught(session, "S-2", LAST_MONTH), ["taught at a school of the project not long ago"]),
        (lambda session: on_a_staff(session, "S-1", LAST_MONTH), ["taught at a school of the applicant not long ago"]),
        (lambda session: on_a_staff(session, "S-1", YEARS_AGO), []),
        (lambda session: left(session, "T-1", "S-9", LAST_MONTH, "S-1"), ["teaches at another school of the applicant, present or former"]),
        (lambda session: left(session, "T-1", "S-9", date(2020, 8, 31), "S-1"), []),
        (lambda session: left(session, "T-1", "S-1", TODAY + timedelta(days=1), "S-9"), ["teaches at another school of the applicant, present or former"]),
        (lambda session: left(session, "T-2", "S-2", LAST_MONTH, "S-9"), ["teaches at a school of the project"]),
        (lambda session: left(session, "T-2", "S-9", date(2026, 1, 1), "S-2"), ["teaches at a school of the project"]),
        (lambda session: closed(session, "S-1", "S-9"), ["teaches at another school of the applicant, present or former"]),
        (lambda session: closed(session, "S-2", "S-9"), ["teaches at a school of the project"]),
    ],
    ids=[
        "nobody moved",
        "the reviewer left the applicant's school last month",
        "the reviewer left it not quite three years ago",
        "the reviewer left it three years ago",
        "the reviewer left a partner's school",
        "the reviewer left another staff last month, on which they were from the applicant's school",
        "the reviewer left that staff three years ago",
        "the applicant left the reviewer's school last month",
        "the applicant left the reviewer's school long ago",
        "the applicant came to the reviewer's school since",
        "a partner came to the reviewer's school",
        "a partner was at the reviewer's school when the project began",
        "the applicant's school goes on as the reviewer's",
        "a partner's school goes on as the reviewer's",
    ],
)  # fmt: skip
def test_who_taught_at_one_school_does_not_judge_the_other(
    case: Case, change: Callable[[Session], object], found: list[str]
) -> None:
    assert against_ada(case, change) == found
