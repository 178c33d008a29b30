"""Files that people name are files: devices and pipes are told, and nothing is read without an end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labels.files import contents, opened


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom"])
def test_a_device_is_no_file(name: str) -> None:
    with pytest.raises(OSError, match="device or a pipe"):
        contents(Path(name), 10)


def test_a_pipe_is_no_file_and_nobody_waits_for_its_other_end(pipe: Path) -> None:
    with pytest.raises(OSError, match="device or a pipe"):
        opened(pipe)


def test_of_a_file_no_more_is_read_than_says_that_it_is_too_long(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(1 << 40)
    assert len(contents(sparse, 100)) == 101
