"""What a command costs before it says a word, against importing the libraries that it stands on.

Run it with `.venv/bin/python benchmarks/command_start.py`; it makes a record of the sample data in a temporary
folder, gives every command in a process of its own and prints a table of seconds of processor. The yardstick in the
same run is a Python that imports Typer, Pydantic and SQLAlchemy and does nothing. Of each, the median counts.

`--tree FOLDER` gives the commands of another checkout, for a comparison.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labels.settings import PROJECT

YARDSTICK = "import typer, pydantic, sqlalchemy"
COMMAND = "from cli import main; main()"
EXAMPLES = PROJECT / "examples"
AT_MOST = {"--help": 1.4, "show": 2.5}
"""How many times the yardstick they may cost: 0.35 s and 0.6 s where that takes 0.24 s."""


def main() -> None:
    """Makes the record, gives the commands and prints what they cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=11, help="how often each is given")
    parser.add_argument("--tree", type=Path, metavar="FOLDER", default=PROJECT, help="another checkout")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        environment |= {
            "PYTHONPATH": str(arguments.tree.absolute()), "LABELS_HOME": str(Path(folder, "home")),
            "LABELS_ENV_FILE": "", "LABELS_TODAY": "2026-03-16", "LABELS_SECRET": "for this benchmark",
        }  # fmt: skip
        programs = Programs(Path(folder), environment)
        programs.cost(COMMAND, "import", str(EXAMPLES / "registry"))
        application = programs.submitted(EXAMPLES / "applications" / "01-pl-rivers.json")
        given = {
            "--help": ["--help"],
            "show": ["show", application],
            "inbox": ["inbox", "--as", "nobody@school.example"],
            "rules": ["rules"],
        }
        compare(programs, given, arguments.rounds)


class Programs:
    """Programs that are run in a folder and an environment of the benchmark's own, and what they cost."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, code: str, *words: str) -> tuple[int, str, float]:
        """The exit code of a Python that runs `code`, its standard output, and its seconds of processor."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            program = subprocess.Popen(
                [sys.executable, "-c", code, *words],
                cwd=self.folder, env=self.environment, stdout=said, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            return program.returncode, said.read(), usage.ru_utime + usage.ru_stime

    def cost(self, code: str, *words: str) -> float:
        """The seconds of processor of what must succeed."""
        exit_code, _, seconds = self.run(code, *words)
        if exit_code:
            sys.exit(f"This ended with {exit_code}: {code} {' '.join(words)}")
        return seconds

    def submitted(self, file: Path) -> str:
        """The application that is in the record, though Prefect is away."""
        return self.run(COMMAND, "submit", str(file))[1].split()[0]


def compare(programs: Programs, given: Mapping[str, Sequence[str]], rounds: int) -> None:
    """Gives everything in turn, as often as asked for, and prints the medians beside the yardstick's."""
    taken: dict[str, list[float]] = {what: [] for what in (YARDSTICK, *given)}
    for _ in range(rounds):
        taken[YARDSTICK].append(programs.cost(YARDSTICK))
        for what, words in given.items():
            taken[what].append(programs.cost(COMMAND, *words))
    yardstick = statistics.median(taken[YARDSTICK])
    print(f"{'':36}{'CPU s':>8}{'ratio':>8}")
    for what, seconds in taken.items():
        median = statistics.median(seconds)
        ratio = median / yardstick
        verdict = ""
        if what in AT_MOST:
            verdict = f"  (at most {AT_MOST[what]}: {'reached' if ratio <= AT_MOST[what] else 'MISSED'})"
        name = what if what == YARDSTICK else f"labels {what}"
        print(f"{name:36}{median:>8.3f}{ratio:>8.2f}{verdict}")


if __name__ == "__main__":
    main()
