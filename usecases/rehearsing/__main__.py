"""Plays what was asked for at the desk: `python -m usecases.rehearsing FOLDER`, with little of the processor and bounds."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from adapters.workspace import existing_workspace
from labels.errors import LabelsError
from usecases.rehearsing.keeping import PLAYED, wished
from usecases.rehearsing.rehearsal import rehearse

NICE = 10
MEMORY = 3 * 1024**3
"""Bytes of address space."""
LARGEST = 2 * 1024**3
"""Bytes of one file."""
SECONDS = 2 * 60 * 60
"""Of the processor."""


def main() -> int:
    """Plays it; what it says goes to standard error, a line each."""
    os.nice(NICE)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, LARGEST),
        (resource.RLIMIT_CPU, SECONDS),
    ):
        resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    folder = Path(sys.argv[1])

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        _, _, wishes = wished(folder)
        rehearse(existing_workspace(), folder / PLAYED, wishes, say)
    except LabelsError as error:
        say(str(error).replace("\n", " "))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
