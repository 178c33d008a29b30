"""A real Prefect server and worker, shared by the tests of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.runs import start
from adapters.prefect.states import Phase, form_of, read_run
from adapters.workspace import Workspace
from cli.processes import Services
from cli.services import free_port, services
from labels.record.schema import Application, Mail, Stage, Step, StepKind
from labels.settings import Settings
from labels.steps.step import open_steps
from tests.support.patience import until
from tests.support.people import TODAY, application_file, populate
from usecases.applying import submit_file
from usecases.checking import check
from usecases.running import wake


class Stage_:
    """The running services, and what tests do on them again and again."""

    def __init__(self, running: Services, here: Workspace) -> None:
        self.running = running
        self.here = here

    def submit(self, **changes: object) -> str:
        """Submits an application as the command does, and starts its run."""
        done = submit_file(self.here, application_file(**changes), "application.json", [])
        with prefect_client() as client:
            start(self.here, client, done.application)
        return done.application

    def application(self, identifier: str) -> Application:
        """The application as the record has it now."""
        with self.here.record.reading() as session:
            return session.get_one(Application, identifier)

    def exists(self, identifier: str) -> bool:
        """Whether the record has the application."""
        with self.here.record.reading() as session:
            return session.get(Application, identifier) is not None

    def awaited(self, identifier: str) -> list[Step]:
        """The steps that it waits for now."""
        with self.here.record.reading() as session:
            return open_steps(session, session.get_one(Application, identifier))

    def parked(self, identifier: str) -> bool:
        """Whether its run has seen everything and is suspended in Prefect, with its form saved."""
        application = self.application(identifier)
        if application.parked_revision < application.revision or application.run is None:
            return False
        with prefect_client() as client:
            run = read_run(client, application.run)
            if run is None or run.phase is not Phase.SUSPENDED:
                return False
            return form_of(client, run) is not None

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition, with a bound."""
        until(condition, what, self.log)

    def log(self) -> str:
        """What the worker said last."""
        return self.running.log("worker").read_text()[-3000:]

    def until_parked(self, identifier: str) -> None:
        """Waits until the run is suspended at its step."""
        self.until(lambda: self.parked(identifier), f"{identifier} is suspended")

    def until_closed(self, identifier: str) -> None:
        """Waits until nothing is left to do, and all mail about it is out: upkeep may have claimed some of it."""
        self.until(
            lambda: self.application(identifier).stage is Stage.CLOSED and self.mailed(identifier),
            f"{identifier} is closed, with its mail out",
        )

    def mailed(self, identifier: str) -> bool:
        """Whether no mail about the application waits in the outbox."""
        unsent = sa.select(Mail.reason).where(Mail.application == identifier, Mail.sent_at.is_(None))
        with self.here.record.reading() as session:
            return session.scalar(unsent.limit(1)) is None

    def wake(self, identifier: str) -> None:
        """Wakes the run, as every command does after it changed the record."""
        with prefect_client() as client:
            wake(self.here, client, identifier)

    def artifact(self, key: str) -> str:
        """The newest text of an artifact in Prefect."""
        wanted = {"artifacts": {"key": {"any_": [key.lower()]}}, "sort": "CREATED_DESC", "limit": 1}
        with prefect_client() as client:
            [found] = client.request("POST", "/artifacts/filter", json=wanted).json()
        return str(found["data"])

    def breaches(self, *identifiers: str) -> list[str]:
        """What does not hold of these applications that always must: nothing."""
        found = check(self.here, read_documents=True).breaches
        return [str(one) for one in found if any(each in one.subject for each in identifiers)]

    def reviews(self, identifier: str) -> list[Step]:
        """The reviewers' steps that are open."""
        return [step for step in self.awaited(identifier) if step.kind is StepKind.REVIEW]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage_]:
    """Server, worker and document links on free ports, with the tests' registry."""
    home: Path = tmp_path_factory.mktemp("stage")
    settings = Settings(_env_file=None, home=home, today=TODAY)
    with services(settings, free_port(), free_port()) as (running, here):
        with here.record.writing() as session:
            populate(session)
            more_projects(session)
        yield Stage_(running, here)


def more_projects(session: sa.orm.Session, numbers: Iterable[int] = range(100, 160)) -> None:
    """A project for each test, since a teacher has one open application a project."""
    from labels.record.schema import Member, Project, Teacher

    for n in numbers:
        session.add(
            Teacher(
                id=f"T-{n}", name=f"Nauczycielka {n}", email=f"t-{n}@school.example", school="S-1",
                registered_on=TODAY, language="pl",
            )
        )  # fmt: skip
        session.add(Project(id=f"P-{n}", title=f"Mosty {n}", started_on=TODAY, ended_on=None))
        session.flush()
        for teacher in (f"T-{n}", "T-2"):
            session.add(Member(project=f"P-{n}", teacher=teacher, role="founder", joined_on=TODAY))
