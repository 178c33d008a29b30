"""An agency that puts its own emblem into a folder is told what they have, shown it, or told what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from cli.services import run_services
from labels.errors import InvalidInput
from tests.cli.conftest import Terminal
from tests.support.typed import typed

EMBLEM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'


@pytest.fixture
def emblem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An emblem of NSS-PL's own."""
    path = tmp_path / "branding" / "NSS-PL" / "art" / "emblem-national.svg"
    path.parent.mkdir(parents=True)
    path.write_text(EMBLEM)
    monkeypatch.setenv("LABELS_BRANDING", str(tmp_path / "branding"))
    monkeypatch.setenv("LABELS_ENV_FILE", "")
    monkeypatch.setenv("LABELS_HOME", str(tmp_path / "home"))
    return path


def run(*words: str) -> typer.testing.Result:
    return typed("branding", *words)


def test_who_has_what(emblem: Path) -> None:
    told = json.loads(run("--json").stdout)
    assert told == [{"organisation": "NSS-PL", "drawings": ["emblem-national"], "languages": [], "texts": 0}]


@pytest.mark.slow
def test_specimens_of_every_certificate_and_a_letter(emblem: Path, tmp_path: Path) -> None:
    result = run("NSS-PL", "--specimens", str(tmp_path / "out"), "--language", "pl")
    assert result.exit_code == 0, result.stderr
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == [
        "certificate-european.pdf", "certificate-national.pdf", "certificate-pupil.pdf", "certificate-school.pdf",
        "letter.pdf",
    ]  # fmt: skip


def test_a_fault_is_named_and_keeps_the_services_from_starting(emblem: Path) -> None:
    emblem.write_text(EMBLEM.replace("circle", "image"))
    result = run()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "NSS-PL/art/emblem-national.svg" in result.stderr
    with pytest.raises(InvalidInput, match="emblem-national"):
        run_services()


def test_a_language_without_papers_is_refused(emblem: Path, tmp_path: Path) -> None:
    result = run("NSS-PL", "--specimens", str(tmp_path), "--language", "zz")
    assert result.exit_code == 2
    assert "--language" in result.stderr


def test_an_organisation_that_nobody_has_gets_no_specimens(
    terminal: Terminal, emblem: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = terminal.fails(4, "branding", "NSS-PLL", "--specimens", str(out))
    assert "There is no organisation NSS-PLL. Is NSS-PL meant?" in said
    assert not out.exists()
    (emblem.parent.parent.parent / "NSS-PX").mkdir()
    assert "NSS-PX/: is no organisation of the record" in terminal.fails(2, "branding")


def test_before_there_is_a_record_an_organisation_with_a_folder_is_known(
    emblem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS_HOME", str(tmp_path / "nowhere"))
    assert run("NSS-XX", "--specimens", str(tmp_path / "out")).exit_code == 4
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "out").exists()
