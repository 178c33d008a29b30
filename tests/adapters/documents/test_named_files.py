"""Files with names of their own beside a store's documents, in a folder and in a bucket: where copies are kept."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from adapters.documents.store import NamedFiles
from labels.errors import NotFound
from tests.adapters.documents.conftest import Place


@pytest.fixture
def files(place: Place) -> NamedFiles:
    return cast("NamedFiles", place.store)


def test_a_file_is_kept_under_its_name_and_fetched_whole(files: NamedFiles, tmp_path: Path) -> None:
    written, read = tmp_path / "written", tmp_path / "read"
    written.write_bytes(bytes(range(256)) * 50_000)  # more than one part of an upload
    files.keep("records/one/record.gz", written)
    files.fetch("records/one/record.gz", read)
    assert read.read_bytes() == written.read_bytes()


def test_names_are_those_below_a_folder_and_documents_are_not_among_them(
    files: NamedFiles, place: Place, tmp_path: Path
) -> None:
    assert files.names("records") == []
    place.store.put(b"a document", "text/plain")
    (tmp_path / "file").write_text("text")
    for name in ("records/two/b", "records/one/a", "recordings/c"):
        files.keep(name, tmp_path / "file")
    assert files.names("records") == ["records/one/a", "records/two/b"]


def test_what_was_dropped_is_gone_and_dropping_it_again_changes_nothing(
    files: NamedFiles, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("text")
    files.keep("records/one/a", tmp_path / "file")
    files.drop("records/one/a")
    files.drop("records/one/a")
    assert files.names("records") == []
    with pytest.raises(NotFound, match="There is no records/one/a in "):
        files.fetch("records/one/a", tmp_path / "read")


def test_a_file_kept_again_takes_the_place_of_the_former(files: NamedFiles, tmp_path: Path) -> None:
    for said in ("first", "second"):
        (tmp_path / "file").write_text(said)
        files.keep("records/one/a", tmp_path / "file")
    files.fetch("records/one/a", tmp_path / "read")
    assert (tmp_path / "read").read_text() == "second"
