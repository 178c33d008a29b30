"""Devices, pipes and files without an end in the place of files: every command that takes or writes a file, and every
setting that names one, says what is wrong, and ends."""

from __future__ import annotations

import importlib
import itertools
import os
import stat
import threading
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.branding import check_branding
from adapters.mail.reports import read_folder
from adapters.papers.signing import former_keys, signer_of
from adapters.timestamps import look
from cli.app import TABLE, loaded
from labels.errors import InvalidInput
from labels.privacy.retention import periods
from labels.record import chain
from labels.rules.loading import check_all
from labels.settings import Settings, load_settings
from tests.cli.conftest import Terminal
from tests.support.patience import PATIENCE
from tests.support.people import application_file
from usecases.erasures import read_register
from usecases.sealing import noted_heads

PROOF = ["--as", "a@b.example", "--code", "2222"]
READ = {
    "submit file": ["submit", "FILE"],
    "submit --evidence": ["submit", "APPLICATION", "--evidence", "FILE"],
    "answer file": ["answer", "STEP-1", "FILE", *PROOF],
    "answer --evidence": ["answer", "STEP-1", "ANSWER", "--evidence", "FILE", *PROOF],
    "appeal --grounds": ["appeal", "NQL-1", "--grounds", "FILE", *PROOF],
    "pupils names": ["pupils", "NQL-1", "FILE", "OUT", *PROOF],
    "draft --evidence": ["draft", "STEP-1", "ANSWER", "--evidence", "FILE", *PROOF],
    "assign --wishes": ["assign", "NSS-PL", "--wishes", "FILE"],
    "many --file": ["many", "remind", "--file", "FILE"],
    "draft file": ["draft", "STEP-1", "FILE", *PROOF],
    "verify paper": ["verify", "FILE"],
    "import folder": ["import", "FOLDER"],
    "rules folder": ["rules", "FOLDER"],
    "rules --folder": ["rules", "NSS-PL", "--folder", "FOLDER"],
    "rehearse --rules": ["rehearse", "OUT", "--rules", "FOLDER"],
    "keys file": ["keys", "rotate", "signing", "FILE"],
}
"""Every parameter of a command that is a file or folder to read."""
WRITTEN = {
    "certificates folder": ["certificates", "2026", "FILE"],
    "gallery folder": ["gallery", "2026", "FILE"],
    "journal --export": ["journal", "--export", "FILE"],
    "list --file": ["list", "--file", "FILE.csv"],
    "statistics --file": ["statistics", "--file", "FILE.csv"],
    "backup --keys": ["backup", "COPIES", "--keys", "FILE"],
    "branding --specimens": ["branding", "--specimens", "FILE"],
    "privacy --to": ["privacy", "export", "t-1@school.example", "--to", "FILE"],
    "pupils folder": ["pupils", "NQL-1", "NAMES", "FILE", *PROOF],
    "rehearse folder": ["rehearse", "FILE"],
}
"""Every parameter that is a file or folder to write."""


def paths_of_commands() -> set[str]:
    """Every parameter of every command that is a path."""
    found = set()
    for row in TABLE:
        module, name = row.function.split(":")
        function = getattr(importlib.import_module(f"cli.{module}"), name)
        shown = {one.name: one for one in loaded(row.name).params}
        for parameter, kind in typing.get_type_hints(function).items():
            if Path in {
                kind,
                *typing.get_args(kind),
                *itertools.chain(*map(typing.get_args, typing.get_args(kind))),
            }:
                option = next((word for word in shown[parameter].opts if word.startswith("--")), None)
                found.add(f"{row.name} {option or parameter}")
    return found


def test_every_path_of_every_command_is_tried() -> None:
    by_name = {"verify paper", "rules folder"}  # which may be a code, or an organisation, too
    assert set(READ) | set(WRITTEN) == paths_of_commands() | by_name


