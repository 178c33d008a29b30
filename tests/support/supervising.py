"""A supervisor of two processes, as `labels up` is one: `python -m tests.support.supervising FOLDER [deaf]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cli.processes import Services, ended_by_signal
from labels.settings import Settings
from tests.support.supervised import COMMAND


def main(folder: Path, *deaf: str) -> None:
    """Ends with a signal; where the file `fails` appears, with an exception."""
    running = Services(
        Settings(_env_file=None, home=folder), "http://127.0.0.1:9/api", {"PATH": os.environ["PATH"]}
    )
    with ended_by_signal() as stop:
        try:
            for name in ("server", "worker"):
                running.start(name, [*COMMAND, str(folder), name, *deaf])
            while not stop.wait(0.05):
                if (folder / "fails").exists():
                    raise ValueError("it is meant to")
        finally:
            running.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
