"""Likeness is looked for outside the submission, and applications of an earlier version are looked through by upkeep."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

import tasks.national
from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.applications import fingerprints, likeness
from labels.clock import frozen_clock
from labels.errors import NOTHING_CHANGED, OutOfReach
from labels.record import Record
from labels.record.schema import Application, Mail, SealedEntry, Section
from labels.settings import Settings
from tests.support.case import Case, open_case
from tests.support.people import KEY, NOW
from usecases import upkeep
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


def unreadable(here: Workspace, application: str) -> None:
    """Makes a section's text one that can't be read."""
    with here.record.writing() as session:
        row = session.get_one(Application, application)
        row.content = row.content | {"sections": row.content["sections"] | {"results": None}}


def test_a_former_application_that_cant_be_read_stops_neither_the_others_nor_the_seal(
    here: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    first = open_case(here.record)
    second = Case(here.record, teacher="T-3")
    assert second.conditions()
    unreadable(here, min(first.id, second.id))
    done = upkeep.keep_up(here)
    assert done.sealed == len(first.all(SealedEntry)) > 0
    assert {one.application for one in first.all(Section)} == {max(first.id, second.id)}
    [told] = [one for one in caplog.records if one.name == "labels.likeness"]
    assert min(first.id, second.id) in told.getMessage()


def test_the_journal_is_sealed_before_indexes_are_made(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_case(here.record)

    def fails(_: Workspace) -> None:
        raise ValueError("no index")

    monkeypatch.setattr(upkeep, "make_index", fails)
    with pytest.raises(ValueError, match="no index"):
        upkeep.keep_up(here)
    with here.record.reading() as session:
        assert session.scalars(sa.select(SealedEntry)).all()


class Log:
    """The log of a run."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def exception(self, message: str, *values: object) -> None:
        self.told.append(message % values)


def test_an_application_goes_on_where_it_cant_be_compared_with_others(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = open_case(here.record)
    unreadable(here, case.id)
    log = Log()
    monkeypatch.setattr(tasks.national, "workspace", lambda: here)
    monkeypatch.setattr(tasks.national, "in_a_turn", lambda act, application: case.do(act, application))
    monkeypatch.setattr(tasks.national, "get_run_logger", lambda: log)
    assert tasks.national.conditions_met.fn(case.id)
    [told] = log.told
    assert case.id in told


def test_the_task_is_tried_again_where_the_record_is_away(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = open_case(here.record)

    def away(*_: Any) -> bool:
        raise OutOfReach("The record", "it does not answer.", NOTHING_CHANGED)

    monkeypatch.setattr(tasks.national, "workspace", lambda: here)
    monkeypatch.setattr(tasks.national, "in_a_turn", lambda act, application: case.do(act, application))
    monkeypatch.setattr(tasks.national, "look_for_likeness", away)
    with pytest.raises(OutOfReach):
        tasks.national.conditions_met.fn(case.id)
