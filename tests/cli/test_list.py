"""`labels list`: the rows of the desk's list, in a terminal and as a file."""

from __future__ import annotations

import pytest
from python_calamine import CalamineWorkbook

from tests.cli.conftest import COORDINATOR, Terminal


def test_applications_are_listed_with_names_and_filters(terminal: Terminal) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    [one] = terminal.json("list", "--as", COORDINATOR)
    assert (one["number"], one["applicant"], one["label"]) == (application, "Zażółć Gęślą", "national")
    assert "Recenzent" in one["waits for"]
    assert terminal.json("list", "--part", "ended") == []
    assert [row["number"] for row in terminal.json("list", "--about", "P-1", "--urgent", "late")] == []
    assert [row["number"] for row in terminal.json("list", "--organisation", "NSS-PL", "--year", "2025")] == [
        application
    ]
    assert application in terminal.run("list").stdout


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_of_them_is_written_whole(terminal: Terminal, kind: str) -> None:
    application = terminal.submitted()
    result = terminal.run("list", "--file", f"all.{kind}", "--columns", "number,title")
    assert result.exit_code == 0, result.output
    path = terminal.folder / "desk" / f"all.{kind}"
    path = path if path.exists() else terminal.folder / f"all.{kind}"
    if kind == "csv":
        assert application in path.read_bytes()[2:].decode("utf-16-le")
    else:
        assert CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[2][0] == application
    assert "neither of .csv and .xlsx" in terminal.fails(2, "list", "--file", "all.ods")


def test_only_a_coordinators_own_are_listed(terminal: Terminal) -> None:
    terminal.submitted()
    assert "coordinates no organisation" in terminal.fails(3, "list", "--as", "r1@nss.example")


def test_a_coordinator_with_a_shared_mailbox_lists_by_their_id(terminal: Terminal) -> None:
    application, coordinator = terminal.submitted(), terminal.shared_mailbox()
    assert "Name one of them by that id" in terminal.fails(3, "list", "--as", COORDINATOR)
    assert [one["number"] for one in terminal.json("list", "--as", coordinator)] == [application]
    assert "coordinates no organisation" in terminal.fails(3, "list", "--as", "PER-2")
