"""A school's self-assessment as its own people see it: what is asked, what stands there, by whom, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.proving import OF_A_SCHOOL, standing
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.people.persons import person
from labels.record.schema import (
    Application,
    Document,
    School,
    Step,
    StepKind,
    StepState,
)
from labels.registry.history import all_numbers
from labels.rules.kept import rules_of
from labels.rules.model import Limits, Requirement, SchoolDocument, SelfAssessmentRules, SelfQuestion
from labels.school_label import handing_in
from labels.school_label.drafting import Drafted, clashes, drafted, drafts
from labels.school_label.fields import Clash, Field
from labels.school_label.prefilling import FIELDS, FilledRow
from labels.school_label.receiving import documents_of, questions_of
from labels.school_label.self_assessment import missing, share
from labels.steps.step import steps_of
from labels.views.school import SchoolCase, case_of


@dataclass(frozen=True, slots=True)
class Writer:
    """One of those who write it together."""

    person: str
    name: str
    address: str
    saved_at: datetime | None
    """When they changed something last."""
    open: bool
    """Whether they can write and hand in."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What the registry knows of one thing, to be confirmed."""

    field: str
    """`members`, `projects`, `professional_development` or `events`."""
    rows: tuple[FilledRow, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing before it can be handed in: the field, and what of it."""

    field: Field
    what: str
    """`level`, `text`, `plan`, `confirm`, `reason`, `requirement`, `document`, `share`, `unknown`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the reviewers to whoever handed in, and the answer once there is one."""

    step: str
    person: str
    name: str
    question: str
    due_at: datetime | None
    open: bool
    answer: str
    links: tuple[str, ...]
    draft: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The self-assessment of a school."""

    application: str
    school: str
    """The id of the school by which its people know it now."""
    name: str
    city: str
    country: str
    principal: str
    """The name of the principal."""
    organisation: str
    round: str
    case: SchoolCase
    step: Step | None
    """What is open for the person who looks: the self-assessment or its confirmation; None where nothing is."""
    now: Drafted
    questions: SelfAssessmentRules
    limits: Limits
    filled: tuple[Filled, ...]
    since: date | None
    documents: tuple[Document, ...]
    missing: tuple[Missing, ...]
    clashes: tuple[Clash, ...]
    writers: tuple[Writer, ...]
    chosen: Writer | None
    """Who hands in for all, where that was said."""
    reached: int
    """Per cent of the levels."""
    asked: tuple[Asked, ...]
    returned: str
    """Why the principal sent it back to the person who looks; empty where nobody did."""

    @property
    def writing(self) -> bool:
        """Whether the person who looks can write on it."""
        return self.step is not None and self.step.kind is StepKind.SELF_ASSESSMENT and self.case.writing

    @property
    def confirming(self) -> bool:
        """Whether the person who looks is to confirm it."""
        return self.step is not None and self.step.kind is StepKind.DECLARATION

    def questions_in(self, pillar: str) -> list[SelfQuestion]:
        """The questions of a pillar."""
        return [one for one in self.questions.questions if one.pillar == pillar]

    def met_by_itself(self, one: Requirement) -> bool:
        """Whether rows or documents show a requirement, whatever is written under it."""
        return ("requirements", one.id) not in {
            missed.field for missed in self.missing
        } and not self.now.fields.get(("requirements", one.id))


_OF_ITS_PEOPLE = (*OF_A_SCHOOL, StepKind.INFORMATION)
"""What the people of a school are asked for; who reviews or coordinates reads it where they judge it."""


def sheet(
    session: Session, whose: str, schools: Collection[str], application: str, now: datetime
) -> Sheet | None:
    """The self-assessment for somebody who was asked for something in it, or whose school it is; None while nothing is
    filled in from the registry yet.

    Raises:
        NotFound: it is another school's, or there is none.
    """
    row = session.get(Application, application)
    if row is None or row.label != LabelKind.SCHOOL:
        raise NotFound("There is nothing here.")
    steps = steps_of(session, row)
    own = [one for one in steps if one.person == whose and one.kind in _OF_ITS_PEOPLE]
    [numbers] = all_numbers(session, [row.school or ""])
    known_as = sorted(numbers & set(schools))
    if not own and not known_as:
        raise NotFound("There is nothing here.")
    if "prefilled" not in row.content:
        if row.outcome is not None:
            raise NotFound("There is nothing here.")
        return None
    school = session.get_one(School, known_as[0] if known_as else row.school)
    drafted_now, questions = drafted(session, row), questions_of(session, row)
    open_now = [
        one
        for one in own
        if one.state is StepState.OPEN
        and one.kind in OF_A_SCHOOL
        and standing(session, row, one, now) is None
    ]
    step = open_now[-1] if open_now else None
    writers = _writers(session, row, steps)
    chosen = handing_in.chosen(session, row)
    filled = row.content["prefilled"]
    limits = rules_of(session, row).national.limits
    return Sheet(
        application=row.id,
        school=school.id if known_as else "",
        name=school.name,
        city=school.city,
        country=school.country,
        principal=person(session, session.get_one(School, row.school).principal).name,
        organisation=row.organisation,
        round=row.round or "",
        case=case_of(session, row),
        step=step,
        now=drafted_now,
        questions=questions,
        limits=limits,
        filled=tuple(Filled(name, tuple(map(FilledRow.read, filled[name]))) for name in FIELDS),
        since=date.fromisoformat(filled["since"]),
        documents=tuple(
            session.scalars(
                sa.select(Document)
                .where(Document.application == row.id, Document.kind == "evidence")
                .order_by(Document.id)
            )
        ),
        missing=tuple(_missing(session, row, drafted_now, questions, filled)),
        clashes=clashes(drafted_now, step) if step and step.kind is StepKind.SELF_ASSESSMENT else (),
        writers=writers,
        chosen=next((one for one in writers if chosen and one.person == chosen.person), None),
        reached=share(questions, drafted_now.given),
        asked=tuple(_asked(session, row)),
        returned=(step.refused or "") if step and _was_sent_back(session, row, step) else "",
    )


def _was_sent_back(session: Session, row: Application, step: Step) -> bool:
    return any(
        one.asked_by == step.id and one.state is StepState.DECLINED
        for one in steps_of(session, row, StepKind.DECLARATION)
    )


def _writers(session: Session, row: Application, steps: Collection[Step]) -> tuple[Writer, ...]:
    last = {one.person: one.saved_at for one in drafts(session, row) if one.person}
    return tuple(
        Writer(
            one.person,
            person(session, one.person).name,
            one.assignee,
            last.get(one.person),
            one.state is StepState.OPEN,
        )
        for one in steps
        if one.kind is StepKind.SELF_ASSESSMENT
    )


def _missing(
    session: Session,
    row: Application,
    now: Drafted,
    questions: SelfAssessmentRules,
    filled: Mapping[str, Any],
) -> list[Missing]:
    """What the rules miss, by the fields of the form."""
    documents = documents_of(session, row)
    found = []
    for fault in missing(questions, filled, now.given, documents):
        name, *rest = fault.where.split(".")
        match name:
            case "confirmed" if rest[0] in FIELDS:
                found.append(Missing(("confirmed", rest[0]), "confirm"))
            case "disputed":
                found.append(Missing(("disputed", ".".join(rest)), "reason"))
            case "answers" if not rest:
                found.append(Missing(("answers",), "share"))
            case "answers":
                where = tuple(rest[:2])
                empty = now.fields.get(("answers", *where, "level")) is None
                found.append(
                    Missing(("answers", *where, "level" if empty else "text"), "level" if empty else "text")
                )
            case "plan" if questions.plan:
                found.append(Missing(("plan", rest[0]), "plan"))
            case "requirements":
                found.append(Missing(("requirements", rest[0]), "requirement"))
            case "documents":
                pass  # below, by their kinds
            case _:
                found.append(Missing((fault.where,), "unknown"))
    return found + [
        Missing(("documents", one.value), "document") for one in SchoolDocument if one not in documents
    ]


def _asked(session: Session, row: Application) -> list[Asked]:
    return [
        Asked(
            one.id,
            one.person,
            person(session, one.person).name,
            one.question or "",
            one.due_at,
            one.state is StepState.OPEN,
            (one.answer or {}).get("text", "") if one.state is StepState.ANSWERED else "",
            tuple((one.answer or {}).get("links") or ()),
            (one.draft or {}).get("text", ""),
        )
        for one in steps_of(session, row, StepKind.INFORMATION)
    ]
