"""The environment of its own that the peers are installed into, from their lock, on first use."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from labels.settings import PROJECT

LOCK = PROJECT / "requirements" / "peers.txt"
HOME = PROJECT / ".venv-peers"


def peers_python() -> Path:
    """The interpreter that has the peers.

    Raises:
        RuntimeError: they can't be installed; says why.
    """
    environment, stamp = HOME / "environment", HOME / "installed"
    python = environment / "bin" / "python"
    wanted = sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return python
        print(f"Installing the peers into {HOME.name} (once) …", file=sys.stderr)
        venv.create(environment, with_pip=True, clear=True)
        install: list[str | Path] = [
            python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", LOCK,
        ]  # fmt: skip
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"The peers can't be installed: {done.stderr.strip()[-600:]}")
        stamp.write_text(wanted)
    return python


def versions() -> dict[str, str]:
    """The locked version of every package, by its name."""
    lines = (line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if "==" in line)
    return dict(words[0].split("==", 1) for words in lines if not words[0].startswith("#"))
