"""Two persons are made one while the record has proved what each of them did: all of it holds, or nothing was done."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.answering import merging
from labels.answering.uniting import Pair
from labels.clock import frozen_clock
from labels.errors import NotAllowed
from labels.record import Record, sealing
from labels.record.journal import Event, note
from labels.record.schema import Application, Decision, Person, PersonMerge, Staff, Step
from labels.reviews import deciding
from labels.reviews.repeating import decided_again
from labels.settings import Settings
from labels.steps.proof import SignedIn
from labels.turn import Door
from tests.support.case import COORDINATOR, Case, open_case, staff
from tests.support.people import KEY, NOW
from usecases import merging as usecases
from usecases.performing import perform
from usecases.sealing import verify_journal

SECOND = "second@nss.example"


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


@pytest.fixture
def case(here: Workspace) -> Case:
    made = open_case(here.record)
    staff(here.record, SECOND, "coordinator")
    return made


def proof(here: Workspace, email: str) -> SignedIn:
    with here.record.reading() as session:
        whose = session.scalars(sa.select(Staff.person).where(Staff.email == email)).one()
    return SignedIn(whose, "mail code", NOW)


def asked(here: Workspace, pair: Pair) -> str:
    act = usecases.ask(pair, usecases.plan(here, pair).word, "She has a new mailbox.")
    return perform(here, act, by=proof(here, COORDINATOR), door=Door.DESK).accepted.made


def test_the_journal_verifies_and_decisions_are_made_again_after_a_merging(
    here: Workspace, case: Case
) -> None:
    first, second = case.ask()
    for step in (first, second):
        case.review(step)
    case.do(deciding.decide, case.id)
    assert sealing.seal(here.record, now=NOW).position
    with here.record.reading() as session:
        free = session.scalars(
            sa.select(Staff.person).where(
                Staff.role == "reviewer", Staff.person.not_in([first.person, second.person])
            )
        ).first()
    pair = Pair(first.person, free or "")
    perform(here, usecases.confirm(asked(here, pair)), by=proof(here, SECOND), door=Door.DESK)
    assert sealing.seal(here.record, now=NOW).position
    assert verify_journal(here, []).findings == []
    with here.record.reading() as session:
        assert session.get_one(Step, first.id).person == pair.kept
        [again] = decided_again(session, applications=sa.select(Application.id))
        assert again.same
        assert session.scalars(sa.select(Decision.application)).one() == case.id


def test_where_the_last_of_it_fails_nothing_of_it_was_done(
    here: Workspace, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = case.ask()
    with here.record.reading() as session:
        free = session.scalars(
            sa.select(Staff.person).where(
                Staff.email.in_(["r1@nss.example", "r2@nss.example", "r3@nss.example"])
            )
        ).all()
    pair = Pair(first.person, next(one for one in free if one not in {step.person for step in case.ask()}))
    merge = asked(here, pair)
    write = note

    def fails(*told: Any, **more: Any) -> None:
        if Event.MERGED_PERSONS in told:
            raise NotAllowed("The disk is full.")
        write(*told, **more)

    monkeypatch.setattr(merging, "note", fails)
    with pytest.raises(NotAllowed, match="disk is full"):
        perform(here, usecases.confirm(merge), by=proof(here, SECOND), door=Door.DESK)
    with here.record.reading() as session:
        assert session.get_one(Step, first.id).person == pair.gone
        assert session.get_one(Person, pair.gone).address == first.assignee
        assert session.get_one(PersonMerge, merge).confirmed_at is None
    monkeypatch.undo()
    perform(here, usecases.confirm(merge), by=proof(here, SECOND), door=Door.DESK)
