"""The file with the secret key is read again once it is another: a process that runs goes on with the new key."""

from __future__ import annotations

from pathlib import Path

from labels.keyring import KEY
from labels.settings import Settings


def test_a_key_that_is_replaced_while_a_process_runs_is_in_force_at_once(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    first = settings.key
    assert settings.key == first
    draft = tmp_path / "draft"
    for number in range(20):  # one after the other, of the same length, within an instant
        another = f"{number:>{len(first)}}".encode()
        draft.write_bytes(another)
        draft.replace(tmp_path / KEY)
        assert settings.key == another


def test_a_key_whose_file_is_gone_is_not_remembered(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    first = settings.key
    (tmp_path / KEY).unlink()
    assert not settings.has_key
    assert settings.key != first
