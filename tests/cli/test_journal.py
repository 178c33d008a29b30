"""`labels journal` as an operator types it: what it answers, its exit codes, and the file for a verifier elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.record import chain
from tests.cli.conftest import Terminal
from tests.cli.test_verify import judged


@pytest.fixture
def decided(terminal: Terminal) -> Terminal:
    judged(terminal, 4, "Well done.")
    return terminal


def test_upkeep_seals_the_journal_and_notes_its_head_outside_the_record(decided: Terminal) -> None:
    before = decided.json("journal")
    assert (before["sealed"], before["findings"]) == (0, [])
    sealed = decided.json("upkeep")["sealed"]
    assert sealed >= before["entries"]
    after = decided.json("journal", "--verify")
    assert (after["sealed"], after["findings"]) == (sealed, [])
    noted = decided.here.settings.heads_file
    assert noted.stat().st_mode & 0o777 == 0o600
    assert noted.read_text().startswith(f"{after['head']}  2026-03-16 ")
    decided.json("upkeep")
    assert len(noted.read_text().splitlines()) == 1


def test_a_changed_review_ends_with_exit_code_six_and_is_named(decided: Terminal) -> None:
    with decided.here.record.writing() as session:
        session.execute(sa.text("UPDATE review SET comment = 'Bad.'"))
    result = decided.run("journal", "--verify")
    assert result.exit_code == 6
    assert "review/" in result.stderr
    assert "is not as entry" in result.stderr
    assert decided.run("journal").exit_code == 0, "only who asks for it gets an exit code"


def test_an_older_copy_of_the_record_is_told_by_the_heads_outside_it(decided: Terminal) -> None:
    decided.json("upkeep")
    noted = decided.here.settings.heads_file
    position, _, digits = noted.read_text().split("  ")[0].partition("-")
    with noted.open("a") as file:
        file.write(f"{int(position) + 5}-{digits[::-1]}  2026-03-17 10:00\n")
    result = decided.run("journal", "--verify")
    assert result.exit_code == 6
    assert "an older copy of the record" in result.stderr


def test_a_head_from_a_letter_is_compared_and_what_is_none_is_told(decided: Terminal) -> None:
    decided.json("upkeep")
    head = decided.json("journal")["head"]
    assert decided.run("journal", "--verify", "--head", f" {head[:24].upper()} ").exit_code == 0
    wrong = f"{head.partition('-')[0]}-{'0' * 16}"
    assert decided.run("journal", "--verify", "--head", wrong).exit_code == 6
    result = decided.run("journal", "--head", "yesterday's")
    assert result.exit_code == 2
    assert "is no head" in result.stderr


def test_an_export_is_what_the_verifier_reads(decided: Terminal, tmp_path: Path) -> None:
    decided.json("upkeep")
    export = tmp_path / "journal.jsonl"
    assert decided.run("journal", "--export", str(export)).exit_code == 0
    assert export.stat().st_mode & 0o777 == 0o600, "it has everybody's addresses"
    assert chain.main([str(export), decided.json("journal")["head"]]) == 0
