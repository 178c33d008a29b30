"""Clocks: an instant in a file is the same to every process that looks there, and a day that is played has an end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import labels.clock
from labels.clock import brussels_day
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


@pytest.mark.parametrize("real", [datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_a_day_that_is_played_across_midnight_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real: datetime
) -> None:
    """Also in the night in which clocks are put back."""
    day = date(2026, 3, 16)
    settings = Settings(_env_file=None, home=tmp_path, today=day, today_since=brussels_day(real))
    shown = []
    for hour in range(48):
        monkeypatch.setattr(labels.clock, "wall_clock", lambda hour=hour: real + timedelta(hours=hour))
        shown.append(settings.clock())
    assert brussels_day(shown[0]) == day
    assert {after - before for before, after in pairwise(shown)} == {timedelta(hours=1)}
    assert brussels_day(shown[-1]) in (day + timedelta(days=1), day + timedelta(days=2))
