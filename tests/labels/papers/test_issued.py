"""The record of issued papers, on either database: entered once, superseded by the next edition, taken back with
the award, and a class known by its marks."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.papers.facts import CertificateFacts, LetterKind
from labels.papers.issued import DuePaper, MadePaper, enter, enter_class, marked, revoke_papers
from labels.papers.verifying import Found, PaperState, by_code, by_file
from labels.pupil_label import classes
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Application, Award, Document, Issued, Journal, PaperKind, PupilClass
from labels.turn import Turn
from tests.support.case import open_case
from tests.support.papers import certificate, letter
from tests.support.people import KEY, NOW, STAMP, TODAY


@pytest.fixture
def application(record: Record) -> str:
    """An application that was awarded, whose papers are due."""
    case = open_case(record)
    with record.writing() as session:
        session.add(
            Award(
                id=case.id, label="national", teacher="T-1", project="P-1", school="S-1",
                organisation="NSS-PL", awarded_on=TODAY, score=25,
            )
        )  # fmt: skip
    return case.id


def due(application: str, edition: int = 1, **changes: object) -> DuePaper:
    facts = marked(certificate(application=application, **changes), PaperKind.CERTIFICATE, edition, STAMP)
    return DuePaper(PaperKind.CERTIFICATE, application, f"certificate-{edition}.pdf", edition, facts, False)


def made(digest: str) -> MadePaper:
    return MadePaper(key=f"sha256/{digest[:2]}/{digest}", size=7, digest=digest, signer=None)


def state(session: Session, paper: DuePaper) -> PaperState:
    assert isinstance(paper.facts, CertificateFacts)
    return by_code(session, str(paper.facts.code), STAMP, now=NOW).state


def test_a_paper_is_entered_once_whatever_is_made_the_second_time(record: Record, application: str) -> None:
    one = due(application)
    with record.writing() as session:
        assert enter(Turn(session, NOW, KEY), one, made("a" * 64))
    with record.writing() as session:
        before = session.get_one(Application, application).revision
        assert not enter(Turn(session, NOW + timedelta(hours=1), KEY), one, made("b" * 64))
    with record.reading() as session:
        row = session.get_one(Issued, one.paper)
        assert (row.file_digest, row.issued_at, row.award, row.teacher) == ("a" * 64, NOW, application, "T-1")
        assert row.facts_digest == one.facts.digest
        assert CertificateFacts.of(**row.facts) == one.facts
        keys = session.scalars(sa.select(Document.key).where(Document.name == one.name)).all()
        assert keys == [made("a" * 64).key]
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.ISSUED))
        assert (entry.details["paper"], entry.details["file"]) == (one.paper, "a" * 64)
        assert list(entry.details["digests"]) == [one.paper]
        assert session.get_one(Application, application).revision == before
        assert by_file(session, Found("a" * 64), STAMP, now=NOW).state is PaperState.VALID
        assert by_file(session, Found("b" * 64), STAMP, now=NOW).state is PaperState.UNKNOWN


def test_an_edition_supersedes_those_before_it_and_a_letter_only_letters(
    record: Record, application: str
) -> None:
    first, second, third = (due(application, edition) for edition in (1, 2, 3))
    refusal = DuePaper(
        PaperKind.LETTER,
        application,
        "letter.pdf",
        1,
        letter(LetterKind.REFUSAL, application=application),
        False,
    )
    with record.writing() as session:
        enter(Turn(session, NOW, KEY), refusal, made("f" * 64))
        for number, one in enumerate((first, second, third)):
            enter(Turn(session, NOW, KEY), one, made(str(number) * 64))
    with record.reading() as session:
        assert [state(session, one) for one in (first, second, third)] == [
            PaperState.SUPERSEDED, PaperState.SUPERSEDED, PaperState.VALID,
        ]  # fmt: skip
        assert session.get_one(Issued, first.paper).superseded_by == second.paper
        row = session.get_one(Issued, refusal.paper)
        assert (row.code, row.superseded_by) == (None, None)
        assert "scores" not in row.facts
        assert by_file(session, Found("f" * 64), STAMP, now=NOW).kind == "letter"


def test_a_label_that_was_taken_back_takes_its_papers_whenever_they_were_made(
    record: Record, application: str
) -> None:
    first, second = due(application), due(application, 2)
    with record.writing() as session:
        enter(Turn(session, NOW, KEY), first, made("a" * 64))
        session.get_one(Award, application).revoked_at = NOW
        session.flush()
        assert (
            len(revoke_papers(Turn(session, NOW, KEY).acting("c@nss.example"), application, "Copied.")) == 1
        )
        assert revoke_papers(Turn(session, NOW, KEY).acting("c@nss.example"), application, "Copied.") == {}
    with record.writing() as session:
        enter(Turn(session, NOW, KEY), second, made("b" * 64))
    with record.reading() as session:
        assert [state(session, one) for one in (first, second)] == [PaperState.REVOKED] * 2
        assert by_file(session, Found("b" * 64), STAMP, now=NOW).state is PaperState.REVOKED


def test_a_class_is_one_row_by_whose_marks_each_certificate_is_known(
    record: Record, application: str
) -> None:
    number = "PQL-0123456789"
    with record.writing() as session:
        session.add(
            PupilClass(
                id=number, award=application, number=1, teacher="T-1", pupils=3, left_out=0, attempt=1, begun_at=NOW
            )
        )  # fmt: skip
        session.flush()
        stated = classes.stated(session, number)
        with pytest.raises(ValueError, match="holds no name"):
            enter_class(
                Turn(session, NOW, KEY),
                session.get_one(PupilClass, number),
                stated | {"holder": "Ada"},
                [],
                STAMP,
            )
        marks = [STAMP.mark(number, place, f"file {place}") for place in (1, 2, 3)]
        enter_class(Turn(session, NOW, KEY), session.get_one(PupilClass, number), stated, marks, STAMP)
    with record.reading() as session:
        codes = [STAMP.pupil(number, place) for place in (1, 2, 3)]
        for place, code in enumerate(codes, 1):
            said = by_file(session, Found(f"file {place}", codes=[code]), STAMP, now=NOW)
            assert (said.state, said.label, said.pupil, said.holder) == (
                PaperState.VALID, LabelKind.PUPIL, f"{place} of 3", None,
            )  # fmt: skip
        swapped = by_file(session, Found("file 1", codes=[codes[1]]), STAMP, now=NOW)
        assert swapped.state is PaperState.ALTERED
        another_key = dataclasses.replace(STAMP, key=b"another")
        assert by_code(session, codes[0], another_key, now=NOW).state is PaperState.UNKNOWN


def test_a_paper_counts_to_the_end_of_its_last_day_in_brussels(record: Record, application: str) -> None:
    one = due(application, valid_until=TODAY)
    with record.writing() as session:
        enter(Turn(session, NOW, KEY), one, made("a" * 64))
    with record.reading() as session:
        assert isinstance(one.facts, CertificateFacts)
        last = NOW.replace(hour=22, minute=59)
        assert by_code(session, str(one.facts.code), STAMP, now=last).state is PaperState.VALID
        after = last + timedelta(minutes=1)
        assert by_code(session, str(one.facts.code), STAMP, now=after).state is PaperState.EXPIRED


def test_a_label_that_begins_after_its_award_is_said_to_be_valid_from_that_day_on(
    record: Record, application: str
) -> None:
    one = due(application, valid_from=date(2026, 11, 1), valid_until=date(2028, 10, 31))
    with record.writing() as session:
        enter(Turn(session, NOW, KEY), one, made("a" * 64))
    with record.reading() as session:
        assert isinstance(one.facts, CertificateFacts)
        told = by_code(session, str(one.facts.code), STAMP, now=NOW)
        assert "It is valid from 2026-11-01 until 2028-10-31." in told.why
