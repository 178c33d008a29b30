"""What `prefect deploy --all` makes of prefect.yaml on a real server, and the deployed upkeep at work."""

from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

import pytest
import sqlalchemy as sa
import yaml
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Pending, Running, Scheduled

from adapters.mail.folder import MailFolder
from adapters.prefect.address import POOL
from adapters.prefect.client import prefect_client
from adapters.prefect.runs import DEPLOYMENTS
from adapters.workspace import Workspace
from cli.keeping import keep_alive
from cli.services import free_port, services
from labels.answering import accepting, rights
from labels.mail.message import Template
from labels.record.schema import Mail, Staff, Step, StepKind, Teacher
from labels.settings import PROJECT, Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door
from tests.e2e.conftest import Stage_
from tests.support.patience import PATIENCE
from tests.support.people import TODAY, application_file, code_of, points
from usecases.applying import submit_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

UPKEEP = "upkeep/upkeep"
WRITTEN: dict[str, dict[str, Any]] = {
    one["name"]: one for one in yaml.safe_load((PROJECT / "prefect.yaml").read_text("utf-8"))["deployments"]
}


def deployed() -> dict[str, DeploymentResponse]:
    """Every deployment of our work pool; other tests have pools of their own on the same server."""
    with prefect_client() as client:
        found = [one for one in client.read_deployments() if one.work_pool_name == POOL]
    assert len(found) == len({one.name for one in found})
    return {one.name: one for one in found}


def ask_for_upkeep(times: int = 1) -> list[UUID]:
    """Runs of upkeep, besides those of its schedule."""
    with prefect_client() as client:
        deployment = client.read_deployment_by_name(UPKEEP)
        return [client.create_flow_run_from_deployment(deployment.id).id for _ in range(times)]


def run_of(identifier: UUID | str | None) -> FlowRun:
    with prefect_client() as client:
        return client.read_flow_run(UUID(str(identifier)))


def state_of(identifier: UUID) -> StateType | None:
    return run_of(identifier).state_type


@pytest.fixture
def only_when_asked(stage: Stage_) -> Iterator[None]:
    """Upkeep only when the test asks for it: every tenth minute of its schedule falls into some test."""
    with prefect_client() as client:
        deployment = client.read_deployment_by_name(UPKEEP)
        [schedule] = deployment.schedules
        client.update_deployment_schedule(deployment.id, schedule.id, active=False)

        def quiet() -> bool:
            """One that is scheduled, or taken already, would come yet."""
            coming = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]
            under_way = FlowRunFilter(
                deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=coming)),
            )
            runs = client.read_flow_runs(flow_run_filter=under_way)
            for run in runs:
                if run.state_type is StateType.SCHEDULED:
                    client.delete_flow_run(run.id)
            return not runs

        stage.until(quiet, "no upkeep is on its way")
        try:
            yield
        finally:
            client.update_deployment_schedule(deployment.id, schedule.id, active=True)


def upkeep(stage: Stage_) -> None:
    """One whole run of upkeep; where the scheduled one is at it just then, another one after it."""

    asked = ask_for_upkeep()

    def over() -> bool:
        reached = state_of(asked[-1])
        if reached is StateType.CANCELLED:
            asked.extend(ask_for_upkeep())
        assert reached not in (StateType.FAILED, StateType.CRASHED)
        return reached is StateType.COMPLETED

    stage.until(over, "upkeep is done")


def die_an_hour_ago(stage: Stage_, run: UUID) -> None:
    """Leaves a run as one whose process was killed in its midst, an hour ago."""
    with prefect_client() as client:
        client.set_flow_run_state(run, Running(), force=True)
        state = run_of(run).state_id
    then = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with contextlib.closing(
        sqlite3.connect(stage.here.settings.home / "prefect/prefect.db", timeout=PATIENCE)
    ) as base:
        base.execute("UPDATE flow_run_state SET timestamp = ? WHERE id = ?", (then, str(state)))
        base.commit()


