"""What `labels export` gives to spreadsheets and programs, whatever people wrote."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from labels.record.journal import SYSTEM
from labels.record.schema import Award, Journal, Mail
from labels.views import exports
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.support.people import points

HOSTILE = [
    '=HYPERLINK("http://a.example")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "a\n=1;=2",
    "\u202e=x",
]
"""What a spreadsheet would take for a formula, at the start of a cell or of what it takes for one."""


def rows(terminal: Terminal, what: str) -> list[dict[str, str]]:
    result = terminal.run("export", what)
    assert result.exit_code == 0
    assert result.stderr == ""
    return list(csv.DictReader(io.StringIO(result.stdout, newline="")))


@pytest.mark.parametrize("what", exports.EXPORTS)
def test_a_table_without_rows_still_has_its_header(terminal: Terminal, what: str) -> None:
    result = terminal.run("export", what)
    assert result.exit_code == 0
    [header] = csv.reader(io.StringIO(result.stdout, newline=""))
    assert header == exports.export_columns(what)
    assert terminal.json("export", what) == []
    assert terminal.run("export", what, "--format", "json").stdout == "[]\n"


@pytest.mark.parametrize("what", exports.EXPORTS)
def test_json_is_a_list_of_flat_objects_with_the_columns_of_the_table(terminal: Terminal, what: str) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    for row in terminal.json("export", what):
        assert list(row) == exports.export_columns(what)
        assert not [value for value in row.values() if isinstance(value, (dict, list))]


def test_reviews_that_are_hidden_until_the_decision_are_told_of_apart(terminal: Terminal) -> None:
    first, _ = terminal.asked(terminal.submitted())
    assert terminal.run("export", "reviews").stderr == ""
    given = terminal.file("r.json", {"scores": points()})
    who, code = terminal.step(first).assignee, terminal.code(first)
    terminal.run("answer", first, given, "--as", who, "--code", code)
    result = terminal.run("export", "reviews", "--json")
    assert json.loads(result.stdout) == []
    assert result.stderr == "1 review is left out: reviews are hidden until their application is decided.\n"


def test_both_formats_tell_the_same(terminal: Terminal) -> None:
    terminal.asked(terminal.submitted())
    for what in ("applications", "mail", "journal"):
        listed = terminal.json("export", what)
        table = rows(terminal, what)
        assert len(listed) == len(table) > 0
        for one, other in zip(listed, table, strict=True):
            assert {k: "" if v is None else str(v) for k, v in one.items()} == other


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(terminal: Terminal, text: str) -> None:
    application = terminal.submitted()
    with terminal.here.record.writing() as session:
        session.add(
            Journal(
                at=terminal.here.now(), who=text, what=text, application=application, details={text: text}
            )
        )
        session.execute(sa.update(Mail).values(to_name=text, last_error=text))
        session.add(
            Award(
                id=text, label="national", teacher="T-1", project="P-1", school="S-1",
                organisation="NSS-PL", awarded_on=terminal.here.now().date(), score=1.0,
            )
        )  # fmt: skip
    for what in ("journal", "mail", "awards"):
        for row in rows(terminal, what):
            assert not [
                value
                for name, value in row.items()
                if name != "parked_revision"
                and value.lstrip("\n").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
            ]
            assert not [value for value in row.values() if "\u202e" in value]


def test_a_cell_keeps_its_commas_quotes_and_lines(terminal: Terminal) -> None:
    said = 'one, "two"; three\nfour'
    with terminal.here.record.writing() as session:
        session.add(Journal(at=terminal.here.now(), who=SYSTEM, what=said, details={}))
    assert rows(terminal, "journal")[-1]["what"] == said


@pytest.mark.parametrize("what", ["nothing", "", "step", "APPLICATIONS", "application; DROP TABLE journal"])
def test_a_table_that_there_is_not_is_told_with_those_that_there_are(terminal: Terminal, what: str) -> None:
    said = terminal.fails(2, "export", what)
    assert "is unknown" in said
    assert all(known in said for known in exports.EXPORTS)


def test_a_format_that_there_is_not_is_wrong_usage(terminal: Terminal) -> None:
    said = terminal.fails(2, "export", "mail", "--format", "xml")
    assert "csv" in said
    assert "json" in said


def test_no_code_and_no_words_of_a_mail_are_exported(terminal: Terminal) -> None:
    application = terminal.submitted()
    steps = terminal.asked(application)
    codes = [terminal.code(step) for step in steps] + [terminal.coordinators_code(application)]
    exported = "".join(terminal.run("export", what).stdout for what in exports.EXPORTS)
    assert COORDINATOR in exported
    assert not [code for code in codes if code in exported]
    columns: list[Any] = [exports.export_columns(what) for what in exports.EXPORTS]
    assert not {"context", "content", "code_hash"} & {name for names in columns for name in names}
    assert json.dumps(columns)


# As one person sees it ---------------------------------------------------------------------------------------


def test_an_export_as_somebody_has_what_they_may_see_and_no_number_of_what_they_may_not(
    terminal: Terminal,
) -> None:
    application = terminal.submitted()
    first, second = terminal.asked(application)
    who = terminal.step(first).assignee
    assert [one["id"] for one in terminal.json("export", "applications", "--as", who)] == [application]
    assert {one["to_address"] for one in terminal.json("export", "mail", "--as", who)} == {who}
    assert terminal.step(second).assignee not in terminal.run("export", "mail", "--as", who).stdout
    assert terminal.json("export", "applications", "--as", "nss@pt.example") == []
    everything = terminal.json("export", "journal")
    theirs = terminal.json("export", "journal", "--as", COORDINATOR)
    assert len(everything) == len(theirs)
    assert {one["id"] for one in theirs} == {None}
    assert "Nobody in the registry" in terminal.fails(4, "export", "mail", "--as", "nobody@nowhere.example")


def test_the_journal_as_somebody_is_their_entries_and_proves_nothing(terminal: Terminal) -> None:
    terminal.asked(terminal.submitted())
    theirs = terminal.json("journal", "--as", COORDINATOR)
    exported = terminal.json("export", "journal", "--as", COORDINATOR)
    assert [(one["at"], one["what"]) for one in theirs] == [(one["at"], one["what"]) for one in exported]
    assert "submitted" in terminal.run("journal", "--as", COORDINATOR).stdout
    for option in (["--verify"], ["--head", "1-" + "0" * 64], ["--export", "journal.jsonl"]):
        assert "leave out --as" in terminal.fails(2, "journal", "--as", COORDINATOR, *option)


def test_a_year_is_there_for_coordinators_and_for_nobody_else(terminal: Terminal) -> None:
    said = terminal.fails(4, "cycle", "2026", "--as", TEACHER)
    assert "There is no cycle 2026." in said
    assert said.replace("2026", "2011") == terminal.fails(4, "cycle", "2011", "--as", TEACHER)
    assert "leave out --as" in terminal.fails(2, "cycle", "2026", "--check", "--as", COORDINATOR)
