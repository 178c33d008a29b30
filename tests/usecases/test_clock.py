"""A clock that runs backwards is told: by whatever looks after the record, by its list of what is stuck, and by the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

import labels.clock
import tasks.upkeep
from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.clock import ClockWatch, frozen_clock
from labels.mending import SetClock
from labels.record import Record, chain, sealing
from labels.record.journal import SYSTEM, Event, entry
from labels.record.rows import write
from labels.record.schema import Journal
from labels.settings import Settings
from labels.turn import Turn
from labels.views.stuck import Problem
from tests.support.people import KEY, NOW
from usecases.sealing import export_journal, verify_journal
from usecases.upkeep import clock_ran_backwards, keep_up, look_for_stuck

LATER = NOW + timedelta(hours=5)


@pytest.fixture
def at(settings: Settings, record: Record) -> Callable[[datetime], Workspace]:
    """The same record at another time, as its machine's clock says."""
    here = Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))
    return lambda now: replace(here, clock=frozen_clock(now))


def written(here: Workspace, *, and_sealed: bool = False) -> Workspace:
    """Something happens at that time."""
    with here.record.writing() as session:
        write(session, Journal, entry(Turn(session, here.now(), KEY), None, SYSTEM, Event.CLOSED))
    if and_sealed:
        sealing.seal(here.record, now=here.now())
    return here


def test_a_clock_that_goes_on_is_nothing_to_tell_of(at: Callable[[datetime], Workspace]) -> None:
    assert clock_ran_backwards(at(NOW)) == "", "of an empty record"
    written(at(NOW), and_sealed=True)
    assert clock_ran_backwards(at(LATER)) == ""
    assert clock_ran_backwards(at(NOW - timedelta(seconds=59))) == "", "machines differ by so much"


@pytest.mark.parametrize("sealed", [True, False])
def test_a_clock_that_was_put_back_is_told_until_it_is_set_right(
    at: Callable[[datetime], Workspace], sealed: bool
) -> None:
    written(at(LATER), and_sealed=sealed)
    assert "it runs backwards" in clock_ran_backwards(at(NOW))
    written(at(NOW))
    assert "it runs backwards" in clock_ran_backwards(at(NOW)), "though the last entry is of its own time"
    sealing.seal(at(NOW).record, now=NOW)
    written(at(NOW + timedelta(hours=1)), and_sealed=True)
    said = clock_ran_backwards(at(NOW + timedelta(hours=1)))
    assert (
        "The clock says 2026-03-16 11:00 (Brussels), but the journal was written to at 2026-03-16 15:00"
        in said
    )
    assert clock_ran_backwards(at(LATER)) == ""


def test_upkeep_and_the_list_of_what_is_stuck_tell_it(
    at: Callable[[datetime], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(at(LATER), and_sealed=True)
    here = at(NOW)
    [stuck] = [one for one in look_for_stuck(here) if one.problem is Problem.CLOCK]
    assert (stuck.subject, stuck.mend) == ("clock", SetClock())
    assert "it runs backwards" in stuck.reason
    assert keep_up(here).wrong == (stuck.reason,)
    monkeypatch.setattr(tasks.upkeep, "workspace", lambda: here)
    with disable_run_logger():
        assert tasks.upkeep.look_at_the_clock.fn() == stuck.reason
    assert not [one for one in look_for_stuck(at(LATER)) if one.problem is Problem.CLOCK]


def test_labels_up_notices_a_clock_that_is_put_back_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [NOW]
    monkeypatch.setattr(labels.clock, "wall_clock", lambda: shown[0])
    monkeypatch.setattr(labels.clock, "monotonic", lambda: 1000.0)
    watch = ClockWatch()
    assert watch.step_back() is None
    shown[0] = NOW - timedelta(hours=2)
    assert watch.step_back() == timedelta(hours=2)
    assert watch.step_back() is None, "it is told once"
    shown[0] = LATER
    assert watch.step_back() is None, "it was set right"


def test_the_journal_says_where_the_clock_had_been_put_back_and_is_as_it_was_written(
    at: Callable[[datetime], Workspace], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(at(LATER), and_sealed=True)
    written(at(NOW), and_sealed=True)
    written(at(NOW + timedelta(minutes=1)))
    state = verify_journal(at(NOW), [])
    assert state.findings == []
    [said] = state.put_back
    assert said.startswith("entry 2 (closed, 2026-03-16 09:00 UTC): the clock was put back by 5:00:00")
    export_journal(at(NOW), tmp_path / "journal.jsonl")
    assert chain.main([str(tmp_path / "journal.jsonl")]) == 0
    assert said in capsys.readouterr().err
