"""A class in the browser: from the list of names to the certificates downloaded, by the clock and by the processor.

    .venv/bin/python -m benchmarks.classes                # classes of 30, the first of a desk that has just begun, and later ones

It serves a record as `labels up` does, to somebody who holds a label. The list is posted and looked through, the form of
the preview is sent, and the ZIP with a certificate for each pupil and the file for printing is read to its end. Each round
begins a desk anew: before somebody opens the page of a class, nothing is loaded that prints. The processor's time is that of the desk and all below it.
"""

from __future__ import annotations

import argparse
import html
import io
import re
import statistics
import tempfile
import time
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from adapters.workspace import Workspace, open_workspace
from benchmarks.certificates import people, verdict
from benchmarks.desk import Browser, form_of, served, sessions_of
from benchmarks.processor import processor
from cli.services import free_port
from labels.record.schema import Award
from labels.settings import Settings
from tests.support.people import TODAY, populate

AWARD, TEACHER = "NQL-CLASS00001", "t-1@school.example"
PASTING = 5.0
"""Seconds that somebody takes to paste a list into the page."""
MOST = 2.0
"""Seconds within which a class of 30 is to be there."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one class took, from the list to the last byte."""

    looked: float
    """Seconds by the clock until the list was looked through."""
    made: float
    """Seconds by the clock from there to the end of the download."""
    spent: float
    """Seconds of the processor, for both."""
    size: int
    """Bytes that came."""

    @property
    def whole(self) -> float:
        """Seconds by the clock of both."""
        return self.looked + self.made


def filled(here: Workspace) -> str:
    """The small registry with a label of a teacher's; their session's token."""
    with here.record.writing() as session:
        populate(session)
        session.add(
            Award(
                id=AWARD, label="national", teacher="T-1", project="P-1", school="S-1",
                organisation="NSS-PL", awarded_on=TODAY, score=25,
            )
        )  # fmt: skip
    [token] = sessions_of(here, [TEACHER])
    return token


def class_of(browser: Browser, names: list[str], pid: int) -> Taken:
    """Gives a list, and downloads what comes of it."""
    path = f"/classes/{AWARD}"
    token = form_of(browser.get("page", path))["form_token"]
    time.sleep(PASTING)
    before, began = processor(pid), time.perf_counter()
    page = browser.post("list", path, {"form_token": token, "names": "\n".join(names)})
    looked = time.perf_counter()
    [carried] = re.findall(r'<textarea hidden name="carried">(.*?)</textarea>', page.text, re.S)
    answer = browser.post(
        "class", path, {"form_token": token, "carried": html.unescape(carried), "make": "1"}
    )
    done = time.perf_counter()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == len(names) + 1
    return Taken(looked - began, done - looked, processor(pid) - before, len(answer.content))


def main() -> None:
    """Prints what the first class of a desk takes, and what later ones do."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--classes", type=int, default=5, help="of each desk")
    parser.add_argument("--rounds", type=int, default=3, help="desks that begin anew")
    arguments = parser.parse_args()
    names = people(7)
    taken: dict[str, list[Taken]] = defaultdict(list)
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as home:
            port = free_port()
            settings = Settings(
                _env_file=None, home=Path(home), today=TODAY, secret="benchmark", listen=f"127.0.0.1:{port}"
            )
            here = open_workspace(settings)
            token, address = filled(here), f"http://127.0.0.1:{port}"
            with served(["-m", "desk.serving", "desk"], settings, f"{address}/help") as pid:
                browser = Browser(address, token, defaultdict(list))
                for n in range(arguments.classes):
                    one = class_of(browser, list(islice(names, arguments.pupils)), pid)
                    taken["a later one" if n else "the first of a desk"].append(one)
    print(
        f"{'a class of ' + str(arguments.pupils):22}{'list s':>9}{'made s':>9}{'whole s':>9}{'CPU s':>8}{'kB':>7}"
    )
    for what, every in taken.items():
        median = {
            name: statistics.median(getattr(one, name) for one in every)
            for name in ("looked", "made", "whole", "spent", "size")
        }
        print(
            f"{what:22}{median['looked']:>9.2f}{median['made']:>9.2f}{median['whole']:>9.2f}"
            f"{median['spent']:>8.2f}{median['size'] / 1000:>7.0f}  {verdict(median['whole'] <= MOST)}"
        )


if __name__ == "__main__":
    main()
