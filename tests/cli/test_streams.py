"""What leaves the commands can be read wherever it goes."""

from __future__ import annotations

import io
import sys

import pytest

import cli

NAME = "Łucja Źdźbło · Ελένη · ნინო"


class Terminal(io.TextIOWrapper):
    """A terminal of an old locale."""

    def isatty(self) -> bool:
        return True


def written(stream: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        cli._speak_every_script()
        sys.stdout.write(NAME)
        sys.stdout.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


@pytest.mark.parametrize("locale", ["ascii", "latin-1", "utf-8"])
def test_files_and_programs_get_utf_8_whatever_the_locale(
    locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert written(io.TextIOWrapper(io.BytesIO(), locale), monkeypatch) == NAME.encode()


def test_a_terminal_without_the_letters_still_shows_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(Terminal(io.BytesIO(), "iso-8859-2"), monkeypatch).startswith(
        "Łucja Źdźbło".encode("iso-8859-2")
    )


def test_output_that_is_no_text_stream_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", io.StringIO())
        cli._speak_every_script()
        sys.stdout.write(NAME)
