"""A certificate and a letter to start from, and what a PDF says when it is read back."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

from labels.kinds import LabelKind
from labels.papers.facts import CertificateFacts, LetterFacts, LetterKind

EVERY_LETTER = [(kind, LabelKind.NATIONAL) for kind in LetterKind if kind is not LetterKind.INVITATION] + [
    (kind, LabelKind.SCHOOL) for kind in LetterKind if kind is not LetterKind.INELIGIBLE
]
"""Each kind of letter that there is."""


def certificate(**changes: Any) -> CertificateFacts:
    facts: dict[str, Any] = {
        "application": "NQL-7KQ4M9XT2A",
        "label": "national",
        "holder": "Zsófia Kovács-Ștefănescu",
        "school": "Petőfi Sándor Gimnázium",
        "city": "Szeged",
        "country": "Hungary",
        "project": "Rivers Without Borders",
        "organisation": "National Support Organisation Hungary",
        "coordinator": "Dr. Margareta Lindqvist",
        "coordinator_role": "Head of unit",
        "awarded_on": date(2026, 10, 14),
        "school_year": "2025/26",
        "criteria_set": "2014 (six criteria)",
        "language": "en",
    }
    return CertificateFacts.of(**(facts | changes))


def letter(kind: LetterKind = LetterKind.REFUSAL, **changes: Any) -> LetterFacts:
    facts: dict[str, Any] = {
        "kind": kind,
        "application": "NQL-7KQ4M9XT2A",
        "holder": "Zsófia Kovács-Ștefănescu",
        "school": "Petőfi Sándor Gimnázium",
        "city": "Szeged",
        "country": "Hungary",
        "project": "Rivers Without Borders",
        "organisation": "National Support Organisation Hungary",
        "written_on": date(2026, 10, 14),
        "journal": "4711-9c1f2a33b0d4e5f6",
        "route_forward": ["You may apply once more until 30 June 2027."],
    }
    if changes.get("label") == LabelKind.SCHOOL or kind is LetterKind.INVITATION:
        facts |= {"label": LabelKind.SCHOOL, "project": "", "holder": "Ildikó Szűcs"}
    if kind is LetterKind.INVITATION:
        facts |= {
            "reasons": ["It has been registered for long enough."],
            "deadline": datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC),
        }
    elif kind is LetterKind.RECEIPT:
        facts |= {
            "arrived_at": datetime(2026, 10, 14, 7, 30, tzinfo=UTC),
            "files": [
                {"name": "application.json", "size": 4321, "digest": "0123456789abcdef" * 4},
                {"name": "Fotó a hídról.jpg", "size": 1_440_000, "digest": "fedcba9876543210" * 4},
            ],
        }
    elif kind is LetterKind.INELIGIBLE:
        facts["failed_conditions"] = [
            {"condition": "The project has finished.", "what_to_do": "Apply again from April 2027 on."}
        ]
    else:
        facts |= {
            "scores": [
                {
                    "criterion": "Collaboration between partner schools",
                    "points": "1.5",
                    "maximum": 5,
                    "minimum": 3,
                    "comments": ["Form mixed teams."],
                },
                {"criterion": "Use of technology", "points": 4, "maximum": 5},
            ],
            "total": "5.5",
            "maximum": 10,
            "pass_mark": 6,
            "reasons": ["The total of 5.5 points is below the 6 that are needed."],
            "comments": ["Let pupils evaluate the project."],
        }
    return LetterFacts.of(**(facts | changes))


def text_of(pdf: bytes) -> str:
    """The text of a PDF as pypdf reads it, with single spaces."""
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
