"""The folder of the record, documents, mail, logs and keys: nobody reads it but whoever runs this installation."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""What group and others may do."""


def keep_from_others() -> None:
    """From now on this process and those that it starts make files and folders that only their owner reads."""
    os.umask(OTHERS)


def hold(home: Path) -> None:
    """Closes the home itself to others, through which nobody gets at what is in it; every command does it first.

    A folder that others use too, such as `/tmp`, or that belongs to somebody else stays as it is.
    """
    with contextlib.suppress(OSError):
        if _is_ours(home):
            _close(home)


def repair(home: Path) -> int:
    """Closes everything in the home to others; returns how many files and folders were open to them.

    An installation of before made files that others could read, and so does a copy from a backup.
    """
    if not home.is_dir() or not _is_ours(home):
        return 0
    return sum(map(_close, [home, *_everything(home)]))


def _is_ours(home: Path) -> bool:
    found = home.lstat()
    shared = found.st_mode & stat.S_ISVTX or home == Path(home.anchor) or home == Path.home()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not shared


def _everything(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(root, name)


def _close(path: Path) -> bool:
    """Takes from group and others what they may do with it; links and what others own are left alone."""
    with contextlib.suppress(FileNotFoundError, PermissionError):  # a draft that was renamed meanwhile
        mode = path.lstat().st_mode
        if mode & OTHERS and (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
            return True
    return False
