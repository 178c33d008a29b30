"""The home is its owner's alone: nobody else on the machine reads a record, a mail, a document or a key."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.documents.opening import open_store
from adapters.home import OTHERS, hold, repair
from labels.settings import PROJECT, Settings


def open_to_others(home: Path) -> list[str]:
    everything = [home, *home.rglob("*")]
    return [str(path.relative_to(home)) for path in everything if path.lstat().st_mode & OTHERS]


def labels(home: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """A command in a shell of whose files everybody may read."""
    environment = os.environ | {"LABELS_HOME": str(home), "LABELS_ENV_FILE": ""}
    program = "import os, sys; os.umask(0o022); import cli; sys.argv[1:] = sys.argv[1:]; cli.main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        input=given,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=environment,
    )


@pytest.mark.slow
def test_whatever_the_shells_mask_a_command_makes_nothing_that_others_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = labels(home, "import", "examples/registry")
    assert done.returncode == 0, done.stderr
    code = labels(home, "code", "NQL-1", "--as", "nobody@nowhere.example")
    assert code.returncode == 4
    assert (home / "record.db").exists()
    assert open_to_others(home) == []


def test_documents_and_mail_are_their_owners_alone(settings: Settings) -> None:
    store = open_store(settings)
    former = os.umask(0o022)
    try:
        key = store.put(b"A pupil's photograph.", "image/png")
    finally:
        os.umask(former)
    path = settings.home / "documents" / key
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert not path.parent.stat().st_mode & OTHERS


def test_what_an_earlier_version_left_open_is_closed_on_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "mail").mkdir(parents=True, mode=0o755)
    letter, elsewhere = home / "mail" / "a.eml", tmp_path / "elsewhere"
    letter.write_text("Your code is …")
    elsewhere.write_text("Not ours.")
    for path in (home, home / "mail", letter, elsewhere):
        path.chmod(0o755)
    (home / "link").symlink_to(elsewhere)
    assert repair(home) == 3
    assert [path for path in open_to_others(home) if path != "link"] == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755, "what a link leads to is left alone"
    assert repair(home) == 0


def test_a_folder_that_others_share_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    hold(shared)
    assert repair(shared) == 0
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
