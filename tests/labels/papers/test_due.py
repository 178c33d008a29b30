"""Which papers are due, and what stands in them."""

from __future__ import annotations

import sqlalchemy as sa

from labels.mail import outbox
from labels.papers.due import due_papers, due_receipt
from labels.papers.facts import LetterFacts
from labels.papers.issued import MadePaper, enter
from labels.record import Record
from labels.record.schema import Application, Document, Outcome
from labels.rules.model import Precondition
from labels.turn import Turn
from tests.support.case import Case, decided, open_case
from tests.support.people import KEY, NOW, STAMP, populate


def test_the_receipt_says_what_arrived_when_and_goes_with_its_mail(record: Record) -> None:
    case = open_case(record)
    with record.reading() as session:
        [paper] = due_receipt(session, case.id)
        facts = paper.facts
        assert isinstance(facts, LetterFacts)
        assert facts.mailbox == "nss@nss.example", "where to write to, as the letter asks"
        stored = session.scalars(sa.select(Document).where(Document.application == case.id)).all()
        assert sorted((one.name, one.size, one.digest) for one in facts.files) == sorted(
            (one.name, one.size, one.key.rpartition("/")[2]) for one in stored
        )
        assert facts.arrived_at == session.get_one(Application, case.id).submitted_at
        assert "The decision is due by: " in facts.route_forward[2]
        assert outbox.due(session, NOW, case.id) == [], "the mail waits for it"
    made = MadePaper("sha256/00/00", 3, "00", None)
    for new in (True, False):
        with record.writing() as session:
            assert enter(Turn(session, NOW, KEY), paper, made) is new
    with record.reading() as session:
        assert due_receipt(session, case.id) == []
        [mail] = outbox.due(session, NOW, case.id)
        assert (mail.template, [one.name for one in outbox.attached(session, mail)]) == (
            "receipt",
            [paper.name],
        )


def test_a_letter_of_refusal_says_where_one_may_apply_again(record: Record) -> None:
    refused = open_case(record)
    assert decided(refused, 1) is Outcome.REFUSED
    with record.reading() as session:
        [letter] = due_papers(session, refused.id, STAMP, "https://labels.example")
        assert isinstance(letter.facts, LetterFacts)
        said = list(map(str, letter.facts.route_forward))
    assert [one for one in said if "https://labels.example" in one] == [said[1]], "after how and until when"
    assert said[-1].startswith("Questions about this decision: ")


def test_a_letter_of_unmet_conditions_says_where_one_may_apply_again(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    ready = dict.fromkeys(map(str, Precondition), True)
    case = Case(record, preconditions=ready | {"finished": False})
    assert not case.conditions()
    with record.reading() as session:
        [letter] = due_papers(session, case.id, STAMP, "https://labels.example")
        assert isinstance(letter.facts, LetterFacts)
        [where] = map(str, letter.facts.route_forward)
    assert "at the desk: https://labels.example" in where
