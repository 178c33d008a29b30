"""Settings come from the environment and a file, and are read again where any of that has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from labels.errors import InvalidInput
from labels.settings import load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a process is in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABELS_ENV_FILE", raising=False)
    return tmp_path


def test_a_variable_goes_before_the_file_and_both_before_what_is_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().smtp_url == ""
    (folder / ".env").write_text("LABELS_SMTP_URL=smtp://file.example\n", "utf-8")
    assert load_settings().smtp_url == "smtp://file.example"
    monkeypatch.setenv("LABELS_SMTP_URL", "smtp://variable.example")
    assert load_settings().smtp_url == "smtp://variable.example"
    monkeypatch.delenv("LABELS_SMTP_URL")
    (folder / ".env").write_text("LABELS_SMTP_URL=smtp://other.example\n", "utf-8")
    assert load_settings().smtp_url == "smtp://other.example"
    (folder / ".env").unlink()
    assert load_settings().smtp_url == ""


def test_another_file_can_be_named_and_none_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("LABELS_SITE_URL=http://here.example\n", "utf-8")
    (folder / "other").write_text("LABELS_SITE_URL=http://there.example\n", "utf-8")
    monkeypatch.setenv("LABELS_ENV_FILE", "other")
    assert load_settings().site_url == "http://there.example"
    monkeypatch.setenv("LABELS_ENV_FILE", "")
    assert load_settings().site_url == "http://127.0.0.1:4200"


def test_a_folder_is_meant_from_where_the_process_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().home == folder / ".labels"
    (folder / "desk").mkdir()
    monkeypatch.chdir(folder / "desk")
    assert load_settings().home == folder / "desk" / ".labels"


def test_a_value_that_is_not_understood_is_named_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS_TODAY", "tomorrow")
    for _ in range(2):
        with pytest.raises(InvalidInput, match="LABELS_TODAY"):
            load_settings()