def mail_of(here: Workspace, application: str) -> Counter[str]:
    """How many messages of each kind lie in the folder where mail goes; not those that say that the tests' applications,
    which have one text, read alike: of how many each is told depends on which came before."""
    which = (Mail.application == application, Mail.template != Template.SIMILARITY_WARNING)
    with here.record.reading() as session:
        rows = session.scalars(sa.select(Mail).where(*which)).all()
    kinds = {row.message_id: row.template for row in rows}
    sent = (message["Message-ID"] for message in MailFolder(here.settings.mail_folder).messages())
    return Counter(kinds[identifier] for identifier in sent if identifier in kinds)


# What is deployed -------------------------------------------------------------------------------


def test_every_deployment_of_the_file_is_on_the_server_and_no_other(stage: Stage_) -> None:
    assert deployed().keys() == WRITTEN.keys()
    with prefect_client() as client:
        for name in DEPLOYMENTS.values():
            assert client.read_deployment_by_name(name).name in WRITTEN


@pytest.mark.parametrize("name", WRITTEN)
def test_a_deployment_is_as_it_is_written(stage: Stage_, name: str) -> None:
    written, found = WRITTEN[name], deployed()[name]
    assert (found.description, found.tags, found.entrypoint) == (
        written["description"], written["tags"], written["entrypoint"],
    )  # fmt: skip
    assert (found.work_pool_name, found.paused) == (POOL, False)
    assert str(PROJECT) not in found.model_dump_json()  # workers elsewhere have another folder
    assert found.job_variables == written["work_pool"]["job_variables"]
    crons = [(one.schedule.cron, one.schedule.timezone, one.active) for one in found.schedules]  # type: ignore[union-attr]  # all of ours are crons
    assert crons == [(one["cron"], one["timezone"], True) for one in written.get("schedules", [])]
    limit = written.get("concurrency_limit")
    assert (found.global_concurrency_limit.limit if found.global_concurrency_limit else None) == (
        limit["limit"] if limit else None
    )
    assert (found.concurrency_options.collision_strategy.value if found.concurrency_options else None) == (
        limit["collision_strategy"] if limit else None
    )


def test_upkeep_comes_by_itself_and_the_european_label_once_a_year(stage: Stage_) -> None:
    found = deployed()
    assert {"upkeep", "european-year"} <= {name for name, one in found.items() if one.schedules}
    soon = datetime.now(UTC) + timedelta(hours=1)

    def coming() -> list[FlowRun]:
        with prefect_client() as client:
            return [
                run
                for run in client.read_flow_runs(limit=200)
                if run.auto_scheduled and run.expected_start_time and run.expected_start_time < soon
            ]

    stage.until(coming, "the next runs of upkeep are on the list")
    assert {run.deployment_id for run in coming()} == {found["upkeep"].id}


def test_deploying_again_changes_nothing(stage: Stage_) -> None:
    before = deployed()
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=PROJECT, env=dict(stage.running.environment), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    after = deployed()
    assert {name: one.id for name, one in after.items()} == {name: one.id for name, one in before.items()}
    assert [len(one.schedules) for one in after.values()] == [len(one.schedules) for one in before.values()]


def test_what_prefect_lists_of_a_run_names_nobody(stage: Stage_) -> None:
    asked = {name: one.parameter_openapi_schema or {} for name, one in deployed().items()}
    known = {name: list(schema["properties"]) for name, schema in asked.items()}
    assert known["european-year"] == ["year"]
    assert all(known[name.partition("/")[2]] == ["application_id"] for name in DEPLOYMENTS.values())
    assert not any(one.parameters for one in deployed().values())

    application = stage.submit(teacher="T-130", project="P-130")
    stage.until_parked(application)
    run = run_of(stage.application(application).run)
    assert run.parameters == {"application_id": application}
    listed = run.model_dump_json(
        include={"name", "tags", "labels", "parameters", "context", "state"}
    ).casefold()
    with stage.here.record.reading() as session:
        people = [*session.scalars(sa.select(Teacher)), *session.scalars(sa.select(Staff))]
    assert len(people) > 10
    for person in people:
        assert person.name.casefold() not in listed
        assert person.email.casefold() not in listed


