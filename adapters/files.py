"""Files that get their name when they are complete, and not before."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path


def place(path: Path, content: bytes) -> None:
    """Puts a file in its place whole, for its owner's eyes only, replacing a former one.

    Until then it has no name where the file system knows such files, so that a process which is killed
    leaves nothing behind.

    Raises:
        OSError: it can't be written, or something else than a file is there: a folder, a device, a pipe.
    """
    if path.exists() and not path.is_file():
        what = "it is a folder" if path.is_dir() else "it is a device or a pipe"
        raise OSError(errno.EINVAL, f"{what}; a file was expected", str(path))
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        try:
            with _written(path.parent, os.O_TMPFILE, content) as file:
                os.link(f"/proc/self/fd/{file}", draft, follow_symlinks=True)
        except (OSError, AttributeError):  # not on this file system, or not on Linux
            with _written(draft, os.O_CREAT | os.O_EXCL, content):
                pass
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _written(path: Path, how: int, content: bytes) -> Iterator[int]:
    """A file that holds the content, durably, and is open still."""
    descriptor = os.open(path, how | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        os.fsync(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)
