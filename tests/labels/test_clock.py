"""Clocks: an instant in a file is the same to every process that looks there, and a day that is played has an end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import labels.clock
from labels.clock import brussels_day, read_deadline
from labels.errors import InvalidInput
from labels.settings import Settings


def test_a_clock_in_a_file_shows_what_is_written_there_now(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    settings = Settings(_env_file=None, home=tmp_path, clock_file=file)
    for instant in (datetime(2027, 1, 15, 5, tzinfo=UTC), datetime(2027, 6, 30, 21, 59, 59, tzinfo=UTC)):
        file.write_text(str(instant))
        assert settings.clock() == instant
    assert settings.exported()["LABELS_CLOCK_FILE"] == str(file)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2027-01-15T05:00:00+00:00\n", datetime(2027, 1, 15, 5, tzinfo=UTC)),
        ("\ufeff 2027-01-15 05:00Z \r\n", datetime(2027, 1, 15, 5, tzinfo=UTC)),
        (
            "2027-01-15 06:00\n",
            datetime(2027, 1, 15, 5, tzinfo=UTC),
        ),  # Brussels, like every date without a zone
    ],
)
def test_an_instant_in_a_file_may_have_a_line_end_and_no_zone(
    tmp_path: Path, written: str, shown: datetime
) -> None:
    (tmp_path / "clock").write_text(written, "utf-8", newline="")
    assert Settings(_env_file=None, home=tmp_path, clock_file=tmp_path / "clock").clock() == shown


@pytest.mark.parametrize("written", [None, "", "soon\n", "\xff", "9999-12-31T23:59:59-23:00"])
def test_a_clock_file_that_is_absent_or_says_no_time_is_named_with_what_belongs_into_it(
    tmp_path: Path, written: str | None
) -> None:
    if written is not None:
        (tmp_path / "clock").write_bytes(written.encode("latin-1"))
    clock = Settings(_env_file=None, home=tmp_path, clock_file=tmp_path / "clock").clock
    with pytest.raises(InvalidInput, match=r"LABELS_CLOCK_FILE: .*clock .* Write one into it, such as 2026-"):
        clock()


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


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-04-20", datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)),
        ("20260420", datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)),
        (" 2026-04-20 ", datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)),
        ("2026-W17-1", datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)),
        ("2026-04-20T12:00", datetime(2026, 4, 20, 10, tzinfo=UTC)),
        ("20260420T1200", datetime(2026, 4, 20, 10, tzinfo=UTC)),
        ("2026-04-20 12:00Z", datetime(2026, 4, 20, 12, tzinfo=UTC)),
    ],
)
def test_a_day_is_meant_to_its_end_however_it_is_written(typed: str, meant: datetime) -> None:
    assert read_deadline(typed) == meant
