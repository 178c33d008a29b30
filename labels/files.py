"""Opens files that people name: never a device, a pipe or a folder, which may have no end or never begin."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def opened(path: Path) -> BinaryIO:
    """The file, opened for reading bytes; whoever reads it sets a limit.

    Raises:
        OSError: it can't be opened, or is no file; `strerror` says which.
    """
    descriptor = os.open(
        path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    )  # a pipe would wait for its other end
    try:
        if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
            what = "it is a folder" if stat.S_ISDIR(mode) else "it is a device or a pipe"
            raise OSError(errno.EINVAL, f"{what}; a file was expected", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def numbered_lines(path: Path, longest: int) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, each with its end; of one that is longer than `longest` bytes, parts of that length.

    Nothing where there is no such file.

    Raises:
        OSError: it can't be read, or is no file; `strerror` says which.
    """
    if path.exists():
        with opened(path) as file:
            yield from enumerate(iter(lambda: file.readline(longest), b""), 1)


def contents(path: Path, limit: int) -> bytes:
    """What is in a file, at most one byte more than `limit`: by its length the reader knows that it is too long.

    Raises:
        OSError: as `opened` does.
    """
    with opened(path) as file:
        return file.read(limit + 1)
