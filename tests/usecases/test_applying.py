"""Handing in a file: what an applicant is told at once."""

from __future__ import annotations

import pytest

from adapters.documents.opening import open_store
from adapters.workspace import Workspace
from labels.clock import frozen_clock
from labels.record import Record
from labels.record.schema import Teacher
from labels.settings import Settings
from tests.support.people import NOW, application_file, populate
from usecases.applying import submit_file


@pytest.fixture
def here(record: Record, settings: Settings) -> Workspace:
    with record.writing() as session:
        populate(session)
    return Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))


def test_letters_that_no_certificate_could_print_are_told_when_an_application_is_handed_in(
    here: Workspace,
) -> None:
    with here.record.writing() as session:
        session.get_one(Teacher, "T-1").name = "Zażółć 李"
    done = submit_file(here, application_file(), "application.json", [])
    assert done.created
    assert done.remark.endswith(
        "No font here has “李” (CJK UNIFIED IDEOGRAPH-674E, U+674E), which is in the teacher's name:"
        " no certificate could be printed. Ask your organisation to correct it."
    )


def test_nothing_is_said_of_names_that_are_printed(here: Workspace) -> None:
    assert "font" not in submit_file(here, application_file(), "application.json", []).remark
