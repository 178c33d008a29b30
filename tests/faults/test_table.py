"""The table of faults names the test of each, and every fault that is tested."""

from __future__ import annotations

import re

import pytest

from labels.settings import PROJECT

TABLE = (PROJECT / "docs" / "faults.md").read_text("utf-8")


def named() -> list[tuple[str, str]]:
    """The files of tests that the table names, each with the tests in it: empty for the whole file."""
    found, file = [], ""
    for line in TABLE.splitlines():
        cells = line.split(" | ")
        if not line.startswith("| ") or len(cells) != 4 or cells[0] == "| fault":
            continue
        for one in re.findall(r"`([^`]+)`", cells[3]):
            if one.startswith("tests/"):
                file, one = one, ""
            found.append((file, one))
    return found


@pytest.mark.parametrize(("file", "test"), named())
def test_each_fault_has_the_test_that_the_table_names(file: str, test: str) -> None:
    text = (PROJECT / file).read_text("utf-8")
    if test.startswith("…"):
        assert re.search(rf"^def test_\w*{test.strip('…')}\w*\(", text, re.MULTILINE)
    elif test:
        assert f'"{test}"' in text or f"class {test}:" in text


def test_the_table_has_every_fault_that_is_tested() -> None:
    files = {f"tests/faults/{one.name}" for one in (PROJECT / "tests" / "faults").glob("test_*.py")}
    assert files - {"tests/faults/test_table.py"} <= {file for file, _ in named()}
