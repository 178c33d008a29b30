"""What people get when they answered: the mail of it goes out with the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

import adapters.prefect.client
from adapters.documents.opening import open_store
from adapters.mail.folder import MailFolder, plain_text
from adapters.workspace import Workspace
from labels.clock import frozen_clock
from labels.record.engine import Record
from labels.record.schema import Mail, Step, StepKind
from labels.settings import Settings
from labels.steps.answers import Information, Question
from labels.steps.proof import Code
from labels.turn import Door
from tests.support.case import open_case
from tests.support.people import KEY, code_of
from tests.support.school import School
from tests.support.small_prefect import SmallPrefect
from tests.usecases.test_races import nothing_happens
from usecases import answering
from usecases.performing import perform


def applicant(record: Record) -> tuple[Step, datetime]:
    """A teacher whom a reviewer asks something."""
    case = open_case(record)
    case.answer(case.ask()[0], Question(question="Which maps?"))
    return case.right(StepKind.INFORMATION), case.now


def school(record: Record) -> tuple[Step, datetime]:
    """The teacher who handed in for a school, whom a reviewer asks something."""
    school = School(record)
    school.hand_in(who=1)
    school.declare()
    school.answer(school.ask()[0], Question(question="Who leads it?"))
    return school.open(StepKind.INFORMATION)[0], school.now


@pytest.mark.parametrize("asked", [applicant, school])
def test_whoever_answers_a_question_gets_a_receipt(
    record: Record,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    asked: Callable[[Record], tuple[Step, datetime]],
) -> None:
    step, now = asked(record)
    with record.writing() as session:  # what was written to people before has gone out long since
        session.execute(sa.update(Mail).values(sent_at=now))
    monkeypatch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
    monkeypatch.setattr(
        adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
    )
    here = Workspace(settings, record, open_store(settings), KEY, frozen_clock(now))
    by = Code(code_of(step), step.assignee)
    perform(here, answering.answer(step.id, Information(text="All of them.")), by=by, door=Door.COMMAND_LINE)
    told = [
        message for message in MailFolder(settings.mail_folder).messages() if step.assignee in message["To"]
    ]
    assert [message["Keywords"].split(",")[0] for message in told] == ["information_received"]
    assert told[0]["Subject"] == f"Państwa odpowiedź w sprawie wniosku {step.application} dotarła"
    assert "Teraz nic nie trzeba robić" in plain_text(told[0])
