"""A reviewer's link: good for one document, under one name, until a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from adapters.documents import key_of
from adapters.documents.directory import DirectoryStore
from adapters.documents.tokens import DownloadPass, LinkExpired
from desk.links import documents_app
from labels.clock import frozen_clock
from labels.errors import NotFound
from tests.adapters.documents.conftest import NOON, SECRET, ask, directory_place

PDF = "application/pdf"
EXPIRES = NOON + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    store = directory_place(tmp_path).store
    assert isinstance(store, DirectoryStore)
    return store


def served(store: DirectoryStore, now: datetime = NOON, key: bytes = SECRET) -> Starlette:
    return documents_app(store, key, frozen_clock(now))


def link_to(
    store: DirectoryStore, content: bytes = b"<script>alert(1)</script>", media_type: str = PDF
) -> str:
    return store.link(store.put(content, media_type), "a.pdf", media_type, EXPIRES, NOON)


def test_a_document_is_saved_and_never_acts_in_the_browser(store: DirectoryStore) -> None:
    answer = ask(served(store), link_to(store))
    assert (answer.status, answer.content) == (200, b"<script>alert(1)</script>")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == PDF
    assert answer.headers["content-length"] == "25"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_link_is_good_until_its_moment_and_then_says_so(store: DirectoryStore) -> None:
    link = link_to(store)
    assert ask(served(store, EXPIRES - timedelta(seconds=1)), link).status == 200
    late = ask(served(store, EXPIRES), link)
    assert late.status == 410
    assert late.content == b"This link has expired. Ask whoever sent it for a new one.\n"
    assert late.headers["content-type"].startswith("text/plain")
    assert "sandbox" in late.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["", "documents", "documents/", "documents/x", "documents/x.y", "documents/a/b", "documents/.."]
)
def test_what_was_never_a_link_is_not_found(store: DirectoryStore, path: str) -> None:
    answer = ask(served(store), f"http://documents.test/{path}")
    assert answer.status == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_link_signed_with_another_key_is_not_found(store: DirectoryStore) -> None:
    assert ask(served(store, key=b"another"), link_to(store)).status == 404


def test_a_link_to_what_is_gone_damaged_or_out_of_reach_says_so(
    store: DirectoryStore, tmp_path: Path
) -> None:
    link = link_to(store)
    path = store.root / key_of(b"<script>alert(1)</script>")
    path.unlink()
    assert ask(served(store), link).status == 404
    path.write_bytes(b"something else")
    damaged = ask(served(store), link)
    assert damaged.status == 500
    assert damaged.content == b"This document is damaged. Tell whoever sent you the link.\n"
    path.unlink()
    path.mkdir()
    assert ask(served(store), link).status == 503


def test_only_reading_is_served(store: DirectoryStore) -> None:
    link = link_to(store)
    assert ask(served(store), link, "HEAD").status == 200
    for method in ("POST", "PUT", "DELETE"):
        assert ask(served(store), link, method).status == 405


words = st.text(st.characters(exclude_categories=["Cs"]))


@given(words, words, words, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_token_carries_what_was_put_in(key: str, name: str, media_type: str, expires: datetime) -> None:
    leave = DownloadPass(key, name, media_type, expires.replace(microsecond=0, tzinfo=UTC))
    token = leave.token(SECRET)
    assert DownloadPass.read(token, SECRET, leave.expires - timedelta(seconds=1)) == leave
    with pytest.raises(LinkExpired):
        DownloadPass.read(token, SECRET, leave.expires)


@given(st.data())
def test_no_letter_of_a_token_can_be_changed(choose: st.DataObject) -> None:
    token = DownloadPass(key_of(b""), "a.pdf", PDF, EXPIRES).token(SECRET)
    place = choose.draw(st.integers(0, len(token) - 1))
    letter = choose.draw(st.characters(codec="ascii").filter(lambda drawn: drawn != token[place]))
    for forged in (
        token[:place] + letter + token[place + 1 :],
        token[:place] + letter + token[place:],
        token[:place],
    ):
        with pytest.raises(NotFound):
            DownloadPass.read(forged, SECRET, NOON)


@given(st.text())
def test_anything_else_is_no_token(text: str) -> None:
    with pytest.raises(NotFound):
        DownloadPass.read(text, SECRET, NOON)
