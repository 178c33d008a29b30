"""A school's application for tests: S-1 of the small registry, from its invitation on, and what its people do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.answering import accepting
from labels.applications.documents import StoredDocument
from labels.clock import end_of_day
from labels.record.engine import Record
from labels.record.schema import (
    Activity,
    Application,
    Award,
    Journal,
    Mail,
    Organisation,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import asking
from labels.rules.loading import load_rules, load_school_rules
from labels.rules.model import SelfAssessmentRules
from labels.school_label import inviting, prefilling, rounds
from labels.steps.answers import Declaration, ReviewAnswer, SelfAssessment, read_answer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door, Turn
from tests.support.people import KEY, code_of, populate

TODAY = date(2026, 3, 16)
QUESTIONS: SelfAssessmentRules = load_school_rules("NSS-PL", TODAY).self_assessment  # type: ignore[assignment]  # theirs have it
FILES = tuple(
    StoredDocument("evidence", name, f"sha256/{name}", "application/pdf", 1)
    for name in ("safety-rules.pdf", "Policy 2026.pdf", "declaration.pdf")
)


def whole(level: int = 2, questions: SelfAssessmentRules = QUESTIONS, **changes: Any) -> SelfAssessment:
    """A complete self-assessment, with changes."""
    answers: dict[str, dict[str, Any]] = {}
    for one in questions.questions:
        answers.setdefault(one.pillar, {})[one.id] = {"level": level, "text": f"O tym: {one.id}."}
    given = {
        "confirmed": dict.fromkeys(prefilling.FIELDS, True),
        "disputed": {},
        "answers": answers,
        "requirements": {"B": "Also Łucja.", "C": "Classes 5a and 6b.", "E": "https://szkola.example"},
        "plan": {pillar.id: f"Plan: {pillar.id}." for pillar in questions.pillars if questions.plan},
    }
    read = read_answer(given | changes)
    assert isinstance(read, SelfAssessment)
    return read


class School:
    """The application of S-1, whose teachers T-1 and T-3 were invited, and what its people do."""

    def __init__(self, record: Record) -> None:
        self.record, self.now = record, end_of_day(TODAY)
        with record.writing() as session:
            populate(session)
            session.add(
                Organisation(
                    id="CSS", country="EU", kind="CSS", name="CSS", email="css@x.example", language="en"
                )
            )
            session.flush()
            session.add(
                Award(
                    id="NQL-1", label="national", teacher="T-2", project="P-1", school=None,
                    organisation="NSS-PT", awarded_on=date(2026, 3, 10), score=None, valid_until=None,
                    revoked_at=None,
                )
            )  # fmt: skip
            session.add_all(
                Activity(
                    id=f"A-{n}", teacher=teacher, kind=kind, title=f"Kurs {n}", on=date(2025, 5, n), confirmed=yes
                )
                for n, (teacher, kind, yes) in enumerate(
                    [
                        ("T-1", "online_seminar", True), ("T-3", "learning_event", True),
                        ("T-3", "event_created", True), ("T-1", "workshop", False), ("T-2", "workshop", True),
                    ],
                    1,
                )
            )  # fmt: skip
            rounds.begin(Turn(session, self.now, KEY), TODAY, lambda whose: load_rules(whose, TODAY))
            rounds.check(Turn(session, self.now, KEY), 2026)
            inviting.invite(Turn(session, self.now, KEY), 2026, lambda whose: load_school_rules(whose, TODAY))
            [self.id] = session.scalars(sa.select(Application.id)).all()
        self.do(prefilling.prefill, self.id)

    def do(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.do_as("", act, *args, **kwargs)

    def do_as(self, person: str, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.record.writing() as session:
            turn = Turn(session, self.now, KEY, Door.COMMAND_LINE, person)
            return act(turn, *args, **kwargs)

    def row(self) -> Application:
        with self.record.reading() as session:
            return session.get_one(Application, self.id)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.record.reading() as session:
            return list(session.scalars(sa.select(table)))

    def open(self, kind: StepKind) -> list[Step]:
        """The open steps of a kind, in the order of their numbers."""
        with self.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Step)
                    .where(Step.application == self.id, Step.kind == kind, Step.state == StepState.OPEN)
                    .order_by(Step.number)
                )
            )

    def answer(self, step: Step, given: Any, documents: tuple[StoredDocument, ...] = ()) -> Any:
        return self.do(
            accepting.answer, step.id, Code(code_of(step), step.assignee), given,
            documents=documents,
        )  # fmt: skip

    def hand_in(self, given: SelfAssessment | None = None, who: int = 0) -> Any:
        return self.answer(self.open(StepKind.SELF_ASSESSMENT)[who], given or whole(), FILES)

    def declare(self) -> Any:
        [step] = self.open(StepKind.DECLARATION)
        return self.answer(step, Declaration(declare=True))

    def ask(self) -> list[Step]:
        return list(self.do(asking.ask, self.id))

    def review(self, each: int) -> None:
        """Every reviewer who is asked gives so many points for each pillar."""
        while steps := self.ask():
            points = {pillar.id: each for pillar in QUESTIONS.pillars}
            assert isinstance(self.answer(steps[0], ReviewAnswer(scores=points, comment="Dobrze.")), Accepted)

    def mails(self) -> Counter[tuple[str, str]]:
        with self.record.reading() as session:
            rows = session.scalars(sa.select(Mail).where(Mail.application == self.id))
            return Counter((mail.template, mail.to_address) for mail in rows)

    def journal(self) -> list[str]:
        with self.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Journal.what).where(Journal.application == self.id).order_by(Journal.id)
                )
            )
