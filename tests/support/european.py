"""The European Quality Label for tests: its rules with what a test is about changed, and a small year."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.answering import accepting
from labels.european_label import awarding, freezing, screening
from labels.identifiers import nomination_id
from labels.record import Record
from labels.record.schema import Award, Organisation, Project, Staff, Step, Teacher
from labels.rules.loading import load_rules
from labels.rules.model import EuropeanRules, RuleEdition
from labels.settings import Settings
from labels.steps.answers import read_answer
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code
from labels.turn import Door, Turn
from tests.support.people import KEY, code_of, populate


def european_rules(**changes: Any) -> EuropeanRules:
    """The default rules with other values for some names."""
    rules = load_rules("default", date(2026, 1, 1)).european.model_dump(mode="json")
    for name, value in changes.items():
        rules[name] = {"value": value, "source": "assumption"}
    return EuropeanRules.model_validate(rules)


# A year ---------------------------------------------------------------------------------------------

YEAR = 2026
BEGINS = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
"""When the cycle of 2026 begins: a Thursday."""
OWN, OTHER, CENTRAL = "NSS-PL", "NSS-PT", "CSS"


def edition(organisation: str, **changes: Any) -> RuleEdition:
    """The rules of an organisation with other values for some of the European Quality Label's."""
    shipped = load_rules(organisation, date(YEAR, 1, 1))
    if not changes:
        return shipped
    body = shipped.to_json()
    for name, value in changes.items():
        body["european"][name] = {"value": value, "source": "assumption"}
    return RuleEdition.from_json(body)


def at_the_beginning(settings: Settings, record: Record) -> Workspace:
    """A workspace of that moment, with its documents in a folder."""
    return Workspace(
        settings=settings, record=record, documents=DirectoryStore.from_settings(settings), fixed_key=settings.key,
        clock=lambda: BEGINS,
    )  # fmt: skip


def populate_year(session: Session, populated: bool = False) -> None:
    """The small registry (unless it is there), a Central Support Service, and the labels of a year.

    `NSS-PL` awarded seven: P-A 28 (T-A1), P-B 26 (T-B1), P-C 24 (T-C1), P-D 24 (T-D1), P-E, P-F and P-G
    less; `NSS-PT` one each for P-A (27, T-A2) and P-C (20, T-C2). P-B has one labelled partner only. One
    label of P-D (T-D2) is a year older.
    """
    if not populated:
        populate(session)
    session.add(
        Organisation(
            id=CENTRAL,
            country="EU",
            kind="CSS",
            name="Central Support Service",
            email="css@css.example",
            language="en",
        )
    )
    session.flush()
    for email in ("ada@css.example", "ben@css.example"):
        session.add(
            Staff(
                email=email,
                role="coordinator",
                name=email[:3].title(),
                organisation=CENTRAL,
                language="en",
                school=None,
            )
        )
    teachers = {f"T-{p}1": "S-1" for p in "ABCDEFG"} | {f"T-{p}2": "S-2" for p in "ABCD"}
    for teacher, school in teachers.items():
        session.add(
            Teacher(
                id=teacher, name=f"Teacher {teacher}", email=f"{teacher.lower()}@school.example", school=school,
                registered_on=date(2015, 1, 1), language="en",
            )
        )  # fmt: skip
    for p in "ABCDEFG":
        session.add(Project(id=f"P-{p}", title=f"Project {p}", started_on=date(2025, 9, 1), ended_on=None))
    session.flush()
    for p, score in zip("ABCDEFG", (28, 26, 24, 24, 22, 20, 18), strict=True):
        add_label(session, f"T-{p}1", f"P-{p}", score)
    add_label(session, "T-A2", "P-A", 27, organisation=OTHER)
    add_label(session, "T-C2", "P-C", 20, organisation=OTHER)
    add_label(session, "T-D2", "P-D", 30, organisation=OTHER, on=date(2025, 3, 1))


def label_id(teacher: str, project: str) -> str:
    """The identifier of a label in this registry."""
    return f"NQL-{teacher}-{project}"


def add_label(
    session: Session,
    teacher: str,
    project: str,
    score: float | None,
    organisation: str = OWN,
    on: date = date(2026, 3, 1),
) -> None:
    """A National Quality Label, awarded at the teacher's school."""
    session.add(
        Award(
            id=label_id(teacher, project), label="national", teacher=teacher, project=project,
            school=session.get_one(Teacher, teacher).school, organisation=organisation, awarded_on=on, score=score,
        )
    )  # fmt: skip
    session.flush()


def begun(session: Session, **changes: Any) -> str:
    """The cycle of the year, frozen; with other rules for all."""
    rules = functools.partial(edition, **changes)
    identifier = freezing.begin(Turn(session, BEGINS, KEY), YEAR, rules)
    freezing.freeze(Turn(session, BEGINS, KEY), identifier, rules)
    return identifier


def nomination_of(organisation: str) -> str:
    """The nomination of an organisation in the year."""
    return nomination_id(organisation, YEAR)


def answered(
    session: Session, steps: Sequence[Step], given: dict[str, Any], now: datetime = BEGINS
) -> Accepted | Refusal:
    """The answer of the first of several people who are asked."""
    return accepting.answer(
        Turn(session, now, KEY, Door.COMMAND_LINE),
        steps[0].id,
        Code(code_of(steps[0]), steps[0].assignee),
        read_answer(given),
    )


def screen(session: Session, organisation: str, given: dict[str, Any] | None = None) -> None:
    """An organisation screens what is proposed to it (approves all unless told) and puts it forward."""
    identifier = nomination_of(organisation)
    steps = screening.ask(Turn(session, BEGINS, KEY), identifier)
    result = answered(session, steps, given or {"approve": ["all"]})
    assert isinstance(result, Accepted), result
    assert screening.ask(Turn(session, BEGINS, KEY), identifier) == []
    screening.put_forward(Turn(session, BEGINS, KEY), identifier)


def awarded(session: Session, given: dict[str, Any] | None = None, **changes: Any) -> str:
    """The whole year to its award, everything approved unless told."""
    identifier = begun(session, **changes)
    for organisation in (OWN, OTHER):
        screen(session, organisation)
    awarding.merge_nominations(Turn(session, BEGINS, KEY), identifier)
    steps = awarding.ask(Turn(session, BEGINS, KEY), identifier)
    answered(session, steps, given or {"approve": ["all"]})
    assert awarding.ask(Turn(session, BEGINS, KEY), identifier) == []
    awarding.award(Turn(session, BEGINS, KEY), identifier)
    return identifier
