"""A process to be supervised: `python -m tests.support.supervised FOLDER NAME [deaf]`.

It stands for a worker: it starts a process in its own group, and one in another group, as a worker starts its
executions, which has one in its group, too. Each number is left in the folder. A deaf one does not end when it is asked to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from adapters.supervision import handed_on, supervised

COMMAND = supervised("tests.support.supervised")
EACH = ("", "'s child", "'s execution", "'s execution's child")
"""What the names of the processes end with that one of these comes to."""


def main(folder: Path, name: str, deaf: bool) -> None:
    """Leaves the numbers and waits for the end."""
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if not name.endswith("execution"):
        descriptors, variables = handed_on()
        subprocess.Popen(
            [*COMMAND, folder, f"{name}'s execution"],
            pass_fds=descriptors,
            env=os.environ | variables,
            start_new_session=True,
        )
    child = subprocess.Popen(["sleep", "3600"])
    for whose, pid in ((f"{name}'s child", child.pid), (name, os.getpid())):
        draft = folder / f".{whose}"
        draft.write_text(str(pid))
        draft.rename(folder / whose)
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], len(sys.argv) > 3)