@pytest.fixture(params=["/dev/zero", "a pipe", "a file without an end"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "/dev/zero":
        return Path("/dev/zero")
    return made(tmp_path / "hostile", request.param)


def made(path: Path, kind: str) -> Path:
    match kind:
        case "/dev/zero":
            path.symlink_to("/dev/zero")
        case "a pipe":
            os.mkfifo(path)
        case _:
            with path.open("wb") as file:
                file.truncate(1 << 40)
    return path


def ends(work: Callable[[], Any]) -> Any:
    """What some work comes to, which must not read without an end."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(work())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert ended, "it reads without an end"
    return ended[0]


def with_files(terminal: Terminal, words: list[str], file: Path, folder: Path) -> list[str]:
    places = {
        "FILE": str(file),
        "FOLDER": str(folder),
        "OUT": str(terminal.folder / "out"),
        "APPLICATION": terminal.file("application.json", application_file()),
        "ANSWER": terminal.file("answer.json", {"information": "All of them."}),
        "COPIES": str(terminal.folder / "copies"),
        "NAMES": terminal.file("names.csv", "Ala Kos\n"),
    }
    return [places.get(word, word) for word in words]


@pytest.mark.sampled
@pytest.mark.parametrize("name", READ)
def test_what_is_no_file_or_has_no_end_is_told_and_not_read(
    terminal: Terminal, tmp_path: Path, hostile: Path, name: str
) -> None:
    folder = tmp_path / "folder"
    (folder / "2026").mkdir(parents=True)
    tables = ("organisations.csv", "schools.csv", "teachers.csv", "projects.csv", "staff.csv")
    for inside in (*tables, "2026/default.yaml", "certificate.png"):
        (folder / inside).symlink_to(hostile)
    words = with_files(terminal, READ[name], hostile, folder)
    result = ends(lambda: terminal.run(*words))
    assert not isinstance(result, Exception), result
    assert result.exit_code in (2, 4) or "no paper that was issued here" in result.output, result.output


@pytest.mark.parametrize("kind", ["/dev/zero", "a pipe"])
@pytest.mark.parametrize("name", WRITTEN)
def test_no_command_writes_over_a_device_or_into_a_pipe(
    terminal: Terminal, tmp_path: Path, kind: str, name: str
) -> None:
    [ending] = {word[4:] for word in WRITTEN[name] if word.startswith("FILE")}
    file = made(tmp_path / f"there{ending}", kind)
    words = [str(file) if word.startswith("FILE") else word for word in WRITTEN[name]]
    before = file.stat()
    result = ends(lambda: terminal.run(*with_files(terminal, words, file, tmp_path)))
    assert not isinstance(result, Exception), result
    assert result.exit_code != 0, result.output
    after = file.stat()
    assert (after.st_ino, stat.S_IFMT(after.st_mode)) == (before.st_ino, stat.S_IFMT(before.st_mode))


# Settings -----------------------------------------------------------------------------------------


def settings(folder: Path, **values: Any) -> Settings:
    return Settings(_env_file=None, home=folder, secret="x", **values)


def a_year_of_rules(folder: Path, file: Path) -> Path:
    (folder / "rules" / "2026").mkdir(parents=True)
    (folder / "rules" / "2026" / "default.yaml").symlink_to(file)
    return folder / "rules"


def a_brand(folder: Path, file: Path) -> Path:
    (folder / "branding" / "NSS-PL").mkdir(parents=True)
    for name in ("certificate.svg", "en.po", "words.yaml"):
        (folder / "branding" / "NSS-PL" / name).symlink_to(file)
    return folder / "branding"


def env_file(folder: Path, file: Path) -> Any:
    os.environ["LABELS_ENV_FILE"] = str(file)
    try:
        return load_settings()
    finally:
        del os.environ["LABELS_ENV_FILE"]


SETTINGS: dict[str, Callable[[Path, Path], Any]] = {
    "signing_key": lambda folder, file: signer_of(settings(folder, signing_key=file)),
    "signing_chain": lambda folder, file: look(b"x", b"x", file),
    "signing_former": lambda folder, file: former_keys(settings(folder, signing_former=file)),
    "clock_file": lambda folder, file: settings(folder, clock_file=file).clock(),
    "journal_heads": lambda folder, file: noted_heads(settings(folder, journal_heads=file).heads_file),
    "bounces": lambda folder, file: list(read_folder(file)),
    "retention": lambda folder, file: periods(file),
    "branding": lambda folder, file: check_branding(a_brand(folder, file)),
    "rules": lambda folder, file: check_all(a_year_of_rules(folder, file)),
    "env_file": env_file,
}
"""Every setting that names a file or folder, and what reads it."""


def test_every_setting_that_names_a_file_is_tried() -> None:
    of_paths = {name for name, field in Settings.model_fields.items() if "Path" in str(field.annotation)}
    assert set(SETTINGS) == of_paths - {"home"} | {"env_file"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_names_no_file_or_one_without_an_end_is_told_and_not_read(
    tmp_path: Path, hostile: Path, name: str
) -> None:
    came_to = ends(lambda: SETTINGS[name](tmp_path, hostile))
    assert isinstance(came_to, InvalidInput | OSError) or came_to.problem, came_to


def test_the_register_of_erasures_reads_no_device_and_no_line_without_an_end(hostile: Path) -> None:
    came_to = ends(lambda: read_register(hostile))
    assert isinstance(came_to, InvalidInput) or came_to.damage, came_to


def test_the_verifier_of_an_export_reads_no_device_and_no_line_without_an_end(hostile: Path) -> None:
    assert ends(lambda: chain.main([str(hostile)])) == 2
