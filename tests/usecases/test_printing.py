"""What holds a class's names lets none of them out, and puts certificates in their place whole or not at all."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from adapters.files import place
from flows.quality_label.pupil import pupil_quality_label
from labels.errors import Fault, InvalidInput, LabelsError, NotAllowed
from labels.pupil_label.classes import Begun
from labels.pupil_label.names import Pupil
from usecases.printing import ClassInHand, NotMade, _zipped, in_hand, nameless


def test_the_flow_runs_only_where_the_names_are() -> None:
    with pytest.raises(NotAllowed, match="only by the process that was given their names"):
        pupil_quality_label.fn("NQL-1", "PQL-1", 30)


def test_a_class_in_hand_shows_nobody() -> None:
    given = ClassInHand(None, Begun("PQL-1", 1, "t@s.example"), "code", [Pupil(1, "Ada Quick")], Path("out"))  # type: ignore[arg-type]  # no record is asked
    given.files["PQL-1.zip"] = b"Ada Quick"
    assert "Ada" not in repr(given)
    with in_hand(given):
        pass
    assert given.files == {}


def fails_with(error: Exception) -> LabelsError:
    """What is let out of a task that fails with an error in whose past a name is told."""

    @nameless
    def task() -> None:
        try:
            raise KeyError("Ada Quick")
        except KeyError as cause:
            raise error from cause

    with pytest.raises(LabelsError) as let_out:
        task()
    assert let_out.value.__cause__ is None
    assert let_out.value.__context__ is None
    assert "Ada" not in str(let_out.value)
    return let_out.value


def test_an_unforeseen_error_is_told_by_its_type_and_place() -> None:
    said = fails_with(ValueError("no room for Ada Quick"))
    assert isinstance(said, NotMade)
    assert str(said).startswith("The certificates could not be made: ValueError at test_printing.py:")


def test_an_error_of_the_system_is_told_by_its_reason() -> None:
    said = fails_with(OSError(28, "No space left on device", "Ada Quick"))
    assert (
        str(said) == "The certificates could not be written: No space left on device. The code still works."
    )


def test_an_error_of_ours_goes_on_without_what_is_about_the_holder() -> None:
    faults = [Fault("holder", "Ada Quick has no glyph."), Fault("project", "has no letter.")]
    assert (
        str(fails_with(InvalidInput("certificate PQL-1", faults)))
        == "certificate PQL-1: project: has no letter."
    )
    assert isinstance(fails_with(InvalidInput("certificate PQL-1", faults[:1])), NotMade)
    assert str(fails_with(NotAllowed("That one counts."))) == "That one counts."


@pytest.fixture(params=["without a name", "with a name"])
def drafts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the file system knows files that have no name yet."""
    if request.param == "with a name":
        monkeypatch.delattr(os, "O_TMPFILE")


@pytest.mark.usefixtures("drafts")
def test_a_file_is_put_in_place_whole_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "PQL-1.zip"
    (tmp_path / ".PQL-1.zip.part").write_text("what a process left that was killed")
    for content in (b"first", b"second"):
        place(path, content)
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("drafts")
def test_a_file_that_can_not_be_written_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "PQL-1.zip"
    place(path, b"first")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        place(path, b"second")
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == [(path, b"first")]


def test_the_same_files_are_the_same_zip() -> None:
    files = {"row-002.pdf": b"Ada", "row-003.pdf": b"Bo"}
    assert _zipped(files) == _zipped(files)
    with zipfile.ZipFile(io.BytesIO(_zipped(files))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files
