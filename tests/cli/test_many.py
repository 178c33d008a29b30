"""`labels many`: a plan in a terminal, from options or a file, and its confirmation by a code."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.record.schema import BulkPlan, Journal, OrganisationCode, Step, StepKind, StepState
from labels.steps.codes import review_code
from tests.cli.conftest import COORDINATOR, Terminal
from tests.support.many import copied
from tests.support.workbooks import xlsx

AS = ("--as", COORDINATOR)
WHY = ("--reason", "She is ill.")


@pytest.fixture
def applications(terminal: Terminal) -> list[str]:
    application = terminal.submitted()
    terminal.asked(application)
    with terminal.here.record.writing() as session:
        return copied(session, application, 3)


def code(terminal: Terminal) -> str:
    """The coordinator's code for their organisation."""
    assert terminal.run("code", "NSS-PL", *AS).exit_code == 0
    with terminal.here.record.reading() as session:
        one = session.scalars(sa.select(OrganisationCode)).one()
        return review_code(terminal.here.key, f"{one.organisation}/{one.person}", one.number)


def first_reviewer(terminal: Terminal) -> str:
    with terminal.here.record.reading() as session:
        step = session.scalars(
            sa.select(Step).where(Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN, Step.seat == 1)
        ).first()
        assert step is not None
        return step.assignee


def plans(terminal: Terminal) -> int:
    with terminal.here.record.reading() as session:
        return len(session.scalars(sa.select(BulkPlan)).all())


def test_everything_of_somebody_is_given_to_others(terminal: Terminal, applications: list[str]) -> None:
    ill = first_reviewer(terminal)
    shown = terminal.json("many", "reassign", "--from", ill, *WHY, *AS)
    assert {one["application"] for one in shown["rows"]} == set(applications)
    assert [one["after"] for one in shown["loads"] if one["before"] == 3] == [0]
    done = terminal.run("many", "confirm", shown["plan"], *AS, "--code", code(terminal))
    assert done.exit_code == 5, "Prefect is away: it is in the record, and goes on later"
    assert f"{shown['plan']} is carried out: 3 tasks." in done.stderr
    with terminal.here.record.reading() as session:
        told = session.scalars(sa.select(Journal).where(Journal.what == "reassigned")).all()
    assert len(told) == 3
    assert first_reviewer(terminal) != ill


def test_a_dry_run_shows_the_same_and_keeps_nothing(terminal: Terminal, applications: list[str]) -> None:
    words = ("many", "remind", "--kind", "review", *WHY, *AS)
    dry, real = terminal.json(*words, "--dry-run"), terminal.json(*words)
    assert dry["plan"] is None
    assert dry["rows"] == real["rows"]
    assert plans(terminal) == 1
    assert "Mosty przez Europę" in terminal.run(*words, "--dry-run").stdout


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_with_one_bad_row_changes_nothing_and_names_it(
    terminal: Terminal, applications: list[str], kind: str
) -> None:
    rows = [["application", "until"], [applications[0], "2026-04-27"], ["NQL-X", "2026-04-27"]]
    content = xlsx({"rows": rows}) if kind == "xlsx" else "\n".join(map(",".join, rows)).encode()
    name = terminal.file(f"rows.{kind}", content)
    words = ("many", "deadline", "--file", name, "--kind", "review", *WHY, *AS)
    said = terminal.fails(2, *words)
    assert f"rows.{kind}:3" in said
    assert "NQL-X is unknown" in said
    assert plans(terminal) == 0
    rows[2][0] = applications[1]
    name = terminal.file(
        f"rows.{kind}", xlsx({"rows": rows}) if kind == "xlsx" else "\n".join(map(",".join, rows)).encode()
    )
    assert len(terminal.json(*words)["rows"]) == 4


def test_what_is_needed_is_said(terminal: Terminal, applications: list[str]) -> None:
    assert "--as" in terminal.fails(2, "many", "remind", *WHY)
    assert "A reason is needed" in terminal.fails(3, "many", "remind", *AS)
    assert "PLN-" in terminal.fails(2, "many", "confirm", *AS, "--code", "X")
    assert "labels code" in terminal.fails(2, "many", "confirm", "PLN-X", *AS)
    assert "no plan PLN-X" in terminal.fails(4, "many", "confirm", "PLN-X", *AS, "--code", "X")
    assert "no application NQL-X" in terminal.fails(4, "many", "remind", "NQL-X", *WHY, *AS)
    assert "--until" in terminal.fails(2, "many", "deadline", "--until", "soon", *WHY, *AS)
    assert "coordinates no organisation" in terminal.fails(
        3, "many", "remind", *WHY, "--as", "r1@nss.example"
    )
    plan = terminal.json("many", "remind", *WHY, *AS)["plan"]
    wrong = terminal.run("many", "confirm", plan, *AS, "--code", "AAAA-BBBB-CC")
    assert wrong.exit_code == 3
    assert "The code is not valid" in wrong.stderr
