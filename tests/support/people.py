"""A small registry for tests: one Polish teacher who applies, partners, reviewers and a coordinator."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from labels.papers.codes import Stamp
from labels.record.schema import Member, Organisation, Project, School, Staff, Step, Teacher
from labels.steps.codes import review_code
from tests.support import persons as persons

NOW = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 16)
KEY = b"a key for tests"
STAMP = Stamp(KEY, "https://labels.example/verify")
CRITERIA = (
    "pedagogical_innovation", "curricular_integration", "communication", "collaboration", "technology", "results",
)  # fmt: skip


def populate(session: Session, organisation: str = "NSS-PL", country: str = "PL", reviewers: int = 5) -> None:
    """One organisation with `reviewers` reviewers without conflicts, and a project of two countries."""
    session.add_all(
        [
            Organisation(
                id=organisation,
                country=country,
                kind="NSS",
                name="Narodowe Biuro",
                email="nss@nss.example",
                language="pl",
            ),
            Organisation(
                id="NSS-PT", country="PT", kind="NSS", name="Agência", email="nss@pt.example", language="pt"
            ),
        ]
    )
    session.flush()
    session.add_all(
        [
            _school("S-1", "Szkoła Podstawowa nr 7", country, organisation),
            _school("S-2", "Escola Básica", "PT", "NSS-PT"),
            _school("S-9", "Liceum nr 9", country, organisation),
        ]
    )
    session.flush()
    session.add_all(
        [
            _teacher("T-1", "Zażółć Gęślą", "S-1"),
            _teacher("T-2", "João Conceição", "S-2"),
            _teacher("T-3", "Łucja Źdźbło", "S-1"),
            Project(
                id="P-1", title="Mosty przez Europę", started_on=date(2025, 9, 1), ended_on=date(2026, 3, 1)
            ),
            Project(id="P-2", title="Rios", started_on=date(2024, 9, 1), ended_on=date(2025, 3, 1)),
        ]
    )
    session.flush()
    session.add_all(
        [
            Member(project="P-1", teacher="T-1", role="founder", joined_on=date(2025, 9, 1)),
            Member(project="P-1", teacher="T-2", role="founder", joined_on=date(2025, 9, 1)),
            Member(project="P-1", teacher="T-3", role="partner", joined_on=date(2025, 9, 1)),
        ]
    )
    session.add(
        Staff(
            email="coordinator@nss.example",
            role="coordinator",
            name="Krystyna",
            organisation=organisation,
            language="pl",
            school=None,
        )
    )
    for n in range(1, reviewers + 1):
        session.add(
            Staff(
                email=f"r{n}@nss.example",
                role="reviewer",
                name=f"Recenzent {n}",
                organisation=organisation,
                language="pl",
                school=None,
            )
        )


def _school(identifier: str, name: str, country: str, organisation: str) -> School:
    return School(
        id=identifier, name=name, country=country, organisation=organisation, city="Łódź",
        registered_on=date(2015, 1, 1), principal_name="Dyrektor", principal_email="dyrektor@s.example",
    )  # fmt: skip


def _teacher(identifier: str, name: str, school: str) -> Teacher:
    email = f"{identifier.lower()}@school.example"
    return Teacher(
        id=identifier, name=name, email=email, school=school, registered_on=date(2015, 1, 1), language="pl"
    )


def application_file(**changes: Any) -> dict[str, Any]:
    """A good application of T-1 for P-1, with changes."""
    words = "Uczniowie badali rzeki swoich regionów i porównywali wyniki z partnerami w mieszanych zespołach"
    return {
        "label": "national",
        "teacher": "T-1",
        "project": "P-1",
        "language": "pl",
        "preconditions": {
            "shared_plan": True,
            "finished": True,
            "contributed": True,
            "collaborative": True,
            "safe": True,
        },
        "description": "Projekt o mostach i rzekach.",
        "links": ["https://twinspace.example/42"],
        "pupils": {"count": 24, "average_age": 13},
        "sections": {criterion: f"{words} ({criterion})." for criterion in CRITERIA},
    } | changes


def points(each: int = 4, **changes: int) -> dict[str, int]:
    """The same points for every criterion, with changes."""
    return dict.fromkeys(CRITERIA, each) | changes


def code_of(step: Step, key: bytes = KEY) -> str:
    """The code that was mailed last for a step."""
    return review_code(key, step.id, step.code_number)
