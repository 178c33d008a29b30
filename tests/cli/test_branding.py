"""An agency that puts its own emblem into a folder is told what they have, shown it, or told what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.testing

from cli.services import run_services
from labels.errors import InvalidInput
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
    return path


def run(*words: str) -> typer.testing.Result:
    return typed("branding", *words)


def test_who_has_what(emblem: Path) -> None:
    told = json.loads(run("--json").stdout)
    assert told == [{"organisation": "NSS-PL", "drawings": ["emblem-national"], "languages": [], "texts": 0}]


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
