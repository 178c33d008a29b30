"""A made-up registry: always the same, of any size, and sound."""

from __future__ import annotations

import csv
import tracemalloc
import unicodedata
from pathlib import Path

import pytest

from benchmarks.registry_generator import LAST_DAY, generate_registry
from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.registry.files import registry_files
from labels.registry.importing import import_registry


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_makes_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate_registry(tmp_path / name, teachers=200, schools=100, projects=50, seed=seed)
    first, again, other = (bytes_of(tmp_path / name) for name in "abc")
    assert first == again
    assert first["teachers.csv"] != other["teachers.csv"]
    assert set(first) == {file.name for file in registry_files(LAST_DAY)}


@pytest.mark.parametrize(("teachers", "schools", "projects"), [(0, 0, 0), (2, 1, 3), (700, 400, 300)])
def test_a_made_up_registry_can_be_imported(
    record: Record, tmp_path: Path, teachers: int, schools: int, projects: int
) -> None:
    counts = generate_registry(tmp_path / "r", teachers=teachers, schools=schools, projects=projects)
    assert (counts["teachers.csv"], counts["schools.csv"], counts["projects.csv"]) == (
        teachers,
        schools,
        projects,
    )
    report = import_registry(record, tmp_path / "r", LAST_DAY)
    assert report.files == counts
    assert report.inserted == report.rows
    again = import_registry(record, tmp_path / "r", LAST_DAY)
    assert (again.inserted, again.updated) == (0, 0)


def test_it_holds_what_registries_hold(tmp_path: Path) -> None:
    counts = generate_registry(tmp_path, teachers=2000, schools=500, projects=500)
    assert all(counts.values())
    with (tmp_path / "teachers.csv").open(encoding="utf-8", newline="") as stream:
        names = "".join(row["name"] for row in csv.DictReader(stream))
    for script in ("GREEK", "CYRILLIC", "GEORGIAN", "ARMENIAN", "ARABIC", "LATIN"):
        assert any(unicodedata.name(letter, "").startswith(script) for letter in set(names)), script
    with (tmp_path / "awards.csv").open(encoding="utf-8", newline="") as stream:
        assert {row["label"] for row in csv.DictReader(stream)} == {"national", "european", "school"}
    founders: dict[str, int] = {}
    with (tmp_path / "members.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            founders[row["project"]] = founders.get(row["project"], 0) + (row["role"] == "founder")
    assert set(founders.values()) == {2}
    assert len(founders) == 500


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for size in (200, 2000):
        tracemalloc.start()
        generate_registry(tmp_path, teachers=size, schools=size, projects=size)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_numbers_that_cannot_be_are_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        generate_registry(tmp_path / "r", teachers=1, schools=0, projects=-1)
    assert [fault.where for fault in refused.value.faults] == ["projects", "schools"]
    with pytest.raises(InvalidInput, match="founded by two"):
        generate_registry(tmp_path / "r", teachers=1, schools=1, projects=1)
    assert not (tmp_path / "r").exists()
