"""Real processes, killed with SIGKILL at chosen moments: worker, executions, server and commands."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prefect.client.schemas.objects import StateType

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from cli.services import await_server
from labels.answering import accepting
from labels.errors import OutOfReach
from labels.identifiers import national_application_id
from labels.mail.message import Template
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Document,
    Journal,
    Mail,
    Outcome,
    Review,
    Stage,
    Step,
)
from labels.settings import PROJECT
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import Code
from labels.turn import Door
from tests.e2e.conftest import Stage_
from tests.support.patience import PATIENCE, until
from tests.support.people import application_file, code_of, points
from usecases.recovering import end_lost_runs, recover

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

DYING = Path(__file__).with_name("dying")

Order = tuple[str, str, str | int]
"""When, at which function, and who dies: see `dying/sitecustomize.py`."""


class Killer:
    """Restarts the worker with the hook, gives orders, and brings up again what died."""

    def __init__(self, stage: Stage_, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.environment = dict(stage.running.environment) | {
            "PYTHONPATH": os.pathsep.join([str(DYING), stage.running.environment["PYTHONPATH"]]),
            "DYING": str(folder),
        }

    def order(self, orders: dict[str, list[Order]]) -> None:
        """For each application when, at which function and who shall die, for processes that start from now on."""
        named = {
            about: [{"when": when, "at": at, "who": who} for when, at, who in several]
            for about, several in orders.items()
        }
        (self.folder / "orders.json").write_text(json.dumps(named))

    def carried_out(self, application: str) -> list[int]:
        """The numbers of the orders that were carried out for an application."""
        return sorted(int(path.name.rpartition("-")[2]) for path in self.folder.glob(f"{application}-*"))

    def start_again(self, name: str) -> None:
        """Starts a process of the services once more, as `labels up` does."""
        running = self.stage.running
        self.stage.until(lambda: running.start_again(name), f"the {name} has ended")
        if name == "server":
            await_server(running, threading.Event())

    def kill(self, name: str) -> None:
        """SIGKILL for a process of the services and all of its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.stage.running.processes[name].pid, signal.SIGKILL)

    def command(self, about: str, *arguments: str) -> tuple[int, Any]:
        """`labels …`, which may be ordered to die: its exit code and what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", "from cli import main; main()", *arguments, "--json"],
            cwd=PROJECT,
            env=self.environment | {"DYING_FOR": about},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


@pytest.fixture(scope="module")
def killer(stage: Stage_, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    killer = Killer(stage, tmp_path_factory.mktemp("dying"))
    killer.order({})
    usual = stage.running.environment
    stage.running.environment = killer.environment
    killer.kill("worker")
    # The stock worker has a new process for each execution, which reads the orders.
    stage.running.start_worker("process")
    yield killer
    stage.running.environment = usual
    killer.kill("worker")
    stage.running.start_worker()


def identifier(number: int) -> str:
    return national_application_id(f"T-{number}", f"P-{number}", 1)


def submit(stage: Stage_, number: int) -> str:
    return stage.submit(teacher=f"T-{number}", project=f"P-{number}")


def review(stage: Stage_, step: Step) -> None:
    """A review as the command line records it."""
    given = ReviewAnswer(scores=points(4), comment="Well done.")
    here = stage.here
    with here.record.writing() as session:
        code = code_of(session.get_one(Step, step.id), here.key)
        accepting.answer(here.turn(session, Door.COMMAND_LINE), step.id, Code(code, step.assignee), given)


def recovered(stage: Stage_) -> None:
    with prefect_client() as client:
        recover(stage.here, client)


def to_the_end(stage: Stage_, applications: list[str], by_form: frozenset[str] = frozenset()) -> None:
    """Plays everybody until all are closed: reviewers by both doors, and upkeep."""
    looked = 0.0

    def all_closed() -> bool:
        nonlocal looked
        for application in applications:
            steps = stage.reviews(application)
            if not steps or not stage.parked(application):
                continue
            if application in by_form:
                form: dict[str, object] = {f"points_{n}": value for n, value in points(4).items()}
                form |= {"comment": "Well done.", "code": code_of(steps[0], stage.here.key)}
                with prefect_client() as client:
                    client.resume_flow_run(stage.application(application).run, run_input=form)  # type: ignore[arg-type]
                continue
            for step in steps:
                review(stage, step)
            stage.wake(application)
        if time.monotonic() - looked > 1:
            recovered(stage)
            looked = time.monotonic()
        return all(stage.application(one).stage is Stage.CLOSED for one in applications)

    def stands() -> list[tuple[int, int, int]]:
        return [(one.revision, one.parked_revision, one.runs) for one in map(stage.application, applications)]

    until(
        all_closed,
        "all are closed",
        lambda: [state(stage, one) for one in applications],
        progress=stands,
    )
    # A message whose process died between sending it and noting it is free again after two minutes.
    with stage.here.record.writing() as session:
        session.execute(sa.update(Mail).where(Mail.sent_at.is_(None)).values(claimed_until=None))
    send_due(stage.here)


def assert_ended_once(stage: Stage_, application: str) -> None:
    assert stage.breaches(application) == []
    with stage.here.record.reading() as session:

        def of(table: Any) -> list[Any]:
            return list(session.scalars(sa.select(table).where(table.application == application)))

        assert session.get_one(Application, application).outcome is Outcome.AWARDED
        assert [decision.outcome for decision in of(Decision)] == [Outcome.AWARDED]
        assert session.scalar(sa.select(sa.func.count()).where(Award.id == application)) == 1
        assert sorted(document.kind for document in of(Document)) == [
            "application", "certificate", "letter", "receipt",
        ]  # fmt: skip
        for document in of(Document):
            stage.here.documents.get(document.key)
        assert len(of(Review)) == 2
        told = collections.Counter(
            (entry.who, entry.what, entry.step, *map(entry.details.get, ("seat", "paper", "other")))
            for entry in of(Journal)
        )
        assert [entry for entry, times in told.items() if times > 1] == []
        what = {entry.what for entry in of(Journal)}
        assert {
            Event.SUBMITTED,
            Event.MET_ALL_CONDITIONS,
            Event.ASSIGNED_A_REVIEWER,
            Event.REVIEWED,
            Event.AWARDED,
            Event.CLOSED,
        } <= what
        mails = of(Mail)
        about_it = [mail.template for mail in mails if mail.template != Template.SIMILARITY_WARNING]
        assert sorted(about_it) == ["awarded", "receipt", "review_asked", "review_asked"]
        assert all(mail.sent_at for mail in mails)
    letters = [path.name for path in stage.here.settings.mail_folder.glob(f"*{application}*.eml")]
    assert len(letters) == len(mails)


UP_TO_THE_FORM: list[Order] = [
    ("before", "tasks.process:register", "self"),
    ("after", "labels.reviews.asking:ask", "self"),
    ("before", "tasks.process:show", "self"),
    ("after", "adapters.mail.transports:FolderTransport.send", "self"),
    ("before", "prefect.input.run_input:BaseRunInput.asave", "self"),
]
FROM_THE_FORM_ON: list[Order] = [
    ("before", "usecases.resuming:take_answer", "self"),
    ("after", "usecases.resuming:take_answer", "self"),
    ("after", "tasks.national:decide", "self"),
    ("after", "adapters.documents.directory:DirectoryStore.put", "self"),
    ("after", "tasks.process:close", "self"),
]


def test_an_execution_killed_at_one_step_after_the_other_is_made_up_for(
    stage: Stage_, killer: Killer
) -> None:
    # `tests/flows/test_kill_points.py` has every moment, without processes.
    orders = {identifier(110): UP_TO_THE_FORM, identifier(111): FROM_THE_FORM_ON}
    killer.order(orders)
    applications = [submit(stage, 110), submit(stage, 111)]
    assert applications == list(orders)
    to_the_end(stage, applications, frozenset(applications))
    for application in applications:
        assert killer.carried_out(application) == list(range(5))
        assert_ended_once(stage, application)


def test_a_worker_killed_with_all_its_executions_frees_its_places_and_goes_on(
    stage: Stage_, killer: Killer
) -> None:
    killer.order(
        {
            identifier(112): [("before", "tasks.process:show", "worker")],
            identifier(113): [("after", "tasks.process:register", "worker")],
        }
    )
    applications = [submit(stage, 112), submit(stage, 113)]
    stage.until(lambda: all(map(killer.carried_out, applications)), "worker and executions are dead")
    killer.kill("worker")
    killer.start_again("worker")
    # Prefect counts both as running, and there is no third place: nothing starts, not even upkeep.
    waiting = submit(stage, 114)
    assert {state(stage, one) for one in applications} <= {StateType.RUNNING, StateType.PENDING}
    with prefect_client() as client:
        assert end_lost_runs(stage.here, client, timedelta(hours=1)) == []
        ended = end_lost_runs(stage.here, client, timedelta(0))
    assert {one.application for one in ended} >= set(applications)
    to_the_end(stage, [*applications, waiting])
    for application in (*applications, waiting):
        assert_ended_once(stage, application)


def state(stage: Stage_, application: str) -> StateType:
    with prefect_client() as client:
        run = client.read_flow_run(stage.application(application).run)  # type: ignore[arg-type]
    assert run.state is not None
    return run.state.type


def test_a_server_killed_while_runs_are_suspended_and_under_way_loses_nothing(
    stage: Stage_, killer: Killer
) -> None:
    server = stage.running.processes["server"].pid
    suspended = submit(stage, 115)
    stage.until_parked(suspended)
    killer.order({identifier(116): [("after", "tasks.national:conditions_met", server)]})
    under_way = submit(stage, 116)
    stage.until(lambda: killer.carried_out(under_way), "the server is dead")
    step = stage.reviews(suspended)[0]
    review(stage, step)  # the record takes it, whatever became of Prefect
    with pytest.raises(OutOfReach):
        stage.wake(suspended)
    killer.start_again("server")
    to_the_end(stage, [suspended, under_way])
    for application in (suspended, under_way):
        assert_ended_once(stage, application)


def test_commands_killed_and_given_again_count_once(stage: Stage_, killer: Killer, tmp_path: Path) -> None:
    killed: dict[str, tuple[Order, bool]] = {
        identifier(117): (
            ("after", "labels.applications.submitting:submit", "self"),
            False,
        ),  # in the transaction
        identifier(118): (("before", "adapters.prefect.runs:start", "self"), True),
        identifier(119): (("after", "adapters.prefect.runs:start", "self"), True),
    }
    killer.order({application: [moment] for application, (moment, _) in killed.items()})
    for number, (application, (_, known)) in enumerate(killed.items(), 117):
        file = tmp_path / f"{application}.json"
        file.write_text(json.dumps(application_file(teacher=f"T-{number}", project=f"P-{number}")))
        assert killer.command(application, "submit", str(file))[0] == -signal.SIGKILL
        with stage.here.record.reading() as session:
            assert (session.get(Application, application) is not None) is known
        code, printed = killer.command(application, "submit", str(file))
        assert code == 0
        assert (printed["application"], printed["created"]) == (application, not known)
        assert printed["run"] == stage.application(application).run is not None
    application = identifier(117)
    stage.until_parked(application)
    killer.order(
        {
            application: [
                ("after", "labels.applications.submitting:submit", "self"),
                ("after", "labels.answering.accepting:answer", "self"),  # in the transaction
                ("before", "usecases.running:wake", "self"),
            ]
        }
    )
    step = stage.reviews(application)[0]
    file = tmp_path / "review.json"
    file.write_text(json.dumps({"scores": points(4), "comment": "Well done."}))
    answer = ["answer", step.id, str(file), "--as", step.assignee, "--code", code_of(step, stage.here.key)]
    assert killer.command(application, *answer)[0] == -signal.SIGKILL
    assert step.id in {one.id for one in stage.reviews(application)}
    assert killer.command(application, *answer)[0] == -signal.SIGKILL
    assert step.id not in {one.id for one in stage.reviews(application)}
    code, said = killer.command(application, *answer)
    assert code == 3
    assert "already answered by" in said
    to_the_end(stage, list(killed))  # recovery wakes the run that nobody woke
    for application in killed:
        assert_ended_once(stage, application)
