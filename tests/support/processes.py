"""Which processes there are, as `/proc` tells, and processes that end with the test run."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def ends_with_us(signal: str = "TERM") -> list[str]:
    """What goes before a command so that it is sent this signal when whoever starts it is gone, also if it is killed.

    The thread that starts it is meant, so that has to be one that stays. Nothing where there is no `setpriv`.
    """
    return ["setpriv", f"--pdeathsig={signal}"] if shutil.which("setpriv") else []


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def with_variable(name: str, value: str) -> list[int]:
    """The processes that were started with a variable of that value, whoever started them."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"{name}={value}".encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return [pid for pid in found if pid != os.getpid() and alive(pid)]
