"""What a proxy and a monitor ask the desk: whether it is there, whether it can serve people, and nothing of anybody."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.health import Readiness
from tests.cli.conftest import Terminal
from tests.desk.conftest import Browser
from tests.support.patience import PATIENCE
from tests.support.serving import served


def test_the_desk_says_that_it_is_there(browser: Callable[[], Browser]) -> None:
    answer = browser().opens("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_the_desk_is_ready_without_prefect_and_says_that_it_is_away(browser: Callable[[], Browser]) -> None:
    answer = browser().opens("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "parts": {"record": True, "documents": True, "prefect": False},
    }


def test_a_desk_whose_record_is_away_is_not_ready_and_says_which_part_it_is(terminal: Terminal) -> None:
    browser = Browser(terminal.here)
    terminal.here.record.engine.dispose()
    record = Path(str(terminal.here.record.engine.url.database))
    for one in record.parent.glob(f"{record.name}*"):
        one.unlink()
    record.mkdir()  # what stands in its place is no database
    answer = browser.opens("/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["record"] is False
    assert answer.headers["retry-after"] == "5"
    assert str(record.parent) not in answer.text, "nothing of this machine is told"
    assert browser.opens("/health").status_code == 200, "the process itself is well"


def test_whether_a_part_answers_is_asked_once_for_all_who_ask_at_the_same_time() -> None:
    asked: list[None] = []

    def answers() -> bool:
        asked.append(None)
        return True

    readiness = Readiness({"record": answers}, as_new=3600)

    async def many() -> list[bool]:
        return [one["record"] for one in await asyncio.gather(*(readiness.parts() for _ in range(200)))]

    assert asyncio.run(many()) == [True] * 200
    assert len(asked) == 1


def test_a_part_that_hangs_is_not_ready_and_takes_one_thread_whoever_asks() -> None:
    goes_on, begun, threads = threading.Event(), threading.Event(), set()

    def hangs() -> bool:
        threads.add(threading.get_ident())
        begun.set()
        return goes_on.wait()

    readiness = Readiness({"documents": hangs, "record": lambda: True}, within=0.05, as_new=0)

    def ask() -> dict[str, bool]:
        return dict(loop.run_until_complete(readiness.parts()))

    loop = asyncio.new_event_loop()
    try:
        answers = [ask()]
        assert begun.wait(PATIENCE)
        answers += [ask() for _ in range(3)]
        # On a busy machine also what answers at once may take longer than this test waits.
        while not answers[-1]["record"]:
            assert len(answers) < PATIENCE / 0.05, "the record never answers"
            answers.append(ask())
        assert not any(one["documents"] for one in answers)
        assert len(threads) == 1
    finally:
        goes_on.set()
        loop.close()


@pytest.mark.slow
def test_the_process_that_serves_the_desk_answers_both(tmp_path: Path) -> None:
    with served(tmp_path) as desk:
        for path in ("/health", "/ready"):
            with urllib.request.urlopen(f"{desk.address}{path}", timeout=60) as answer:
                assert answer.status == 200
