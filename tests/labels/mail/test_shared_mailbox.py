"""Two people who read one mailbox each get mail in their own name and language, whatever it is about."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from labels.answering import proving, reminders
from labels.applications import conditions
from labels.record import Record
from labels.record.schema import Mail, Person, Staff, Step, StepKind, Teacher
from labels.reviews import asking
from labels.steps.answers import Question
from labels.steps.outcome import Accepted
from tests.support.case import Case
from tests.support.people import populate

MAILBOX, OFFICE = "szkola@school.example", "biuro@nss.example"
FIRST, SECOND = ("Zażółć Gęślą", "pl"), ("Łucja Źdźbło", "uk")


@pytest.fixture
def case(record: Record) -> Case:
    """Two teachers of a project with one mailbox and two languages; the second one applies, too."""
    with record.writing() as session:
        populate(session)
        for teacher, (_, language) in (("T-1", FIRST), ("T-3", SECOND)):
            row = session.get_one(Teacher, teacher)
            row.email, row.language = MAILBOX, language
            whose = session.get_one(Person, row.person)
            whose.address, whose.language = MAILBOX, language
    return Case(record)


def there(case: Case, template: str) -> set[tuple[str, str]]:
    """Names and languages in which messages of a kind wait at the mailbox."""
    return {
        (one.to_name, one.language)
        for one in case.all(Mail)
        if (one.template, one.to_address) == (template, MAILBOX)
    }


def test_each_of_two_teachers_is_written_to_by_name_and_in_their_language(case: Case) -> None:
    second = case.submit(teacher="T-3")
    assert there(case, "receipt") == {FIRST, SECOND}
    for application, only in ((second, {SECOND}), (case.id, {FIRST, SECOND})):
        assert case.do(conditions.check_conditions, application)
        step = case.do(asking.ask, application)[0]
        assert isinstance(case.answer(step, Question(question="Which rivers?")), Accepted)
        assert there(case, "information_asked") == only


def test_each_of_them_has_a_digest_of_their_own(case: Case) -> None:
    for application in (case.id, case.submit(teacher="T-3")):
        assert case.do(conditions.check_conditions, application)
        step = case.do(asking.ask, application)[0]
        assert isinstance(case.answer(step, Question(question="Which rivers?")), Accepted)
    with case.record.reading() as session:
        due = max(
            one.due_at or case.now
            for one in session.scalars(sa.select(Step).where(Step.kind == StepKind.INFORMATION))
        )
    reminders.remind(case.record, now=due - timedelta(days=2))
    assert there(case, "reminder") == {FIRST, SECOND}


def test_the_code_of_one_of_them_is_addressed_to_them(case: Case) -> None:
    """A coordinator and a reviewer have one mailbox: only one of them may coordinate."""
    with case.record.writing() as session:
        for name, role, language in (("Ada Lis", "coordinator", "pl"), ("Jan Kos", "reviewer", "uk")):
            session.add(Person(id=f"PER-{name[:3]}", name=name, address=OFFICE, language=language))
            session.flush()
            session.add(
                Staff(
                    email=OFFICE, role=role, name=name, organisation="NSS-PL", language=language, school=None,
                    person=f"PER-{name[:3]}",
                )
            )  # fmt: skip
    step = case.do(proving.send_code, case.id, OFFICE)
    [mail] = [one for one in case.all(Mail) if one.step == step]
    assert (mail.to_name, mail.language) == ("Ada Lis", "pl")
