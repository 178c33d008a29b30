"""Devices and pipes in the place of files: every command that takes a file says what they are, and ends."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.support.patience import PATIENCE
from tests.support.people import application_file

COMMANDS = {
    "submit": ["submit", "FILE"],
    "submit, its evidence": ["submit", "APPLICATION", "--evidence", "FILE"],
    "answer": ["answer", "STEP-1", "FILE", "--as", "a@b.example", "--code", "2222"],
    "appeal": ["appeal", "NQL-1", "--grounds", "FILE", "--as", "a@b.example", "--code", "2222"],
    "pupils": ["pupils", "NQL-1", "FILE", "OUT", "--as", "a@b.example", "--code", "2222"],
    "draft": ["draft", "STEP-1", "FILE", "--as", "a@b.example", "--code", "2222"],
    "verify": ["verify", "FILE"],
    "import": ["import", "FOLDER"],
    "rules": ["rules", "FOLDER"],
    "branding": ["branding", "FOLDER"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", ["/dev/zero", "a pipe"])
def test_a_device_or_a_pipe_is_told_and_not_read(
    terminal: Terminal, tmp_path: Path, kind: str, name: str
) -> None:
    file = kind
    if kind == "a pipe":
        file = str(tmp_path / "pipe")
        os.mkfifo(file)
    folder = tmp_path / "folder"
    (folder / "2026").mkdir(parents=True)
    tables = ("organisations.csv", "schools.csv", "teachers.csv", "projects.csv", "staff.csv")
    for inside in (*tables, "2026/default.yaml", "certificate.png"):
        (folder / inside).symlink_to(file)
    places = {
        "FILE": file,
        "FOLDER": str(folder),
        "OUT": str(tmp_path / "out"),
        "APPLICATION": terminal.file("application.json", application_file()),
    }
    ended = []
    words = [places.get(word, word) for word in COMMANDS[name]]
    command = threading.Thread(target=lambda: ended.append(terminal.run(*words)), daemon=True)
    command.start()
    command.join(PATIENCE)
    assert ended, "it reads without an end"
    assert ended[0].exit_code in (2, 4), ended[0].output
