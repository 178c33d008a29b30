"""Commands run in this process, as a person types them, against a record of the test's own and without a server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer.testing

from adapters.workspace import Workspace, workspace
from labels.applications import conditions
from labels.people.roles import Role
from labels.record.engine import close_records
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Journal,
    Mail,
    Person,
    Review,
    Staff,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import asking
from tests.support.drawing import draw_once
from tests.support.people import TODAY, application_file, code_of
from tests.support.typed import typed

COORDINATOR = "coordinator@nss.example"
TEACHER = "t-1@school.example"


class Terminal:
    """A folder to work in, the commands typed there, and the record that they work on."""

    def __init__(self, folder: Path, here: Workspace) -> None:
        self.folder = folder
        self.here = here

    def run(self, *words: str) -> typer.testing.Result:
        """A command as typed; that it ended in a traceback fails the test, whatever was expected."""
        result = typed(*words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    def fails(self, exit_code: int, *words: str) -> str:
        """What a command says that must fail, and must leave the record as it was and standard output empty.

        That somebody who proved who they are was refused is in the journal, and nothing else is.
        """
        before = self.everything()
        result = self.run(*words)
        assert result.exit_code == exit_code, result.output
        assert result.stdout == ""
        assert self.everything() == before
        return result.stderr

    def json(self, *words: str) -> Any:
        """The document that a command prints with `--json`, and nothing else."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def file(self, name: str, content: Any) -> str:
        """A file in the folder: bytes or text as they are, anything else as JSON."""
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return name

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the record says of applications, whole."""
        noted = Journal.__table__.c.what == Event.NOT_ACCEPTED
        tables = {
            table.__tablename__: sa.select(table.__table__) for table in (Application, Step, Review, Mail)
        } | {"journal": sa.select(Journal.__table__).where(~noted)}
        with self.here.record.reading() as session:
            return {
                name: [tuple(map(str, row)) for row in session.execute(query)]
                for name, query in tables.items()
            }

    def shared_mailbox(self) -> str:
        """A colleague who reads the coordinator's mail, too; gives the coordinator's id."""
        with self.here.record.writing() as session:
            session.add(Person(id="PER-2", name="Jan Kos", address=COORDINATOR, language="pl"))
            coordinates = Staff.role == Role.COORDINATOR
            return session.scalars(sa.select(Staff.person).where(coordinates)).one()

    # What other processes would do meanwhile --------------------------------------------------------

    def submitted(self, **changes: Any) -> str:
        """An application that was handed in, while Prefect was away."""
        self.run("submit", self.file("application.json", application_file(**changes)))
        with self.here.record.reading() as session:
            return (
                session.scalars(sa.select(Application.id).order_by(Application.submitted_at.desc())).first()
                or ""
            )

    def asked(self, application: str) -> list[str]:
        """The reviews that its run asks for."""
        with self.here.record.writing() as session:
            assert conditions.check_conditions(self.here.turn(session), application)
        with self.here.record.writing() as session:
            return [step.id for step in asking.ask(self.here.turn(session), application)]

    def open_reviews(self) -> list[Step]:
        """The reviews that somebody has now, by their applications and seats."""
        with self.here.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Step)
                    .where(Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN)
                    .order_by(Step.application, Step.seat)
                )
            )

    def awarded_elsewhere(self, award: str) -> None:
        """The teacher holds the National Quality Label for a project, by no application of this record."""
        with self.here.record.writing() as session:
            session.add(
                Award(
                    id=award, label="national", teacher="T-1", project="P-1", school="S-1",
                    organisation="NSS-PL", awarded_on=TODAY, score=25,
                )
            )  # fmt: skip

    def step(self, identifier: str) -> Step:
        with self.here.record.reading() as session:
            return session.get_one(Step, identifier)

    def right(self, application: str, kind: StepKind) -> Step:
        """The latest open step of a kind."""
        with self.here.record.reading() as session:
            steps = session.scalars(
                sa.select(Step)
                .where(Step.application == application, Step.kind == kind, Step.state == StepState.OPEN)
                .order_by(Step.number.desc())
            )
            return next(iter(steps))

    def code(self, step: str) -> str:
        """The code that was mailed for a step."""
        return code_of(self.step(step), self.here.key)

    def coordinators_code(self, application: str) -> str:
        """A code that the coordinator asked for."""
        assert self.run("code", application, "--as", COORDINATOR).exit_code == 0
        return self.code(self.right(application, StepKind.COORDINATION).id)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, populated_template: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder, with a small registry in the record and no server of Prefect's."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(populated_template, home / "record.db")
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    draw_once(monkeypatch)
    monkeypatch.setenv("LABELS_HOME", str(home))
    monkeypatch.setenv("LABELS_SECRET", "a secret for tests")
    monkeypatch.setenv("LABELS_TODAY", "2026-03-16")
    workspace.cache_clear()
    yield Terminal(tmp_path / "desk", workspace())
    workspace.cache_clear()
    close_records()


@pytest.fixture
def empty_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., typer.testing.Result]]:
    """Commands with settings of the test's own, before anything is there."""
    monkeypatch.chdir(tmp_path)
    workspace.cache_clear()

    def run(*words: str, **settings: str) -> typer.testing.Result:
        for name, value in {"home": str(tmp_path / "home"), "secret": "x", **settings}.items():
            monkeypatch.setenv(f"LABELS_{name.upper()}", value)
        result = typed(*words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield run
    workspace.cache_clear()
    close_records()
