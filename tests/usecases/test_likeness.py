"""Likeness is looked for outside the submission, and applications of an earlier version are looked through by upkeep."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.applications import fingerprints, likeness
from labels.clock import frozen_clock
from labels.record import Record
from labels.record.schema import Application, Mail, Section
from labels.settings import Settings
from tests.support.case import Case, open_case
from tests.support.people import KEY, NOW
from usecases.likeness import keep_former_fingerprints, look_for_likeness


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


def test_it_is_looked_for_once(here: Workspace) -> None:
    first = open_case(here.record)
    second = Case(here.record, teacher="T-3")
    assert second.conditions()
    assert look_for_likeness(here, first.id)
    assert look_for_likeness(here, second.id)
    assert not look_for_likeness(here, second.id)
    assert [mail.application for mail in first.all(Mail) if mail.template == "similarity_warning"] == [
        second.id
    ]


def test_upkeep_makes_the_fingerprints_of_an_earlier_versions_applications_and_tells_nobody(
    here: Workspace,
) -> None:
    first = open_case(here.record)
    second = Case(here.record, teacher="T-3")
    assert second.conditions()
    assert keep_former_fingerprints(here, 1) == 1
    assert keep_former_fingerprints(here) == 1
    assert keep_former_fingerprints(here) == 0
    with here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Section)) == 12
        [found] = likeness.likenesses(session, session.get_one(Application, first.id))
        assert found.application == second.id
    assert [mail for mail in first.all(Mail) if mail.template == "similarity_warning"] == []


def test_upkeep_leaves_alone_what_its_process_looks_at(here: Workspace) -> None:
    open_case(here.record)
    Case(here.record, teacher="T-3")
    assert keep_former_fingerprints(here) == 1
    with here.record.reading() as session:
        assert fingerprints.without(session, 10) == []
