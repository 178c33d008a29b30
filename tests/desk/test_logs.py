"""What the desk logs: enough to mend a fault of ours, nothing of anybody, in lines that programs read, and in bounds."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import desk.frame
from adapters.logs import KEPT, keep_in_bounds, write_logs
from tests.cli.conftest import Terminal
from tests.desk.conftest import Browser

TEACHER = "t-1@school.example"
CANARY = "Kanarek Śpiewający"


@pytest.fixture
def root() -> Iterator[None]:
    """What this process logs is left as it was."""
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers


def logged(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, form: str) -> str:
    """What the desk logs of somebody who signs in, types a canary everywhere, and meets faults of ours that repeat it."""
    written = io.StringIO()
    write_logs("json" if form == "json" else "text", "desk", written)
    person = Browser(terminal.here).signs_in(TEACHER)

    def fails(account: object) -> None:
        try:
            raise LookupError(f"{CANARY} <{TEACHER}>")
        except LookupError as error:
            raise ValueError(f"{account} {CANARY}") from error

    monkeypatch.setattr(desk.frame, "first_place", fails)
    monkeypatch.setattr("desk.signing_in.first_place", fails)
    assert person.opens("/").status_code == 500
    person.sends("/sign-in", {"address": f"{CANARY}@school.example"})
    person.opens(f"/find?q={CANARY}")
    return written.getvalue()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_fault_is_logged_with_its_places_and_without_what_it_was_about(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    text = logged(terminal, monkeypatch, form)
    assert "ValueError" in text
    assert "LookupError" in text, "what it came from, too"
    assert "test_logs.py:" in text
    assert "500 GET / by PER-" in text
    unescaped = text.encode().decode("unicode_escape", "replace")
    for personal in (CANARY, "Kanarek", TEACHER, "t-1@"):
        assert personal not in text
        assert personal not in unescaped


@pytest.mark.usefixtures("root")
def test_each_line_for_programs_is_an_object_of_its_own(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.loads(line) for line in logged(terminal, monkeypatch, "json").splitlines()]
    [fault] = [one for one in lines if one["level"] == "ERROR"]
    assert (fault["part"], fault["logger"], fault["error"]) == ("desk", "desk", "ValueError")
    assert fault["at"].endswith("+00:00")
    assert fault["places"][-1] == "ValueError"


def test_a_log_that_has_grown_too_large_is_begun_anew_while_its_process_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "desk.log"
    with log.open("ab", buffering=0) as process:
        for number in range(KEPT + 3):
            process.write(b"%d" % number * 100)
            assert keep_in_bounds(log, largest=50)
            assert not keep_in_bounds(log, largest=50), "it is empty"
        process.write(b"goes on")
    assert log.read_bytes() == b"goes on"
    former = sorted(tmp_path.glob("desk.log.*"))
    assert [one.name for one in former] == [f"desk.log.{place}" for place in range(1, KEPT + 1)]
    assert former[0].read_bytes() == b"%d" % (KEPT + 2) * 100


def test_a_log_that_is_not_there_yet_is_in_bounds(tmp_path: Path) -> None:
    assert not keep_in_bounds(tmp_path / "desk.log")
