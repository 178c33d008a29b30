"""Files that go with the answer to a question become evidence of the application, each once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from labels.answering import accepting
from labels.applications.documents import StoredDocument
from labels.applications.uploads.limits import MIB
from labels.errors import InvalidInput
from labels.papers import due
from labels.record import Record
from labels.record.schema import Application, Document, Step, StepKind, StepState
from labels.reviews.review import documents_digest
from labels.steps.answers import Information, Question
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import SignedIn
from tests.support.case import Case, open_case


def asked(record: Record) -> tuple[Case, Step]:
    case = open_case(record)
    case.answer(case.ask()[0], Question(question="Which maps?"))
    return case, case.right(StepKind.INFORMATION)


def file(name: str, key: str, size: int = 10) -> StoredDocument:
    return StoredDocument("evidence", name, f"sha256/{key}", "application/pdf", size)


def answered(case: Case, step: Step, *documents: StoredDocument) -> Any:
    proof = SignedIn(step.person, "mail code", case.now)
    given = Information(text="These.")
    return case.do(accepting.answer, step.id, proof, given, documents=documents)


def evidence(case: Case) -> list[tuple[str, str]]:
    return sorted((one.name, one.key) for one in case.all(Document) if one.kind == "evidence")


def test_each_file_of_an_answer_is_evidence_once_under_a_name_of_its_own(record: Record) -> None:
    case, step = asked(record)
    with record.reading() as session:
        before = documents_digest(session, session.get_one(Application, case.id))
    case.now += timedelta(days=1)
    files = file("map.pdf", "a"), file("MAP.pdf", "b"), file("again.pdf", "a")
    assert isinstance(answered(case, step, *files), Accepted)
    assert evidence(case) == [("MAP-2.pdf", "sha256/b"), ("map.pdf", "sha256/a")]
    with record.reading() as session:
        application = session.get_one(Application, case.id)
        assert documents_digest(session, application) != before, "a review says which files it is about"
        assert {one.name for one in due._handed_in(session, application)} == {"application.json"}, (
            "a receipt says what was handed in then"
        )


def test_files_beyond_what_the_rules_allow_an_application_are_refused_and_the_question_stays_open(
    record: Record,
) -> None:
    case, step = asked(record)
    refused = answered(case, step, file("a.mp4", "a", 60 * MIB), file("b.mp4", "b", 60 * MIB))
    assert isinstance(refused, Refusal)
    assert isinstance(refused.error, InvalidInput)
    assert "may have 100 MB" in refused.why
    assert evidence(case) == []
    assert case.right(StepKind.INFORMATION).state is StepState.OPEN
    assert isinstance(answered(case, step, file("a.mp4", "a", 60 * MIB)), Accepted)


def test_a_review_brings_no_files(record: Record) -> None:
    case = open_case(record)
    step = case.ask()[0]
    proof = SignedIn(step.person, "mail code", case.now)
    refused = case.do(accepting.answer, step.id, proof, Question(question="x y"), documents=(file("a", "a"),))
    assert "or with the answer to a question" in refused.why
