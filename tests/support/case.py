"""One application and the people around it, taken through the domain by tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from labels.answering import accepting, rights
from labels.applications import conditions as conditions_applications
from labels.applications import ending, likeness
from labels.applications.documents import StoredDocument
from labels.applications.file import read_application
from labels.applications.submitting import Submitted, submit
from labels.record import Record
from labels.record.schema import Application, Outcome, Staff, Step, StepKind
from labels.reviews import asking, deciding
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.steps.step import steps_of
from labels.turn import Door, Turn
from tests.support.people import KEY, NOW, TODAY, application_file, code_of, points, populate

COORDINATOR = "coordinator@nss.example"


class Case:
    """One application and the people around it, each change in a transaction of its own."""

    def __init__(
        self,
        record: Record,
        organisation: str = "NSS-PL",
        *,
        edition: RuleEdition | None = None,
        **changes: Any,
    ) -> None:
        self.record = record
        self.now = NOW
        self.organisation = organisation
        self.edition = edition or load_rules(organisation, TODAY)
        self.id = self.submit(**changes)

    def submit(self, **changes: Any) -> str:
        return self.handed_in(**changes).application

    def handed_in(self, again: bool = False, **changes: Any) -> Submitted:
        file = read_application(application_file(**changes), "application.json")
        documents = [StoredDocument("application", "application.json", "sha256/aa/aa", "application/json", 2)]
        with self.record.writing() as session:
            return submit(Turn(session, self.now, KEY), file, documents, self.edition, again=again)

    def do(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.do_as("", act, *args, **kwargs)

    def do_as(self, person: str, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.record.writing() as session:
            turn = Turn(session, self.now, KEY, Door.COMMAND_LINE, person)
            return act(turn, *args, **kwargs)

    def conditions(self) -> bool:
        return bool(self.do(conditions_applications.check_conditions, self.id))

    def likeness(self) -> bool:
        return bool(self.do(likeness.look, self.id))

    def ask(self) -> list[Step]:
        return list(self.do(asking.ask, self.id))

    def answer(self, step: Step, given: Any, code: str | None = None, email: str | None = "") -> Any:
        with self.record.reading() as session:
            right = code_of(session.get_one(Step, step.id))
        who = step.assignee if email == "" else email
        return self.do(accepting.answer, step.id, Code(code or right, who), given)

    def review(self, step: Step, each: int = 4, **changes: int) -> Any:
        return self.answer(step, ReviewAnswer(scores=points(each, **changes), comment=f"by {step.seat}"))

    def row(self) -> Application:
        with self.record.reading() as session:
            return session.get_one(Application, self.id)

    def all(self, table: Any) -> list[Any]:
        with self.record.reading() as session:
            return list(session.scalars(sa.select(table)))

    def right(self, kind: StepKind) -> Step:
        with self.record.reading() as session:
            return steps_of(session, session.get_one(Application, self.id), kind)[-1]


def open_case(
    record: Record,
    organisation: str = "NSS-PL",
    country: str = "PL",
    *,
    edition: RuleEdition | None = None,
    **changes: Any,
) -> Case:
    with record.writing() as session:
        populate(session, organisation, country)
    case = Case(record, organisation, edition=edition, **changes)
    assert case.conditions()
    return case


def reviewed_by(organisation: str = "NSS-PL", **rules: Any) -> RuleEdition:
    """An organisation's rules with other ones for reviews: values, or sections of values, each an assumption."""
    body = load_rules(organisation, TODAY).to_json()
    body["national"]["review"] |= {name: _sourced(value) for name, value in rules.items()}
    return RuleEdition.from_json(body)


def _sourced(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sourced(one) for name, one in value.items()}
    return {"value": value, "source": "assumption"}


def staff(record: Record, email: str, role: str) -> None:
    with record.writing() as session:
        session.add(
            Staff(email=email, role=role, name=email, organisation="NSS-PL", language="pl", school=None)
        )


def decided(case: Case, each: int) -> Outcome:
    while steps := case.ask():
        for step in steps:
            case.review(step, each)
    outcome: Outcome = case.do(deciding.decide, case.id)
    case.do(ending.close, case.id)
    return outcome


def withdrawn(case: Case) -> None:
    right = case.right(StepKind.WITHDRAWAL)
    done = case.do(rights.withdraw, case.id, Code(code_of(right), right.assignee))
    assert isinstance(done, Accepted)