# Upkeep at work ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("only_when_asked")
def test_upkeep_sends_what_is_due_and_brings_every_application_back_to_its_step(stage: Stage_) -> None:
    here = stage.here
    away = submit_file(here, application_file(teacher="T-120", project="P-120"), "a.json", []).application
    gone, lost, told, well, closed = running = [
        stage.submit(teacher=f"T-{n}", project=f"P-{n}") for n in range(121, 126)
    ]
    for application in running:
        stage.until_parked(application)
    with here.record.writing() as session:
        [right] = session.scalars(
            sa.select(Step).where(Step.application == closed, Step.kind == StepKind.WITHDRAWAL)
        )
        rights.withdraw(here.turn(session), closed, Code(code_of(right, here.key), right.assignee))
    stage.wake(closed)
    stage.until_closed(closed)
    former = {one: stage.application(one).run for one in running}
    assert stage.application(away).run is None  # Prefect was away when it was handed in
    assert mail_of(here, away) == Counter()
    with prefect_client() as client:
        client.delete_flow_run(UUID(former[gone]))
    die_an_hour_ago(stage, UUID(former[lost]))
    first, _ = stage.reviews(told)
    with here.record.writing() as session:
        given = ReviewAnswer(scores=points(4))
        counted = accepting.answer(
            here.turn(session, Door.COMMAND_LINE),
            first.id,
            Code(code_of(first, here.key), first.assignee),
            given,
        )
    assert isinstance(counted, Accepted)
    assert not stage.parked(told)  # whoever answered died before they could wake its run

    upkeep(stage)
    opened = [away, gone, lost, told, well]
    for application in opened:
        stage.until_parked(application)
    assert [one for one in running if stage.application(one).run != former[one]] == [gone, lost]
    assert state_of(UUID(former[lost])) is StateType.CRASHED
    assert [len(stage.reviews(one)) for one in opened] == [2, 2, 2, 1, 2]
    for application in opened:
        assert mail_of(here, application) == {"receipt": 1, "review_asked": 2}
    assert mail_of(here, closed) == {"receipt": 1, "review_asked": 2, "review_void": 2, "withdrawn": 1}

    before = {one: (stage.application(one).run, mail_of(here, one)) for one in [*opened, closed]}
    upkeep(stage)
    assert {one: (stage.application(one).run, mail_of(here, one)) for one in before} == before
    assert all(stage.parked(one) for one in opened)


def test_of_several_that_are_late_one_does_the_work(stage: Stage_) -> None:
    runs = ask_for_upkeep(4)
    ended = (StateType.COMPLETED, StateType.CANCELLED)
    stage.until(lambda: all(state_of(run) in ended for run in runs), "every run of upkeep has ended")
    assert StateType.COMPLETED in map(state_of, runs)


def test_upkeep_comes_back_after_the_server_and_its_run_were_lost_together(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, today=TODAY)
    with services(settings, free_port(), free_port()) as (running, here):
        stage = Stage_(running, here)
        with prefect_client() as client:
            deployment = client.read_deployment_by_name(UPKEEP)
            tomorrow: State[Any] = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))
            lost = client.create_flow_run_from_deployment(deployment.id, state=tomorrow).id
            client.set_flow_run_state(lost, Pending())  # as a worker does that takes it
        die_an_hour_ago(stage, lost)
        [hindered] = ask_for_upkeep()
        stage.until(lambda: state_of(hindered) is StateType.CANCELLED, "one is enough")

        server, stop = running.processes["server"], threading.Event()
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        keeping = threading.Thread(
            target=contextvars.copy_context().run, args=(keep_alive, running, here, stop)
        )
        keeping.start()  # which starts the server again
        try:
            stage.until(lambda: server_answers(stage), "the server is back")
            stage.until(lambda: state_of(lost) is StateType.CRASHED, "the lost run is ended")
            [run] = ask_for_upkeep()
            stage.until(lambda: state_of(run) is StateType.COMPLETED, "upkeep is done again")
        finally:
            stop.set()
            keeping.join()


def server_answers(stage: Stage_) -> bool:
    with contextlib.suppress(OSError), urlopen(f"{stage.running.api_url}/health", timeout=10):
        return True
    return False
