"""`labels persons` as people type it: who may be one person, two coordinators who say so, one who says that they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.record.schema import OrganisationCode, Person, Staff
from labels.steps.codes import review_code
from tests.cli.conftest import COORDINATOR, Terminal
from tests.support.small_registry import write

SECOND = "second@nss.example"
STAFF = "email,name,organisation,role,language,school\n"
TWINS = STAFF + (
    "maria.lis@old.example,Maria Lis,NSS-PL,reviewer,pl,\n"
    "maria.lis@new.example,Maria Lis,NSS-PL,reviewer,pl,\n"
    f"{SECOND},Second Coordinator,NSS-PL,coordinator,pl,\n"
)


def imported(terminal: Terminal, folder: Path) -> dict[str, str]:
    """Brings the twins in; their ids by their addresses."""
    told = terminal.run("import", str(write(folder / "registry", staff=TWINS)))
    assert told.exit_code == 0, told.stderr
    assert "May be one person" in told.stdout
    assert "one name on one staff, NSS-PL" in told.stdout
    with terminal.here.record.reading() as session:
        return {row.email: row.person for row in session.scalars(sa.select(Staff))}


def code(terminal: Terminal, email: str) -> str:
    assert terminal.run("code", "NSS-PL", "--as", email).exit_code == 0
    with terminal.here.record.reading() as session:
        whose = session.scalars(sa.select(Person.id).where(Person.address == email)).one()
        row = session.get_one(OrganisationCode, ("NSS-PL", whose))
        return review_code(terminal.here.key, f"NSS-PL/{whose}", row.number)


@pytest.mark.slow
def test_two_coordinators_make_two_persons_one(terminal: Terminal, tmp_path: Path) -> None:
    people = imported(terminal, tmp_path)
    old, new = people["maria.lis@old.example"], people["maria.lis@new.example"]
    [group] = terminal.json("persons")
    assert {one["person"] for one in group["people"]} == {old, new}
    plan = terminal.json("persons", "merge", old, "--into", new)
    assert (plan["gone"], plan["kept"], plan["blocked"]) == (old, new, [])
    assert plan["moves"]["places on a staff"] == 1
    shown = terminal.run("persons", "merge", "maria.lis@old.example", "--into", new)
    assert f"--plan {plan['plan']}" in shown.stderr
    asked = terminal.run(
        "persons", "merge", old, "--into", new, "--plan", plan["plan"], "--as", COORDINATOR,
        "--code", code(terminal, COORDINATOR), "--reason", "She has a new mailbox.",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.stderr
    merge = asked.stderr.split(":")[0].strip()
    assert merge.startswith("MRG-")
    waiting = terminal.run("persons", "confirm", merge)
    assert "She has a new mailbox." in waiting.stderr
    done = terminal.run("persons", "confirm", merge, "--as", SECOND, "--code", code(terminal, SECOND))
    assert (done.exit_code, f"{old} is {new} now" in done.stderr) == (0, True), done.stderr
    assert terminal.json("persons") == []
    again = terminal.run("persons", "confirm", merge)
    assert (again.exit_code, "is done" in again.stderr) == (3, True)


def test_one_coordinator_says_that_they_are_different(terminal: Terminal, tmp_path: Path) -> None:
    people = imported(terminal, tmp_path)
    both = [people["maria.lis@old.example"], people["maria.lis@new.example"]]
    wrong = terminal.run(
        "persons", "different", *both, "--as", COORDINATOR, "--code", "0000000000", "--reason", "Sisters."
    )
    assert (wrong.exit_code, "labels code NSS-PL" in wrong.stderr) == (3, True)
    done = terminal.run(
        "persons", "different", *both, "--as", COORDINATOR, "--code", code(terminal, COORDINATOR),
        "--reason", "Two sisters.",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert terminal.json("persons", "list") == []
    assert "Nobody looks like" in terminal.run("persons").stderr
    forbidden = terminal.run("persons", "merge", both[0], "--into", both[1])
    assert (forbidden.exit_code, "Two sisters." in forbidden.stderr) == (3, True)
    back = terminal.run(
        "persons", "alike", *both, "--as", COORDINATOR, "--code", code(terminal, COORDINATOR),
        "--reason", "There is one of them.",
    )  # fmt: skip
    assert back.exit_code == 0, back.stderr
    assert len(terminal.json("persons", "list")) == 1


def test_what_is_missing_is_said(terminal: Terminal) -> None:
    assert "who goes and who stays" in terminal.fails(2, "persons", "merge", "PER-1")
    assert "two or more" in terminal.fails(2, "persons", "different", "PER-1")
    assert "There is no merging" in terminal.fails(4, "persons", "confirm", "MRG-0")
