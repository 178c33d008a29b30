"""`labels backup` and `labels restore` as an operator types them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapters.workspace import workspace
from labels.record.engine import close_records
from labels.record.schema import Teacher
from tests.cli.conftest import Terminal


def lost(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine is gone; another one has an empty home."""
    home = terminal.folder.parent / "new-home"
    close_records()
    workspace.cache_clear()
    shutil.rmtree(terminal.folder.parent / "home")
    monkeypatch.setenv("LABELS_HOME", str(home))
    return home


def test_after_the_loss_of_the_machine_everything_is_there_again(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    before = terminal.json("show", application)
    done = terminal.run("backup", "copies")
    assert (done.exit_code, "Everything is kept." in done.stderr) == (0, True)
    lost(terminal, monkeypatch)
    done = terminal.run("restore", "copies")
    assert done.exit_code == 0, done.output
    assert "1 applications, " in done.stdout
    assert "The journal is as it was written." in done.stderr
    assert terminal.json("show", application) == before


def test_a_restore_says_who_was_erased_since_and_is_erased_again_or_why_not(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.submitted()
    terminal.run("backup", "copies")
    plan = terminal.json("privacy", "erase", "T-3")
    assert (
        terminal.run("privacy", "erase", "T-3", "--plan", plan["plan"], "--reason", "Asked.").exit_code == 0
    )
    noted = terminal.here.settings.erasures_file.read_text()
    person = plan["person"]
    with terminal.here.record.reading() as session:
        applicant = session.get_one(Teacher, "T-1").person
    home = lost(terminal, monkeypatch)
    home.mkdir(mode=0o700)
    (home / "erasures.txt").write_text(noted)
    told = terminal.json("restore", "copies")["again"]
    assert [(one["person"], one["left_because"]) for one in told] == [(person, "")]
    lost_again = home.parent / "third-home"
    lost_again.mkdir(mode=0o700)
    (lost_again / "erasures.txt").write_text(noted.replace(person, applicant))
    monkeypatch.setenv("LABELS_HOME", str(lost_again))
    workspace.cache_clear()
    done = terminal.run("restore", "copies")
    assert done.exit_code == 3
    assert f"{applicant}, erased on" in done.stderr
    assert "is still open" in done.stderr


def test_copies_are_listed_with_what_they_are_of(terminal: Terminal) -> None:
    assert terminal.json("restore", "copies", "--list") == []
    made = terminal.json("backup", "copies")["copy"]
    [listed] = terminal.json("restore", "copies", "--list")
    assert listed == made
    assert made["name"] in terminal.run("restore", "copies", "--list").stdout


def test_keys_are_refused_among_the_copies(terminal: Terminal) -> None:
    said = terminal.fails(2, "backup", "copies", "--keys", "copies/keys")
    assert "is in the place of the copies" in said
    assert not Path("copies/keys").exists()


def test_a_missing_document_is_named_with_exit_code_six(terminal: Terminal) -> None:
    terminal.submitted()
    documents = terminal.here.settings.home / "documents"
    [file] = [path for path in documents.rglob("*") if path.is_file()]
    file.unlink()
    done = terminal.run("backup", "copies")
    assert done.exit_code == 6
    assert file.name in done.stderr


def test_a_record_in_use_is_never_overwritten(terminal: Terminal) -> None:
    terminal.run("backup", "copies")
    assert "There is a record here already" in terminal.fails(3, "restore", "copies")
