"""Labels that were taken back elsewhere, or imported by mistake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.clock import start_of_day
from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.record.schema import Award, Cycle, CycleLabel
from tests.support.case import open_case
from tests.support.moving_registry import MOVED, Registry


@pytest.fixture
def registry(record: Record, tmp_path: Path) -> Registry:
    return Registry(record, tmp_path / "registry")


def awards(revoked_on: str) -> str:
    header = "label,teacher,project,school,organisation,awarded_on,score,revoked_on\n"
    return f"{header}national,T-1,P-1,,NSS-PL,2025-09-10,24,{revoked_on}\n"


def revoked_at(registry: Registry) -> datetime | None:
    with registry.record.reading() as session:
        return session.scalars(sa.select(Award.revoked_at)).one()


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
def test_a_label_that_was_taken_back_elsewhere_counts_for_nobody(registry: Registry, filled: bool) -> None:
    if filled:
        registry.imported()
        assert registry.credited()
    registry.files["awards"] = awards("2026-01-10")
    registry.imported(MOVED)
    assert revoked_at(registry) == start_of_day(date(2026, 1, 10))
    assert registry.credited() == set()
    assert "labelled" not in registry.unmet(), "who lost it can apply again"
    report = registry.imported(MOVED)
    assert (report.updated, report.remarks) == (0, ())


def test_a_file_without_the_column_says_nothing_of_it(registry: Registry) -> None:
    before = registry.files["awards"]
    registry.files["awards"] = awards("2026-01-10")
    registry.imported(MOVED)
    registry.files["awards"] = before
    assert registry.imported(MOVED).remarks == ()
    assert revoked_at(registry) is not None


def test_what_was_said_by_mistake_is_taken_out_again_and_told(registry: Registry) -> None:
    registry.files["awards"] = awards("2026-01-10")
    registry.imported(MOVED)
    registry.files["awards"] = awards("2026-01-12")
    assert registry.imported(MOVED).remarks == ()
    assert revoked_at(registry) == start_of_day(date(2026, 1, 12))
    registry.files["awards"] = awards("")
    [told] = registry.imported(MOVED).remarks
    assert told.where == "awards.csv:2 · revoked_on"
    assert told.problem.endswith("was said to be taken back on 2026-01-12, and is no longer.")
    assert revoked_at(registry) is None
    assert registry.credited()


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
def test_a_label_is_not_taken_back_before_it_was_awarded(registry: Registry, filled: bool) -> None:
    if filled:
        registry.imported()
    registry.files["awards"] = awards("2025-09-09")
    with pytest.raises(InvalidInput, match="“2025-09-09” is before the day of the award, “2025-09-10”"):
        registry.imported(MOVED)


def test_a_label_that_was_taken_back_here_stays_so_whatever_a_file_says(registry: Registry) -> None:
    registry.imported()
    with registry.record.writing() as session:
        session.scalars(sa.select(Award)).one().revoked_at = datetime(2026, 2, 1, 12, tzinfo=UTC)
    registry.files["awards"] = awards("")
    [told] = registry.imported(MOVED).remarks
    assert told.problem.endswith("was taken back here on 2026-02-01, and stays so.")
    registry.files["awards"] = awards("2026-02-03")
    assert registry.imported(MOVED).remarks == ()
    assert revoked_at(registry) == datetime(2026, 2, 1, 12, tzinfo=UTC)


def test_a_label_on_which_a_year_rests_is_not_taken_back_by_a_file(registry: Registry) -> None:
    case = open_case(registry.record)
    with registry.record.writing() as session:
        session.add(
            Award(
                id="NQL-OLD",
                label="national",
                teacher="T-3",
                project="P-1",
                organisation="NSS-PL",
                awarded_on=date(2026, 3, 2),
            )
        )
        session.add(Cycle(year=2026, application=case.id, begins=date(2025, 10, 1), ends=date(2026, 9, 30)))
        session.flush()
        session.add(
            CycleLabel(
                year=2026, award="NQL-OLD", teacher="T-3", project="P-1", school="S-1", organisation="NSS-PL",
                country="PL", awarded_on=date(2026, 3, 2), ranked=True,
            )
        )  # fmt: skip
    header = "label,teacher,project,school,organisation,awarded_on,score,revoked_on\n"
    registry.files = {"awards": f"{header}national,T-3,P-1,,NSS-PL,2026-03-02,,2026-03-10\n"}
    [told] = registry.imported(MOVED).remarks
    assert "a year’s European Quality Label rests on it" in told.problem
    assert "a coordinator sees what hangs on NQL-OLD" in told.remedy
    assert revoked_at(registry) is None


def test_a_label_that_was_awarded_here_is_not_taken_back_by_a_file(registry: Registry) -> None:
    case = open_case(registry.record)
    with registry.record.writing() as session:
        session.add(
            Award(
                id=case.id, label="national", teacher="T-1", project="P-1", school="S-1", organisation="NSS-PL",
                awarded_on=date(2026, 3, 2),
            )
        )  # fmt: skip
    header = "label,teacher,project,school,organisation,awarded_on,score,revoked_on\n"
    registry.files = {"awards": f"{header}national,T-1,P-1,,NSS-PL,2026-03-02,,2026-03-10\n"}
    [told] = registry.imported(MOVED).remarks
    assert told.problem == f"{case.id} was awarded here, and is not taken back by a file."
    assert revoked_at(registry) is None
