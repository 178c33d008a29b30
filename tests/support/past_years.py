"""Years of applications as they look when they are over or under way, made up by chance, with what each of them was.

The rows are written as they are, without the processes that make them: what is counted from them can then be counted
a second time from the facts alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.people.roles import Role
from labels.record.schema import (
    Application,
    Award,
    Base,
    Decision,
    Organisation,
    Outcome,
    Person,
    Project,
    Review,
    School,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.rules.kept import keep_rules
from labels.rules.loading import load_rules, load_school_rules

_OUTCOMES: tuple[Outcome, ...] = (
    *(Outcome.AWARDED,) * 12, *(Outcome.REFUSED,) * 6, Outcome.INELIGIBLE, Outcome.WITHDRAWN,
)  # fmt: skip
_OPEN = (Stage.REVIEW, Stage.REVIEW, Stage.INFORMATION, Stage.ASSIGNMENT, Stage.SUBMITTED)
_BATCH = 4_000


@dataclass(frozen=True)
class Given:
    """A review."""

    person: str
    opened: datetime
    given: datetime
    waited: timedelta
    points: int
    """For each criterion."""


@dataclass(frozen=True)
class Fact:
    """What one application was."""

    number: int
    organisation: str
    year: int
    label: LabelKind
    declared: bool
    """A school's; true of a teacher's."""
    submitted: datetime
    outcome: Outcome | None
    stage: Stage
    decided: datetime | None
    """For the first time."""
    reviews: tuple[Given, ...] = ()
    revoked: bool = False
    appeal: Outcome | None = None
    """What became of an appeal."""
    pending: bool = False
    """An appeal is not decided."""

    @property
    def id(self) -> str:
        return ("NQL" if self.label is LabelKind.NATIONAL else "SCH") + f"-Y{self.number:09d}"


@dataclass
class Europe:
    """The organisations, each with as many applications a year, and reviewers."""

    sizes: dict[str, int]
    years: Sequence[int]
    now: datetime
    seed: int = 1
    reviewers: int = 9
    schools: float = 0.25
    """Of the applications, those of schools."""
    facts: list[Fact] = field(default_factory=list)

    def plan(self) -> list[Fact]:
        """Makes up the applications."""
        luck = random.Random(self.seed)
        for organisation, size in self.sizes.items():
            for year in self.years:
                for _ in range(size):
                    self.facts.append(self._fact(luck, len(self.facts), organisation, year))
        return self.facts

    def _fact(self, luck: random.Random, number: int, organisation: str, year: int) -> Fact:
        label = LabelKind.SCHOOL if luck.random() < self.schools else LabelKind.NATIONAL
        submitted = datetime(year, 10, 1, tzinfo=UTC) + timedelta(minutes=luck.randrange(150 * 1440))
        submitted = min(submitted, self.now - timedelta(days=40))
        running = year == max(self.years) and luck.random() < 0.3
        outcome = None if running else luck.choice(_OUTCOMES)
        declared = label is LabelKind.NATIONAL or luck.random() < 0.8
        if not declared:
            outcome = None if running else Outcome.EXPIRED
            stage = Stage.SELF_ASSESSMENT if running else Stage.CLOSED
            return Fact(number, organisation, year, label, False, submitted, outcome, stage, None)
        reviews: list[Given] = []
        if outcome in (Outcome.AWARDED, Outcome.REFUSED) or (running and luck.random() < 0.5):
            for seat in luck.sample(range(self.reviewers), 2 if luck.random() < 0.9 else 1):
                opened = submitted + timedelta(days=1)
                given = opened + timedelta(hours=luck.randrange(10, 600))
                waited = timedelta(days=luck.randrange(1, 6)) if luck.random() < 0.2 else timedelta()
                reviews.append(
                    Given(f"PER-{organisation}-{seat}", opened, given, waited, luck.randrange(2, 5))
                )
        decided = None
        if outcome is not None:
            decided = submitted + timedelta(hours=luck.randrange(700, 2000))
        appeal, pending = None, False
        if outcome in (Outcome.AWARDED, Outcome.REFUSED) and luck.random() < 0.1:
            appeal = outcome
        elif outcome is Outcome.REFUSED and luck.random() < 0.05:
            outcome, pending = None, True
        revoked = outcome is Outcome.AWARDED and luck.random() < 0.05
        stage = luck.choice(_OPEN) if outcome is None else Stage.CLOSED
        return Fact(
            number, organisation, year, label, True, submitted, outcome, stage, decided, tuple(reviews), revoked,
            appeal, pending,
        )  # fmt: skip

    def fill(self, session: Session) -> list[Fact]:
        """Writes the organisations and the applications into a record."""
        if not self.facts:
            self.plan()
        self._organisations(session)
        rules = {
            LabelKind.NATIONAL: keep_rules(session, load_rules("NSS-PL", self.now.date())),
            LabelKind.SCHOOL: keep_rules(session, load_school_rules("NSS-PL", self.now.date())),
        }
        criteria = {
            LabelKind.NATIONAL: load_rules("NSS-PL", self.now.date()).criteria_set,
            LabelKind.SCHOOL: load_school_rules("NSS-PL", self.now.date()).criteria_set,
        }
        scores = {label: [one.id for one in found.counted] for label, found in criteria.items()}
        for start in range(0, len(self.facts), _BATCH):
            part = self.facts[start : start + _BATCH]
            for table in (School, Project, Application, Award, Step, Review, Decision):
                rows = [row for one in part for row in _ROWS[table](one, rules[one.label], scores[one.label])]
                if rows:
                    session.execute(sa.insert(table), rows)
        session.flush()
        return self.facts

    def _organisations(self, session: Session) -> None:
        for organisation in self.sizes:
            if session.get(Organisation, organisation) is None:
                session.add(
                    Organisation(
                        id=organisation, country=organisation[-2:], kind="NSS", name=f"Agency {organisation}",
                        email=f"{organisation.lower()}@nss.example", language="en",
                    )
                )  # fmt: skip
            session.flush()
            session.add(_school(f"S-{organisation}", organisation))
            session.flush()
            session.add(
                Teacher(
                    id=f"T-{organisation}", name=f"Teacher of {organisation}", school=f"S-{organisation}",
                    email=f"t-{organisation.lower()}@school.example", language="en",
                    registered_on=datetime(2015, 1, 1).date(),
                )
            )  # fmt: skip
            for seat in range(self.reviewers):
                address = f"r{seat}-{organisation.lower()}@nss.example"
                whole = f"PER-{organisation}-{seat}"
                session.add(Person(id=whole, name=f"Reviewer {seat}", address=address, language="en"))
                session.flush()
                session.add(
                    Staff(
                        email=address, role=Role.REVIEWER, name=f"Reviewer {seat}", organisation=organisation,
                        language="en", person=whole,
                    )
                )  # fmt: skip
        session.flush()


def _school(identifier: str, organisation: str) -> School:
    return School(
        id=identifier, name=f"School {identifier}", country=organisation[-2:], organisation=organisation, city="Town",
        registered_on=datetime(2010, 1, 1).date(), principal_name="Principal",
        principal_email=f"principal@{organisation.lower()}.example",
    )  # fmt: skip


Rows = Iterator[dict[str, Any]]


def _schools(one: Fact, rules: str, criteria: list[str]) -> Rows:
    if one.label is LabelKind.SCHOOL:
        yield {
            "id": f"SX-{one.number}", "name": f"School {one.number}", "country": one.organisation[-2:],
            "organisation": one.organisation, "city": "Town", "registered_on": datetime(2010, 1, 1).date(),
            "principal_name": "Principal", "principal_email": f"p{one.number}@school.example",
            "principal": f"PER-{one.organisation}-0", "succeeds": None,
        }  # fmt: skip


def _projects(one: Fact, rules: str, criteria: list[str]) -> Rows:
    if one.label is LabelKind.NATIONAL:
        yield {
            "id": f"PX-{one.number}", "title": f"Project {one.number}", "started_on": datetime(one.year, 1, 1).date(),
            "ended_on": None,
        }  # fmt: skip


def _applications(one: Fact, rules: str, criteria: list[str]) -> Rows:
    national = one.label is LabelKind.NATIONAL
    yield {
        "id": one.id, "label": one.label, "teacher": f"T-{one.organisation}" if national else None,
        "project": f"PX-{one.number}" if national else None,
        "school": f"S-{one.organisation}" if national else f"SX-{one.number}", "organisation": one.organisation,
        "country": one.organisation[-2:], "language": "en", "attempt": 1,
        "instance": 2 if one.appeal or one.pending else 1, "content": {"text": "x" * 600},
        "content_digest": f"digest {one.number}", "rules": rules, "submitted_at": one.submitted,
        "school_year": one.year, "round": None, "decide_by": None, "stage": one.stage, "stage_since": one.submitted,
        "outcome": one.outcome, "revision": 0, "parked_revision": -1, "run": None, "runs": 0, "form_seen": None,
    }  # fmt: skip


def _awards(one: Fact, rules: str, criteria: list[str]) -> Rows:
    if one.outcome is Outcome.AWARDED:
        assert one.decided is not None
        yield {
            "id": one.id, "label": one.label, "teacher": None, "project": None, "school": None,
            "organisation": one.organisation, "awarded_on": one.decided.date(), "score": None, "valid_until": None,
            "revoked_at": one.decided + timedelta(days=1) if one.revoked else None, "revoked_on": None,
        }  # fmt: skip


def _step(one: Fact, kind: StepKind, number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"STEP-{one.number}-{kind.value}-{number}", "application": one.id, "kind": kind, "number": number,
        "instance": 1, "seat": 1, "person": f"PER-{one.organisation}-0", "organisation": None,
        "state": StepState.ANSWERED, "opened_at": one.submitted, "due_at": None, "stopped_at": None, "asked_by": None,
        "question": None, "answer": None, "code_hash": "", "code_number": 1, "code_failures": 0, "refused": None,
        "draft": None, "typed": None, "closed_at": None, "closed_because": None,
    } | more  # fmt: skip


def _steps(one: Fact, rules: str, criteria: list[str]) -> Rows:
    if one.label is LabelKind.SCHOOL and one.declared:
        yield _step(one, StepKind.DECLARATION, 1)
    for seat, review in enumerate(one.reviews, 1):
        asked = _step(
            one, StepKind.REVIEW, seat, seat=seat, person=review.person, opened_at=review.opened,
            closed_at=review.given + review.waited,
        )  # fmt: skip
        yield asked
        if review.waited:
            yield _step(
                one, StepKind.INFORMATION, seat, asked_by=asked["id"], opened_at=review.opened,
                closed_at=review.opened + review.waited,
            )  # fmt: skip
    if one.appeal or one.pending:
        yield _step(one, StepKind.APPEAL, 1)


def _reviews(one: Fact, rules: str, criteria: list[str]) -> Rows:
    for seat, review in enumerate(one.reviews, 1):
        yield {
            "step": f"STEP-{one.number}-{StepKind.REVIEW.value}-{seat}", "application": one.id, "instance": 1,
            "reviewer": "somebody", "scores": dict.fromkeys(criteria, review.points), "comment": "", "note": "",
            "given_at": review.given, "documents_digest": "", "void_at": None, "void_because": None, "salts": None,
            "erased": None,
        }  # fmt: skip


def _decisions(one: Fact, rules: str, criteria: list[str]) -> Rows:
    if one.decided is None:
        return
    first = Outcome.REFUSED if one.appeal or one.pending else one.outcome
    told = [(1, first, one.decided)]
    if one.appeal:
        told.append((2, one.appeal, one.decided + timedelta(days=30)))
    for instance, outcome, at in told:
        yield {
            "application": one.id, "instance": instance, "outcome": outcome, "score": None,
            "verdict": {"text": "x" * 600}, "inputs_digest": "", "rules": rules, "decided_at": at, "salts": None,
            "erased": None,
        }  # fmt: skip


_ROWS: dict[type[Base], Any] = {
    School: _schools,
    Project: _projects,
    Application: _applications,
    Award: _awards,
    Step: _steps,
    Review: _reviews,
    Decision: _decisions,
}
