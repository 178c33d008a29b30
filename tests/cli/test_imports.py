"""A command answers at once: what only shows imports no library that it does not need, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.record.schema import Application, StepKind
from labels.settings import PROJECT
from tests.cli.conftest import Terminal

SLOW = (
    "prefect",
    "weasyprint",
    "boto3",
    "alembic",
    "httpx",
    "jinja2",
    "babel",
    "holidays",
    "pikepdf",
    "PIL",
    "numpy",
    "highspy",
)
"""Libraries of which each takes as long to import as all that a command does, or much longer."""
COMMAND = f"""
import atexit, sys
atexit.register(lambda: print("imported:", *sorted(sys.modules.keys() & {set(SLOW)!r}), file=sys.stderr))
from cli import main
main()
"""


def imported_by(words: list[str], **environment: str) -> tuple[str, set[str]]:
    """What a command said on standard output, and which of the slow libraries it imported."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        env={"PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.splitlines()[-1].removeprefix("imported:").split())


@pytest.fixture
def environment(terminal: Terminal, tmp_path: Path) -> dict[str, str]:
    """The record of a terminal with one application, whose run waits in Prefect."""
    application = terminal.submitted()
    terminal.asked(application)
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Application).values(run="0000-1"))
    home = terminal.here.settings.home
    return {"LABELS_HOME": str(home), "LABELS_SECRET": "a secret for tests", "HOME": str(tmp_path)}


@pytest.mark.sampled
@pytest.mark.parametrize("words", [["--help"], ["show", "--help"], ["rules"]])
def test_what_needs_no_record_imports_no_slow_library(words: list[str], tmp_path: Path) -> None:
    assert imported_by(words, LABELS_HOME=str(tmp_path), HOME=str(tmp_path))[1] == set()


@pytest.mark.slow
@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/api"])
def test_what_shows_a_record_imports_no_slow_library_with_prefect_away(
    terminal: Terminal, environment: dict[str, str], url: str
) -> None:
    with terminal.here.record.reading() as session:
        application = session.scalars(sa.select(Application.id)).one()
    environment["PREFECT_API_URL"] = url
    said, imported = imported_by(["show", application], **environment)
    assert "0000-1 (Prefect's server does not answer)" in said
    assert imported == set()
    said, imported = imported_by(
        ["inbox", "--as", terminal.right(application, StepKind.REVIEW).assignee], **environment
    )
    assert application in said
    assert imported == set()


def test_the_list_of_commands_needs_neither_the_record_nor_models() -> None:
    code = (
        "import sys; from cli.app import app; print({'sqlalchemy', 'pydantic', 'rich'} & sys.modules.keys())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"
