"""What every document store promises, whichever it is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from adapters.documents import DamagedDocument, key_of
from adapters.documents.tokens import DownloadPass
from labels.errors import NotFound
from labels.record.engine import Record
from labels.reviews import coordinating
from labels.steps.reading import readers
from tests.adapters.documents.conftest import NOON, Place, ask, link, served
from tests.support.case import COORDINATOR, open_case
from tests.support.patience import PATIENCE

PDF = "application/pdf"


def test_a_document_comes_back_as_it_was_put(place: Place) -> None:
    content = bytes(range(256)) * 5_000
    key = place.store.put(content, PDF)
    assert key == key_of(content)
    assert key.startswith(f"sha256/{key[7:9]}/{key[7:9]}")
    assert place.store.get(key) == content
    assert place.store.exists(key)


def test_an_empty_document_is_a_document_too(place: Place) -> None:
    assert place.store.get(place.store.put(b"", PDF)) == b""


def test_what_was_never_put_is_not_found(place: Place) -> None:
    key = key_of(b"never put")
    assert not place.store.exists(key)
    with pytest.raises(NotFound, match="no document sha256/"):
        place.store.get(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "../secret.key",
        "sha256/../../secret.key",
        "sha256/ab",
        f"sha256/ab/{'c' * 64}",
        f"sha256/ab/ab{'C' * 62}",
    ],
)
def test_what_is_not_a_key_is_not_found(place: Place, key: str) -> None:
    assert not place.store.exists(key)
    with pytest.raises(NotFound):
        place.store.get(key)


def test_a_document_that_is_erased_is_gone_and_another_stays(place: Place) -> None:
    key, other = place.store.put(b"a person's", PDF), place.store.put(b"another's", PDF)
    assert place.store.erase(key)
    assert not place.store.exists(key)
    with pytest.raises(NotFound, match="no document sha256/"):
        place.store.get(key)
    assert not place.store.erase(key), "twice is as once"
    assert place.store.get(other) == b"another's"
    assert place.store.put(b"a person's", PDF) == key
    assert place.store.erase(key)
    with pytest.raises(NotFound):
        place.store.erase("../secret.key")


def test_the_same_document_twice_is_kept_once(place: Place) -> None:
    first = place.store.put(b"the same", PDF)
    second = place.store.put(b"the same", "image/png")
    assert first == second
    assert place.copies(first) == 1


@pytest.mark.parametrize("writers", [16, 64])
def test_of_many_writers_of_one_document_one_wins_and_all_have_it(place: Place, writers: int) -> None:
    content = b"certificate" * 10_000
    together = threading.Barrier(writers)

    def write(_: int) -> str:
        together.wait(PATIENCE)
        return place.store.put(content, PDF)

    with ThreadPoolExecutor(writers) as pool:
        keys = set(pool.map(write, range(writers)))
    assert keys == {key_of(content)}
    assert place.copies(key_of(content)) == 1
    assert place.store.get(key_of(content)) == content


def test_a_damaged_document_is_never_handed_out_nor_passed_over_nor_written_over(place: Place) -> None:
    key = place.store.put(b"as it was", PDF)
    place.plant(key, b"as it is now")
    for attempt in (lambda: place.store.get(key), lambda: place.store.put(b"as it was", PDF)):
        with pytest.raises(DamagedDocument, match=f"{key} in the document .* is damaged"):
            attempt()
    with pytest.raises(DamagedDocument):
        place.store.get(key)


def test_something_else_under_the_key_of_a_new_document_is_noticed(place: Place) -> None:
    place.plant(key_of(b"mine"), b"a stranger's")
    with pytest.raises(DamagedDocument):
        place.store.put(b"mine", PDF)


@pytest.mark.slow
def test_a_link_downloads_the_document_under_its_name_through_our_own_page(
    place: Place, record: Record
) -> None:
    key = place.store.put(b"%PDF-1.7", PDF)
    leave = DownloadPass(key, "Σχέδιο “1”; a%.pdf", PDF, NOON + timedelta(days=30))
    answer = ask(served(place.store, record), link(leave))
    assert (answer.status, answer.content) == (200, b"%PDF-1.7")
    assert answer.headers["content-type"] == PDF
    shown = answer.headers["content-disposition"]
    assert shown.startswith('attachment; filename="')
    assert shown.endswith(
        "filename*=UTF-8''%CE%A3%CF%87%CE%AD%CE%B4%CE%B9%CE%BF%20%E2%80%9C1%E2%80%9D%3B%20a%25.pdf"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert ask(served(place.store, record, NOON + timedelta(days=30)), link(leave)).status == 410


def test_a_link_to_a_document_that_is_not_there_says_so(place: Place, record: Record) -> None:
    leave = DownloadPass(key_of(b"never put"), "a.pdf", PDF, NOON + timedelta(days=1))
    assert ask(served(place.store, record), link(leave)).status == 404


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_link_is_its_readers_own_for_as_long_as_a_step_is_open_whatever_a_store_signs_at_most(
    place: Place, record: Record
) -> None:
    """S3 signs an address for seven days; ours is asked of our own page, which gets the document each time."""
    case = open_case(record)
    first, second = case.ask()
    key = place.store.put(b"%PDF-1.7 evidence", PDF)
    address = link(DownloadPass(key, "a.pdf", PDF, steps=readers([first])))
    seconds = link(DownloadPass(key, "a.pdf", PDF, steps=readers([second])))
    for days in (0, 6, 8, 31, 200):
        answer = ask(served(place.store, record, NOON + timedelta(days=days)), address)
        assert (answer.status, answer.content) == (200, b"%PDF-1.7 evidence"), f"after {days} days"
    later = served(place.store, record, NOON + timedelta(days=31))
    free = sorted({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee})
    new = case.do_as(COORDINATOR, coordinating.reassign, first.id, free[0], "a long illness")
    assert ask(later, address).status == 404, "it is somebody else's to review"
    assert ask(later, link(DownloadPass(key, "a.pdf", PDF, steps=readers([new])))).status == 200
    assert ask(later, seconds).status == 200
    case.review(second)
    assert ask(later, seconds).status == 404
    forged = served(place.store, record, NOON, b"a key of somebody else's")
    assert ask(forged, address).status == 404
