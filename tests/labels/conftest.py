"""Applications that tests of the domain begin with."""

from __future__ import annotations

import pytest

from labels.record import Record
from labels.record.schema import Staff
from tests.support.case import Case, open_case
from tests.support.people import populate


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


@pytest.fixture
def lonely(record: Record) -> Case:
    """An application that nobody is free to review."""
    with record.writing() as session:
        populate(session, reviewers=1)
        session.get_one(Staff, ("r1@nss.example", "reviewer")).school = "S-1"
    case = Case(record)
    assert case.conditions()
    return case
