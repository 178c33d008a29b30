"""The rules in force at the desk and in a terminal: each value with its source and place, and what open cases go by."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from labels.rules.loading import RULES, load_rules, placed
from labels.views.rules_in_force import values_of
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words

Opens = Callable[..., Browser]
TODAY = date(2026, 3, 16)


def test_every_value_in_force_stands_on_the_line_that_is_named() -> None:
    for organisation in ("NSS-PL", "NSS-FR", "NSS-XX"):
        found = placed(organisation, TODAY)
        in_force = values_of(load_rules(organisation, TODAY))
        assert {one.name for one in found} <= in_force.keys()
        for one in found:
            line = (RULES / one.file).read_text("utf-8").splitlines()[one.line - 1]
            assert line.strip().startswith(f"{one.name.rpartition('.')[2]}:"), (one, line)
            assert one.own == one.file.endswith(f"{organisation}.yaml")
    assert any(one.own for one in placed("NSS-FR", TODAY))


@pytest.fixture
def application(terminal: Terminal) -> str:
    application = terminal.submitted()
    terminal.asked(application)
    return application


@pytest.mark.slow
def test_a_coordinator_sees_every_value_with_its_source_and_place(
    browser: Opens, terminal: Terminal, application: str
) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    page = coordinator.opens("/rules")
    assert 'href="/rules"' in coordinator.opens("/overview").text
    assert "national.review.due_days" in words(page)
    assert "editions/2026/default.yaml:" in words(page)
    assert f"1 application, such as {application}" in words(page)
    assert "The rules of today." in words(page)
    assert coordinator.opens("/rules?organisation=NSS-PT").status_code == 404
    assert browser().signs_in(TEACHER).opens("/rules").status_code == 404


def test_a_changed_file_says_what_open_cases_go_by_instead(
    terminal: Terminal, application: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    default = folder / "editions" / "2026" / "default.yaml"
    text = default.read_text("utf-8")
    assert "due_days: {value: 15" in text
    default.write_text(text.replace("due_days: {value: 15", "due_days: {value: 20"), "utf-8")
    shown = terminal.json("rules", "NSS-PL", "--folder", str(folder))
    [kept] = shown["kept"]
    assert (kept["cases"], kept["first"]) == (1, application)
    own = [one for one in kept["differences"] if one["name"] == "national.review.due_days"]
    assert own == [{"name": "national.review.due_days", "kept": 15, "now": 20}]
    assert terminal.json("rules", "NSS-PL")["kept"][0]["differences"] == []
    case = terminal.json("rules", "--case", application)
    assert {"name": "national.review.due_days", "value": 15, "source": "assumption"} in case["values"]
    assert "due_days" in terminal.run("rules", "NSS-PL").stdout
    assert "no application NQL-X" in terminal.fails(4, "rules", "--case", "NQL-X")
