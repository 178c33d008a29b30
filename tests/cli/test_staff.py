"""`labels staff` as an operator types it, and what an import of a staff's file reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.record.schema import FormerStaff, Staff
from tests.cli.conftest import Terminal
from tests.support.small_registry import write

HEADER = "email,name,organisation,role,language,school,staff,left_on\n"


def test_somebody_leaves_and_comes_back(terminal: Terminal) -> None:
    application, address = _awaited(terminal)
    done = terminal.run("staff", "leave", address, "--json")
    assert (done.exit_code, "What was said is in the record" in done.stderr) == (5, True), "Prefect is away"
    [left] = json.loads(done.stdout)
    assert (left["address"], left["applications"]) == (address, [application])
    listed = terminal.json("staff", "list", "--organisation", "NSS-PL")
    assert [one["email"] for one in listed if one["left"]] == [address]
    assert terminal.run("staff").exit_code == 0
    again = terminal.run("staff", "leave", address)
    assert (again.exit_code, "is on no such staff" in again.stderr) == (4, True)
    back = terminal.run("staff", "rejoin", address)
    assert (back.exit_code, "is reviewer of NSS-PL" in back.stderr) == (0, True)


def test_a_day_to_come_is_upkeep_s(terminal: Terminal) -> None:
    _, address = _awaited(terminal)
    told = terminal.run("staff", "leave", address, "--on", "2030-01-01")
    assert (told.exit_code, "upkeep sees to it" in told.stderr) == (0, True)
    assert terminal.json("upkeep")["left"] == []
    with terminal.here.record.writing() as session:
        session.get_one(Staff, (address, "reviewer")).left_on = terminal.here.now().date()
    [left] = terminal.json("upkeep")["left"]
    assert left.endswith("no longer on the staff of NSS-PL")
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(FormerStaff.email)).all() == [address]


@pytest.mark.parametrize(
    ("words", "told"),
    [(("leave",), "ADDRESS: is needed"), (("leave", "a@x.example", "--on", "soon"), "is not a date")],
)
def test_what_is_missing_is_said(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    assert told in terminal.fails(2, "staff", *words)


def test_an_import_reports_corrections_departures_returns_and_who_is_gone(
    terminal: Terminal, tmp_path: Path
) -> None:
    rows = {
        "a": "a@x.example,Ada Lis,NSS-PL,reviewer,pl,,1,\n",
        "b": "b@x.example,Jan Kos,NSS-PL,reviewer,pl,,2,\n",
        "c": "c@x.example,Ewa Sowa,NSS-PL,reviewer,pl,,3,2026-01-31\n",
        "d": "d@x.example,Olga Wilk,NSS-PL,coordinator,pl,,4,\n",
    }
    folder = tmp_path / "registry"
    terminal.run("import", str(write(folder, staff=HEADER + "".join(rows.values()))))
    changed = (
        "new@x.example,Ada Lis-Nowak,NSS-PL,reviewer,pl,,1,\n"
        "b@x.example,Jan Kos,NSS-PL,reviewer,pl,,2,2026-02-28\n"
        "c@x.example,Ewa Sowa,NSS-PL,reviewer,pl,,3,\n"
    )
    write(folder, staff=HEADER + changed)
    told = terminal.run("import", str(folder)).stdout
    for title, name in (
        ("Corrected addresses", "Ada Lis-Nowak"),
        ("Left the staff", "Jan Kos"),
        ("Back on the staff", "Ewa Sowa"),
        ("In the record and no longer in the file", "Olga Wilk"),
    ):
        assert name in told.split(title)[1].split("\n\n")[0]
    again = terminal.json("import", str(folder))
    assert (again["corrections"], again["left"], again["returned"]) == ([], [], [])


def _awaited(terminal: Terminal) -> tuple[str, str]:
    """An application, and of whom its first review is awaited."""
    application = terminal.submitted()
    step, _ = terminal.asked(application)
    return application, terminal.step(step).assignee
