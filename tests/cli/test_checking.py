"""`labels check` as an operator types it."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def test_a_whole_installation_is_whole_and_stays_as_it_is(terminal: Terminal) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    before = terminal.everything()
    done = terminal.run("check", "--documents")
    assert (done.exit_code, done.stderr.strip()) == (0, "Everything is whole.")
    assert done.stdout.startswith("1 documents and ")
    assert terminal.everything() == before


def test_documents_that_are_gone_or_damaged_are_named_with_exit_code_six(terminal: Terminal) -> None:
    terminal.submitted()
    documents = terminal.here.settings.home / "documents"
    [file] = [path for path in documents.rglob("*") if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(b"something else")
    assert terminal.run("check").exit_code == 0, "only --documents reads them"
    done = terminal.run("check", "--documents", "--json")
    assert done.exit_code == 6
    assert "it is damaged in " in done.stdout
    file.unlink()
    done = terminal.run("check", "--json")
    assert done.exit_code == 6
    assert file.name in done.stdout
    assert "it is not in " in done.stderr
