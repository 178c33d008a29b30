"""`labels privacy` as an operator types it: a plan, its word, the erasure, a ZIP, periods and holds."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.applications import ending
from labels.record.schema import Journal, Person, SignIn
from labels.turn import Turn
from tests.cli.conftest import TEACHER, Terminal
from tests.cli.test_verify import judged
from tests.support.people import KEY


def closed(terminal: Terminal) -> str:
    """An application that was decided, whose papers were not made."""
    application = judged(terminal, 4, "Well done.")
    with terminal.here.record.writing() as session:
        ending.close(Turn(session, terminal.here.now(), KEY), application)
    return application


@pytest.mark.slow
def test_a_person_is_erased_by_the_word_of_their_plan(terminal: Terminal) -> None:
    closed(terminal)
    plan = terminal.json("privacy", "erase", TEACHER)
    assert plan["person"].startswith("PER-")
    assert plan["goes"]["applications: what they wrote"] == 1
    assert plan["stays"]
    assert plan["blocked"] == []
    shown = terminal.run("privacy", "erase", TEACHER)
    assert shown.exit_code == 0
    assert "What stays, and why" in shown.stdout
    assert f"--plan {plan['plan']}" in shown.stderr
    assert terminal.run("privacy", "erase", TEACHER, "--plan", plan["plan"]).exit_code == 2, "no reason"
    wrong = terminal.run("privacy", "erase", TEACHER, "--plan", "0" * 12, "--reason", "Asked for.")
    assert (wrong.exit_code, "Something else would go" in wrong.stderr) == (3, True)
    done = terminal.run("privacy", "erase", TEACHER, "--plan", plan["plan"], "--reason", "Asked for.")
    assert done.exit_code == 0, done.stderr
    assert "is erased" in done.stderr
    assert "upkeep tries again" in done.stderr, "Prefect is away"
    with terminal.here.record.reading() as session:
        assert session.get_one(Person, plan["person"]).address == "erased"
        assert TEACHER not in str(session.scalars(sa.select(Journal.details)).all())
    assert terminal.json("journal", "--verify")["findings"] == []


def test_what_is_in_the_way_is_said_with_exit_code_three(terminal: Terminal) -> None:
    application = terminal.submitted()
    result = terminal.run("privacy", "erase", TEACHER)
    assert result.exit_code == 3
    assert f"{application} is still open" in result.stderr


def test_a_person_gets_a_zip(terminal: Terminal, tmp_path: Path) -> None:
    closed(terminal)
    told = terminal.json("privacy", "export", TEACHER, "--to", str(tmp_path / "theirs.zip"))
    assert told["documents"] >= 1
    with zipfile.ZipFile(tmp_path / "theirs.zip") as archive:
        assert json.loads(archive.read("data.json"))["who_you_are"][0]["address"] == TEACHER


@pytest.mark.slow
def test_periods_are_counted_and_end_only_when_asked(terminal: Terminal) -> None:
    then = terminal.here.now().replace(year=2025)
    with terminal.here.record.writing() as session:
        session.add(
            SignIn(
                id="x", address=TEACHER, how="code", roles="", signed_in_at=then, seen_at=then, ends_at=then,
                ended_at=None, ended_because=None,
            )
        )  # fmt: skip
    assert terminal.json("privacy", "retention")["sessions"]["past"] == 1
    assert terminal.json("privacy", "retention", "--do")["sessions"]["past"] == 1
    assert terminal.json("privacy", "retention")["sessions"]["past"] == 0


def test_a_hold_needs_a_reason_and_somebody(terminal: Terminal) -> None:
    assert terminal.run("privacy", "hold", TEACHER).exit_code == 2
    assert terminal.run("privacy", "hold").exit_code == 2
    assert terminal.run("privacy", "hold", "nobody@x.example", "--reason", "A case.").exit_code == 4
    assert terminal.run("privacy", "hold", TEACHER, "--reason", "—").exit_code == 2
    assert terminal.run("privacy", "hold", TEACHER, "--reason", "A case.").exit_code == 0
    assert "A case." in terminal.run("privacy", "erase", TEACHER).stderr
    assert terminal.run("privacy", "lift", TEACHER, "--reason", "Settled.").exit_code == 0
