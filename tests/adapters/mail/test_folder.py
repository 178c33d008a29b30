"""What people find in the folder that mail goes into, and how long they look."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from adapters.documents.opening import open_store
from adapters.mail.folder import MailFolder
from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.answering import accepting, proving
from labels.applications import conditions
from labels.clock import frozen_clock
from labels.errors import OutOfReach
from labels.record.engine import Record
from labels.record.schema import Mail, Step
from labels.reviews import asking
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import Code
from labels.turn import Door
from tests.support.people import NOW, application_file, code_of, points, populate
from usecases.applying import submit_file


@pytest.fixture
def here(record: Record, settings: Settings) -> Workspace:
    """A workspace with the tests' registry."""
    with record.writing() as session:
        populate(session)
    return Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))


@pytest.fixture
def asked(here: Workspace) -> list[Step]:
    """The review steps of an application, whose mail is still in the outbox."""
    application = submit_file(here, application_file(), "application.json", []).application
    with here.record.writing() as session:
        assert conditions.check_conditions(here.turn(session), application)
        return asking.ask(here.turn(session), application)


def folder(here: Workspace) -> MailFolder:
    return MailFolder(here.settings.mail_folder)


@pytest.mark.slow
def test_everybody_finds_the_code_of_their_own_step(here: Workspace, asked: list[Step]) -> None:
    mail = folder(here)
    assert [mail.code(step) for step in asked] == [None, None]
    send_due(here)
    assert [mail.code(step) for step in asked] == [code_of(step, here.key) for step in asked]


def test_whoever_needs_a_code_before_its_mail_is_there_waits_for_it(
    here: Workspace, asked: list[Step]
) -> None:
    step, looked = asked[0], threading.Event()

    class Watched(MailFolder):
        def code(self, step: Step) -> str | None:
            found = super().code(step)
            looked.set()
            return found

    with ThreadPoolExecutor() as other:
        waiting = other.submit(
            Watched(here.settings.mail_folder).wait_for_code, here.record, step.id, threading.Event()
        )
        looked.wait()
        assert not waiting.done(), "there is no mail yet"
        send_due(here)
        assert waiting.result() == code_of(step, here.key)


def test_of_two_codes_that_were_mailed_the_one_that_counts_is_found(
    here: Workspace, asked: list[Step]
) -> None:
    send_due(here)
    former = code_of(asked[0], here.key)
    with here.record.writing() as session:
        proving.replace_code(here.turn(session), session.get_one(Step, asked[0].id), "It had faults.")
    send_due(here)
    found = folder(here).wait_for_code(here.record, asked[0].id, threading.Event())
    assert found not in (None, former)


def test_nobody_waits_for_the_code_of_a_step_that_is_answered(here: Workspace, asked: list[Step]) -> None:
    step = asked[0]
    with here.record.writing() as session:
        given = ReviewAnswer(scores=points(), comment="Well done.")
        code = code_of(step, here.key)
        accepting.answer(here.turn(session, Door.COMMAND_LINE), step.id, Code(code, step.assignee), given)
    assert folder(here).wait_for_code(here.record, step.id, threading.Event()) is None


def test_nobody_waits_on_when_told_to_stop(here: Workspace, asked: list[Step]) -> None:
    stop = threading.Event()
    stop.set()
    assert folder(here).wait_for_code(here.record, asked[0].id, stop) is None


def test_a_mail_that_never_comes_is_told_with_the_step_it_is_for(here: Workspace, asked: list[Step]) -> None:
    with here.record.writing() as session:
        session.execute(sa.delete(Mail))
    with pytest.raises(OutOfReach, match=f"no message with the code of {asked[0].id}"):
        folder(here).wait_for_code(here.record, asked[0].id, threading.Event(), within=0)
