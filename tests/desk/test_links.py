"""A reviewer's link: good for one document, under one name, until a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.documents import key_of
from adapters.documents.directory import DirectoryStore
from adapters.documents.tokens import DownloadPass, LinkExpired
from labels.errors import NotFound
from labels.record.engine import Record
from labels.record.schema import Step, StepKind, StepState
from labels.steps.answers import Information, Question
from labels.steps.reading import readers
from labels.steps.step import close_step
from tests.adapters.documents.conftest import NOON, SECRET, Answer, ask, link, served
from tests.support.case import open_case

PDF = "application/pdf"
EXPIRES = NOON + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "documents")


@pytest.fixture
def page(store: DirectoryStore, record: Record) -> Page:
    return Page(store, record)


@dataclass
class Page:
    """The address at which links are honoured."""

    store: DirectoryStore
    record: Record

    def asked(self, url: str, now: datetime = NOON, *, key: bytes = SECRET, method: str = "GET") -> Answer:
        return ask(served(self.store, self.record, now, key), url, method)


def link_to(
    store: DirectoryStore, content: bytes = b"<script>alert(1)</script>", media_type: str = PDF
) -> str:
    return link(DownloadPass(store.put(content, media_type), "a.pdf", media_type, EXPIRES))


def test_a_document_is_saved_and_never_acts_in_the_browser(store: DirectoryStore, page: Page) -> None:
    answer = page.asked(link_to(store))
    assert (answer.status, answer.content) == (200, b"<script>alert(1)</script>")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == PDF
    assert answer.headers["content-length"] == "25"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_link_is_good_until_its_moment_and_then_says_so(store: DirectoryStore, page: Page) -> None:
    address = link_to(store)
    assert page.asked(address, EXPIRES - timedelta(seconds=1)).status == 200
    late = page.asked(address, EXPIRES)
    assert late.status == 410
    assert late.content == b"This link has expired. Ask whoever sent it for a new one.\n"
    assert late.headers["content-type"].startswith("text/plain")
    assert "sandbox" in late.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["", "documents", "documents/", "documents/x", "documents/x.y", "documents/a/b", "documents/.."]
)
def test_what_was_never_a_link_is_not_found(page: Page, path: str) -> None:
    answer = page.asked(f"http://documents.test/{path}")
    assert answer.status == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_link_signed_with_another_key_is_not_found(store: DirectoryStore, page: Page) -> None:
    assert page.asked(link_to(store), key=b"another").status == 404


def test_a_link_to_what_is_gone_damaged_or_out_of_reach_says_so(store: DirectoryStore, page: Page) -> None:
    address = link_to(store)
    path = store.root / key_of(b"<script>alert(1)</script>")
    path.unlink()
    assert page.asked(address).status == 404
    path.write_bytes(b"something else")
    damaged = page.asked(address)
    assert damaged.status == 500
    assert damaged.content == b"This document is damaged. Tell whoever sent you the link.\n"
    path.unlink()
    path.mkdir()
    assert page.asked(address).status == 503


def test_only_reading_is_served(store: DirectoryStore, page: Page) -> None:
    address = link_to(store)
    assert page.asked(address, method="HEAD").status == 200
    for method in ("POST", "PUT", "DELETE"):
        assert page.asked(address, method=method).status == 405


def test_a_link_is_its_readers_own_while_what_is_asked_of_them_is_open(
    store: DirectoryStore, page: Page
) -> None:
    case = open_case(page.record)
    first, second = case.ask()
    key = store.put(b"Evidence", PDF)
    address = link(DownloadPass(key, "a.pdf", PDF, steps=readers([first, second])))
    assert page.asked(address).content == b"Evidence"
    assert page.asked(address, NOON + timedelta(days=400)).status == 200, "no date ends it"
    case.answer(first, Question(question="Which maps?"))
    assert page.asked(address).status == 200, "the review waits for the applicant"
    case.review(second)
    assert page.asked(address).status == 200
    case.answer(case.right(StepKind.INFORMATION), Information(text="All."))
    case.review(first)
    closed = page.asked(address)
    assert closed.status == 404
    assert closed.content.startswith(b"What is asked here has changed since.")


def test_a_link_is_nobodys_once_a_step_is_somebody_elses(store: DirectoryStore, page: Page) -> None:
    case = open_case(page.record)
    first, second = case.ask()
    key = store.put(b"Evidence", PDF)
    both = link(DownloadPass(key, "a.pdf", PDF, steps=readers([first, second])))
    seconds = link(DownloadPass(key, "a.pdf", PDF, steps=readers([second])))
    with page.record.writing() as session:  # as a coordinator gives the seat to a colleague
        close_step(session.get_one(Step, first.id), StepState.VOID, case.now)
    assert (page.asked(both).status, page.asked(seconds).status) == (404, 200)
    with page.record.writing() as session:
        session.get_one(Step, second.id).person = first.person
    assert page.asked(seconds).status == 404
    nobodys = link(DownloadPass(key, "a.pdf", PDF, steps=()))
    assert page.asked(nobodys).status == 404


words = st.text(st.characters(exclude_categories=["Cs"]))


@given(words, words, words, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_token_carries_what_was_put_in(key: str, name: str, media_type: str, expires: datetime) -> None:
    until = expires.replace(microsecond=0, tzinfo=UTC)
    leave = DownloadPass(key, name, media_type, until, ((name, key),))
    token = leave.token(SECRET)
    assert DownloadPass.read(token, [SECRET], until - timedelta(seconds=1)) == leave
    with pytest.raises(LinkExpired):
        DownloadPass.read(token, [SECRET], until)


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
            DownloadPass.read(forged, [SECRET], NOON)


@given(st.text())
def test_anything_else_is_no_token(text: str) -> None:
    with pytest.raises(NotFound):
        DownloadPass.read(text, [SECRET], NOON)
