"""The small world of a batch of courses: an organisation, its people, teachers and schools that apply, and rules made by chance."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.walk.model import Rules
from labels.record.schema import (
    Activity,
    Award,
    Member,
    Organisation,
    Project,
    School,
    Staff,
    Teacher,
)
from labels.rules.loading import load_rules, load_school_rules
from labels.rules.model import RuleEdition, SelfAssessmentRules
from labels.school_label.prefilling import FIELDS
from labels.steps.answers import SelfAssessment, read_answer

BEGINS = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 16)
OWN, CENTRAL, FAR = "NSS-PL", "CSS", "NSS-PT"
COORDINATORS = ("coordinator@nss.example", "second.coordinator@nss.example")
CENTRALS = ("ada@css.example", "ben@css.example", "cleo@css.example")
QUESTIONS: SelfAssessmentRules = load_school_rules(OWN, TODAY).self_assessment  # type: ignore[assignment]  # theirs have it

_VOICES = (None, "mean", "median", "nearest_two", "third")


def reviewer(number: int) -> str:
    """The address of one of the organisation's reviewers, counted from 1."""
    return f"r{number}@nss.example"


def rules_by_chance(chance: random.Random, shipped: RuleEdition) -> RuleEdition:
    """An edition with other numbers, within what rules may say."""
    body = shipped.to_json()
    review = body["national"]["review"]
    reviewers = chance.choice((1, 2, 2, 2, 3))
    drawn: dict[str, Any] = {
        "reviewers": reviewers,
        "most_reviewers": reviewers + chance.choice((0, 1, 1, 2)),
        "merge": chance.choice(("mean", "mean", "median")),
        "third_voice": chance.choice(_VOICES),
        "disagreement": chance.choice((4, 6, 9)),
        "border": chance.choice((0, 1, 2)),
    }
    for name, value in drawn.items():
        review[name] = None if value is None else {"value": value, "source": "assumption"}
    body["national"]["appeal_days"] = {"value": chance.choice((0, 15, 30)), "source": "assumption"}
    return RuleEdition.from_json(body)


def known_to_the_model(edition: RuleEdition) -> Rules:
    """The numbers of an edition that the model counts with."""
    body = edition.to_json()["national"]
    review: dict[str, Any] = {
        name: one["value"] for name, one in body["review"].items() if one and "value" in one
    }
    criteria = edition.criteria_set.criteria
    return Rules(
        reviewers=review["reviewers"],
        most=review["most_reviewers"],
        merge=review["merge"],
        third_voice=review.get("third_voice"),
        disagreement=review["disagreement"],
        border=review["border"],
        pass_mark=body["pass_mark"]["value"],
        minimum={one.id: edition.minimum(one) for one in criteria},
        counted=tuple(one.id for one in criteria if one.part_of is None),
        appeals=body["appeal_days"]["value"] > 0,
    )


def points_by_chance(chance: random.Random, edition: RuleEdition) -> dict[str, int]:
    """What a reviewer gives, near the pass mark, where all that is delicate happens."""
    criteria = edition.criteria_set
    level = edition.national.pass_mark.value / criteria.maximum + chance.gauss(0.06, 0.12)
    return {
        one.id: min(one.maximum, max(0, round(one.maximum * (level + chance.gauss(0, 0.1)))))
        for one in criteria.criteria
    }


def self_assessment(level: int = 2) -> SelfAssessment:
    """A whole self-assessment of a school."""
    answers: dict[str, dict[str, Any]] = {}
    for one in QUESTIONS.questions:
        answers.setdefault(one.pillar, {})[one.id] = {"level": level, "text": f"O tym: {one.id}."}
    said = {one.id: "Klasy 5a i 6b." for one in QUESTIONS.requirements if one.document is None}
    given = read_answer(
        {"confirmed": dict.fromkeys(FIELDS, True), "disputed": {}, "answers": answers, "requirements": said}
    )
    assert isinstance(given, SelfAssessment)
    return given


