"""What a person who gave a command sees of the flow that it runs: nothing of Prefect's own."""

from __future__ import annotations

import logging

import pytest

from adapters.prefect.console import quietly


def test_prefects_own_lines_stay_out_of_the_terminal_and_others_warnings_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    [terminal] = [
        handler
        for handler in logging.getLogger().handlers
        if type(handler).__name__ == "PrefectConsoleHandler"
    ]
    monkeypatch.setattr(terminal, "emit", lambda record: shown.append(record.getMessage()))
    flow, library = logging.getLogger("prefect.flow_runs"), logging.getLogger("somebody.else")
    with quietly():
        flow.warning("Flow run 'Certificates' is at work")
        library.warning("This is deprecated")
    assert shown == ["This is deprecated"]
    flow.warning("after it")
    assert shown == ["This is deprecated", "after it"]
