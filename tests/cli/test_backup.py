"""`labels backup` and `labels restore` as an operator types them."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

import cli.hosting
import cli.services
from adapters.roles import Role
from adapters.workspace import workspace
from labels.errors import NotAllowed
from labels.record.engine import close_records
from labels.record.installation import installation
from labels.record.schema import Teacher
from labels.settings import load_settings
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


@pytest.mark.slow
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
    assert f"labels privacy defer {applicant} --reason" in done.stderr
    with pytest.raises(NotAllowed, match="Nothing is started"), started():
        pass
    assert terminal.run("privacy", "defer", applicant, "--reason", "—").exit_code == 2
    said = terminal.run("privacy", "defer", applicant, "--reason", "It is decided first.")
    assert (said.exit_code, "labels up starts now" in said.stderr) == (0, True)
    monkeypatch.setattr(cli.services, "child_environment", stopped)
    with pytest.raises(Stopped), started():
        pass
    said = terminal.run("privacy", "defer", "T-2", "--reason", "Nobody erased them.")
    assert (said.exit_code, "No erasure of" in said.stderr) == (3, True)


class Stopped(Exception):
    """The services would begin here."""


def stopped(*_: Any) -> None:
    raise Stopped


def started() -> contextlib.AbstractContextManager[Any]:
    return cli.services.services(load_settings(), cli.services.free_port(), cli.services.free_port())


def test_hosts_of_one_role_start_nothing_either_while_somebody_who_was_erased_is_back(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.submitted()
    here = terminal.here
    with here.record.reading() as session:
        of, applicant = installation(session).name, session.get_one(Teacher, "T-1").person
    here.settings.erasures_file.write_text(
        f"erasure/0011223344556677 {applicant} {of} 2026-03-01T00:00:00+00:00\n"
    )
    monkeypatch.setattr(cli.hosting, "see_that_nothing_is_missing", lambda *_: None)
    with (
        pytest.raises(NotAllowed, match="Nothing is started"),
        cli.hosting.host(load_settings(), frozenset({Role.WORKER}), threading.Event()),
    ):
        pass


def test_a_damaged_register_of_erasures_is_named_and_a_copy_is_made_and_restored_all_the_same(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = terminal.submitted()
    register = terminal.here.settings.erasures_file
    register.write_text("erasure/0011223344556677 PER-T\n")
    done = terminal.run("backup", "copies")
    assert done.exit_code == 6
    assert f"{register}:1" in " ".join(done.stderr.split())
    [copy] = terminal.json("restore", "copies", "--list")
    lost(terminal, monkeypatch)
    done = terminal.run("restore", "copies")
    assert done.exit_code == 6
    assert f"records/{copy['name']}/erasures.txt:1" in " ".join(done.stderr.split())
    assert terminal.run("show", application).exit_code == 0


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
