"""The demo, killed and interrupted: nothing of it stays behind, and nothing of it is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.record.engine import open_record
from labels.record.schema import Application
from labels.settings import PROJECT, Settings
from tests.support.patience import PATIENCE, until
from tests.support.processes import with_variable

pytestmark = [pytest.mark.slow]


class Demo:
    """`labels demo --auto` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home / "demo"
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from cli import main; main()", "demo", "--auto"],
            cwd=PROJECT,
            env=os.environ | {"LABELS_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_it_says(self, words: str) -> None:
        assert self.process.stderr
        said = []
        for line in self.process.stderr:
            said.append(line)
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}:\n{''.join(said)}")

    def ends(self) -> str:
        """What it says from now on, once it has ended in order."""
        assert self.process.stderr
        said = self.process.stderr.read()
        assert self.process.wait(PATIENCE) == 0, said
        return said

    def processes(self) -> list[int]:
        """What it has started and is there: its server, its worker, the worker's own."""
        return with_variable("LABELS_HOME", str(self.home))

    def applications(self) -> int:
        settings = Settings(_env_file=None, home=self.home)
        with open_record(settings).reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Application)) or 0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    demo.process.kill()
    demo.process.wait()


def test_nothing_outlives_a_demo_that_is_killed_while_its_runs_are_under_way(demo: Demo) -> None:
    demo.until_it_says("Submitted")
    until(lambda: len(demo.processes()) >= 4, "server, worker and two executions are there")
    demo.process.kill()
    until(lambda: not demo.processes(), "nothing of it is there", demo.processes, every=0.05)
    assert demo.applications() == 12


def test_a_demo_that_is_interrupted_ends_in_order_and_starts_nothing_again(demo: Demo) -> None:
    demo.until_it_says("people answer")
    demo.process.send_signal(signal.SIGINT)
    said = demo.ends()
    assert said.splitlines()[-1].startswith("Ended"), said
    assert "unexpectedly" not in said
    assert not demo.processes()


def test_a_demo_that_is_interrupted_before_it_is_up_ends_at_once(demo: Demo) -> None:
    demo.until_it_says("Starting")
    until(demo.processes, "its server is there", every=0.02)
    demo.process.send_signal(signal.SIGINT)
    assert demo.ends() == "Ended; run it again at any time.\n"
    assert not demo.processes()
