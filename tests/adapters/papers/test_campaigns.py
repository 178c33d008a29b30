"""A campaign's certificates come one after the other, as each would alone, and never pile up."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.papers import campaigns
from adapters.papers.campaigns import Wanted, render_each
from adapters.papers.certificates import render_certificate
from labels.errors import InvalidInput
from labels.settings import PROJECT
from tests.support.papers import certificate
from tests.support.patience import until
from tests.support.processes import alive

NAMES = ["Ada Quick", "Ωμέγα Ψ", "Bo Li", "ნინო გელაშვილი", "Cy Late", "Zoë Öst", "Їжак Ґудзь"]


def wanted(names: list[str], taken: list[str] | None = None) -> Iterator[Wanted]:
    for name in names:
        if taken is not None:
            taken.append(name)
        yield certificate(label="pupil", holder=name), name.encode()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "BATCH", 2)


@pytest.mark.slow
def test_they_are_those_that_are_made_alone_and_are_made_as_they_are_asked_for() -> None:
    taken: list[str] = []
    made = render_each(wanted(NAMES, taken), processes=1)
    first = next(made)
    assert len(taken) == 2
    assert [first, *made] == [render_certificate(*one) for one in wanted(NAMES)]
    assert list(render_each([], processes=1)) == []


def test_a_letter_that_cannot_be_printed_stops_no_other_certificate() -> None:
    made = list(render_each(wanted(["语", "Ada", "Bo", "文"]), processes=1))
    alone = [render_certificate(*one) for one in wanted(["Ada", "Bo"])]
    assert made[1:3] == alone
    assert [isinstance(one, InvalidInput) for one in made] == [True, False, False, True]


@pytest.mark.slow
def test_several_processes_make_the_same_in_the_same_order_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    taken: list[str] = []
    made = render_each(wanted(NAMES * 2, taken), processes=2)
    some = [next(made) for _ in range(3)]
    assert len(taken) <= 2 * (2 * 2 + 1)
    assert [*some, *made] == [render_certificate(*one) for one in wanted(NAMES * 2)]
    _, refused, *_ = render_each(wanted(["Ada", "语", *NAMES]), processes=2)
    assert isinstance(refused, InvalidInput)
    assert "holder: no bundled font has the character “语”" in str(refused)
    assert multiprocessing.active_children() == []
    left = [path.name for path in tmp_path.iterdir()]
    assert all(
        name.startswith("etwinning-labels-fonts-") for name in left
    )  # what fontconfig knows of the fonts


_MAKER = """
import multiprocessing
from tests.support.papers import certificate
from adapters.papers.campaigns import render_each

if __name__ == "__main__":
    made = render_each(((certificate(label="pupil"), None) for _ in range(10_000)), processes=2)
    next(made)
    print(*[process.pid for process in multiprocessing.active_children()], flush=True)
    list(made)
"""


@pytest.mark.slow
def test_nor_does_a_process_that_is_killed_while_it_makes_them(tmp_path: Path) -> None:
    program = tmp_path / "maker.py"
    program.write_text(_MAKER)
    with subprocess.Popen(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as maker:
        assert maker.stdout
        pool = [int(pid) for pid in maker.stdout.readline().split()]
        maker.kill()
    assert len(pool) == 2
    until(lambda: not any(map(alive, pool)), "its processes have ended")
