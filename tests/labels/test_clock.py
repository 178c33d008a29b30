"""Clocks: an instant in a file is the same to every process that looks there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from labels.settings import Settings


def test_a_clock_in_a_file_shows_what_is_written_there_now(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    settings = Settings(_env_file=None, home=tmp_path, clock_file=file)
    for instant in (datetime(2027, 1, 15, 5, tzinfo=UTC), datetime(2027, 6, 30, 21, 59, 59, tzinfo=UTC)):
        file.write_text(str(instant))
        assert settings.clock() == instant
    assert settings.exported()["LABELS_CLOCK_FILE"] == str(file)


def test_no_clock_file_is_the_machines_own_time(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, clock_file="")
    assert settings.clock_file is None
    assert abs((settings.clock() - datetime.now(UTC)).total_seconds()) < 60