def populate(session: Session, *, reviewers: int, teachers: int, schools: int) -> None:
    """The registry of a batch: `TW-n` may apply for `PW-n`, school `SW-n` meets the conditions of the School Label."""
    for identifier, country, kind in ((OWN, "PL", "NSS"), (FAR, "PT", "NSS"), (CENTRAL, "EU", "CSS")):
        session.add(
            Organisation(
                id=identifier, country=country, kind=kind, name=identifier, email=f"{identifier.lower()}@x.example",
                language="en",
            )
        )  # fmt: skip
    session.flush()
    people = [(one, "coordinator", OWN) for one in COORDINATORS]
    people += [(one, "coordinator", CENTRAL) for one in CENTRALS]
    people += [("nuno@pt.example", "coordinator", FAR)]
    people += [(reviewer(n), "reviewer", OWN) for n in range(1, reviewers + 1)]
    for n, (address, role, organisation) in enumerate(people):
        session.add(
            Staff(
                email=address, role=role, name=f"Osoba {_NAMES[n]}", organisation=organisation, language="en", school=None,
            )
        )  # fmt: skip
    _school(session, "SP-1", "PL", OWN)
    _school(session, "SP-2", "PT", FAR)
    session.flush()
    _teacher(session, "T-2", "João Conceição", "SP-2")
    for n in range(teachers):
        _teacher(session, f"TW-{n}", f"Nauczycielka {n}", "SP-1")
        _project(session, f"PW-{n}", (f"TW-{n}", "T-2"))
    for n in range(schools):
        _eligible_school(session, n)


_NAMES = (
    "Abramska", "Bielawa", "Cichocka", "Dudek", "Ernst", "Falkowska", "Grabiec", "Halicka", "Iwan", "Jarosz", "Kmita",
    "Lipiec", "Malec", "Nowacka", "Orzech", "Pietras", "Rataj", "Sowa",
)  # fmt: skip
"""One for each of the staff: no two of them may be one person."""


def _school(session: Session, identifier: str, country: str, organisation: str) -> None:
    session.add(
        School(
            id=identifier, name=f"Szkoła {identifier}", country=country, organisation=organisation, city="Łódź",
            registered_on=date(2015, 1, 1), principal_name=f"Dyrektor {identifier}",
            principal_email=f"head.{identifier.lower()}@s.example",
        )
    )  # fmt: skip


def _teacher(session: Session, identifier: str, name: str, school: str) -> None:
    session.add(
        Teacher(
            id=identifier, name=name, email=f"{identifier.lower()}@school.example", school=school,
            registered_on=date(2015, 1, 1), language="pl",
        )
    )  # fmt: skip


def _project(session: Session, identifier: str, members: tuple[str, ...]) -> None:
    session.add(
        Project(
            id=identifier, title=f"Mosty {identifier}", started_on=date(2025, 9, 1), ended_on=date(2026, 3, 1)
        )
    )
    session.flush()
    for teacher in members:
        session.add(Member(project=identifier, teacher=teacher, role="founder", joined_on=date(2025, 9, 1)))


def _eligible_school(session: Session, n: int) -> None:
    school, one, other = f"SW-{n}", f"TS-{n}a", f"TS-{n}b"
    _school(session, school, "PL", OWN)
    session.flush()
    for teacher in (one, other):
        _teacher(session, teacher, f"Uczestniczka {teacher}", school)
    session.flush()
    _project(session, f"PS-{n}", (one, other, "T-2"))
    session.add(
        Award(
            id=f"NQL-S-{n}", label="national", teacher="T-2", project=f"PS-{n}", school="SP-2", organisation=FAR,
            awarded_on=date(2026, 3, 10), score=None,
        )
    )  # fmt: skip
    for k, (teacher, kind) in enumerate(
        ((one, "online_seminar"), (other, "learning_event"), (other, "event_created"), (one, "workshop")), 1
    ):
        session.add(
            Activity(
                id=f"A-{n}-{k}",
                teacher=teacher,
                kind=kind,
                title=f"Kurs {k}",
                on=date(2025, 5, k),
                confirmed=True,
            )
        )


def add_label(session: Session, n: int, organisation: str, score: float, on: date) -> None:
    """A National Quality Label of an organisation for project `PE-n`, for the European year."""
    country = "PL" if organisation == OWN else "PT"
    teacher = f"TE-{n}-{country}"
    _teacher(session, teacher, f"Laureatka {teacher}", "SP-1" if organisation == OWN else "SP-2")
    if session.get(Project, f"PE-{n}") is None:
        _project(session, f"PE-{n}", ())
    session.flush()
    session.add(Member(project=f"PE-{n}", teacher=teacher, role="founder", joined_on=date(2025, 9, 1)))
    session.add(
        Award(
            id=f"NQL-E-{n}-{country}", label="national", teacher=teacher, project=f"PE-{n}",
            school="SP-1" if organisation == OWN else "SP-2", organisation=organisation, awarded_on=on, score=score,
        )
    )  # fmt: skip


def own_rules(chance: random.Random) -> RuleEdition:
    """The organisation's rules with other numbers."""
    return rules_by_chance(chance, load_rules(chance.choice((OWN, "NSS-RS", "NSS-ES")), TODAY))
