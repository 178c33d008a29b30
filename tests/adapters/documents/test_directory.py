"""The document folder: what a crash, a full disk or a wrong setting leaves of it."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.documents import DocumentStore, directory, key_of, open_store
from adapters.documents.directory import DirectoryStore
from adapters.documents.s3 import S3Store
from labels.errors import InvalidInput, OutOfReach
from labels.settings import Settings

PDF = "application/pdf"
IN_TIME = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "documents")


class PowerCut(BaseException):
    """The end of the process, at a moment of the test's choosing."""


@pytest.mark.parametrize("moment", ["fsync", "link"])
def test_a_crash_while_writing_leaves_no_document_and_does_not_stand_in_the_way(
    store: DirectoryStore, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise PowerCut

    store.put(b"there before", PDF)
    with monkeypatch.context() as crashing:
        crashing.setattr(os, moment, crash)
        crashing.setattr(Path, "unlink", crash)  # nor does anybody tidy up
        with pytest.raises(PowerCut):
            store.put(b"cut off", PDF)
    assert not store.exists(key_of(b"cut off"))
    assert store.get(store.put(b"cut off", PDF)) == b"cut off"


def left_aside(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """A document whose deletion was killed in its midst."""
    key = store.put(b"of somebody", PDF)

    def crash(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "unlink", crash)
        with pytest.raises(PowerCut):
            store.erase_older(key, IN_TIME)
    assert not store.exists(key)
    assert len(list((store.root / key).parent.iterdir())) == 1
    return key


def test_a_document_whose_deletion_was_killed_is_found_by_the_next_one(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = left_aside(store, monkeypatch)
    (store.root / key).with_name(".incoming-1-abc").write_bytes(b"half a docum")
    assert list(store.stored()) == [], "it may be at work still"
    monkeypatch.setattr(directory, "_FORGOTTEN", timedelta(seconds=-1))
    assert [one.key for one in store.stored()] == [key]
    assert store.erase_older(key, IN_TIME)
    assert list((store.root / key).parent.iterdir()) == []


def test_an_erasure_takes_also_what_a_killed_deletion_left(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = left_aside(store, monkeypatch)
    assert store.erase(key)
    assert list((store.root / key).parent.iterdir()) == []
    assert not store.erase(key)


def test_content_and_name_are_on_disk_before_put_returns(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, link = os.fsync, os.link

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def noted_link(source: Path, target: Path) -> None:
        steps.append("name")
        link(source, target)

    store.put(b"makes the folders", PDF)
    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "link", noted_link)
    store.put(b"makes the folders", PDF)
    assert steps == ["folder"]
    steps.clear()
    store.put(b"durable", PDF)
    assert [step for step in steps if step != "folder"] == ["file", "name"]
    assert steps[-1] == "folder"


def test_documents_cannot_be_written_to(store: DirectoryStore) -> None:
    path = store.root / store.put(b"fixed", PDF)
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_full_disk_is_told_and_leaves_nothing(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as filling:
        filling.setattr(os, "fsync", full)
        with pytest.raises(
            OutOfReach, match=f"the document folder {store.root} is out of reach: No space left"
        ):
            store.put(b"too much", PDF)
    assert not store.exists(key_of(b"too much"))
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "documents").write_text("a file in its place")
    store = DirectoryStore(tmp_path / "documents")
    with pytest.raises(OutOfReach, match=r"File exists \(.*/documents\)"):
        store.put(b"anything", PDF)


def test_the_settings_choose_the_store_and_a_process_has_one(tmp_path: Path) -> None:
    def opened(**values: str) -> DocumentStore:
        return open_store(Settings.model_validate({"home": tmp_path, **values}))

    embedded = opened()
    assert isinstance(embedded, DirectoryStore)
    assert embedded.root == tmp_path / "documents"
    assert embedded is opened()
    elsewhere = opened(documents=(tmp_path / "with space é").as_uri())
    assert isinstance(elsewhere, DirectoryStore)
    assert elsewhere.root == tmp_path / "with space é"
    bucket = opened(documents="s3://bucket/a/prefix/", s3_endpoint_url="http://127.0.0.1:1")
    assert isinstance(bucket, S3Store)
    assert (bucket.bucket, bucket.prefix) == ("bucket", "a/prefix")
    assert str(bucket) == "the document store s3://bucket at http://127.0.0.1:1"


@pytest.mark.parametrize("uri", ["file://server/share", "file:relative", "file:"])
def test_a_uri_that_is_no_folder_of_this_machine_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"LABELS_DOCUMENTS: .* is not a folder of this machine"):
        open_store(Settings.model_validate({"home": tmp_path, "documents": uri}))
