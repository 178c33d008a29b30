"""`labels status`: what it says of each part, and the exit code for a monitor."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

import cli.status
from adapters.parts import Part, read_parts, write_parts
from labels.record.schema import Application, Mail, Step, StepState
from labels.views import operation
from tests.cli.conftest import Terminal
from usecases.watching import Health, State


def states(terminal: Terminal, exit_code: int = 5) -> dict[str, dict[str, str]]:
    result = terminal.run("status", "--json")
    assert result.exit_code == exit_code, result.output
    return {one["part"]: one for one in json.loads(result.stdout)}


def test_without_its_services_an_installation_is_down_and_the_record_is_well(terminal: Terminal) -> None:
    found = states(terminal)
    assert {name: one["health"] for name, one in found.items()} == {
        "record": "well",
        "documents": "well",
        "prefect": "down",
        "schedules": "down",
        "worker": "down",
        "processes": "down",
        "desk": "down",
        "gate": "down",
        "outbox": "well",
        "late cases": "well",
        "clock": "well",
    }
    told = terminal.run("status")
    assert told.exit_code == 5
    assert "prefect, schedules, worker, processes, desk, gate" in " ".join(told.stderr.split())


def test_a_message_that_nobody_takes_and_a_passed_deadline_are_looked_at(terminal: Terminal) -> None:
    terminal.submitted()
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Mail).values(attempts=3, last_error="550 no such mailbox", sent_at=None))
        mails = session.scalar(sa.select(sa.func.count()).select_from(Mail))
    found = states(terminal)
    assert found["outbox"]["health"] == "look"
    assert f"{mails} of them failed" in found["outbox"]["detail"]
    assert "550" not in json.dumps(found), "what a mail server says may name people"
    assert found["late cases"]["health"] == "well"


@pytest.mark.parametrize(
    ("health", "code"),
    [(Health.WELL, 0), (Health.LOOK, 1), (Health.DOWN, 5)],
)
def test_the_exit_code_is_what_monitors_go_by(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, health: Health, code: int
) -> None:
    well = State("desk", Health.WELL, "https://labels.example.eu")
    monkeypatch.setattr(
        cli.status, "looked_at", lambda *_, **__: [well, State("outbox", health, "4 waiting")]
    )
    assert terminal.run("status").exit_code == code


def test_a_process_that_ends_again_and_again_is_told_with_its_log(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.status, "running_services", lambda _: {"pid": "1"})
    now = terminal.here.now()
    write_parts(
        terminal.here.settings.home,
        {
            "server": Part(10, now, running=False, restarts=6, in_a_row=7, ended="exit code 1"),
            "worker": Part(11, now, running=True),
        },
    )
    assert read_parts(terminal.here.settings.home)["server"].in_a_row == 7
    found = states(terminal)["processes"]
    assert found["health"] == "down"
    assert "server ended (exit code 1) 7 times in a row" in found["detail"]
    assert "logs/server.log" in found["remedy"]


def test_a_file_of_processes_that_cannot_be_read_is_none(terminal: Terminal) -> None:
    (terminal.here.settings.home / "parts.json").write_text('{"server": 4}')
    assert read_parts(terminal.here.settings.home) == {}


def test_late_are_open_applications_whose_step_has_passed_its_day(terminal: Terminal) -> None:
    application = terminal.submitted()
    here = terminal.here
    terminal.asked(application)
    with here.record.reading() as session:
        assert operation.late(session, here.now()) == 0
        last = session.scalar(sa.select(sa.func.max(Step.due_at)).where(Step.state == StepState.OPEN))
        assert last is not None
        assert operation.late(session, last + timedelta(minutes=1)) == 1, "an application, however many steps"
        figures = operation.figures(session, here.now())
        assert sum(figures.cases.values()) == session.scalar(
            sa.select(sa.func.count()).select_from(Application)
        )
        assert figures.steps
