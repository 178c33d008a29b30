"""Identifiers that carry their kind and are made from what they identify.

An identifier is a digest of its natural key, so the same thing has the same identifier on every
machine, in every re-run, without a counter or a random number.
"""

from __future__ import annotations

import hashlib

from labels.kinds import KINDS, LabelKind

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to be misread


def short_digest(*parts: object, length: int = 10) -> str:
    """`length` characters of five bits each; ten make a clash among 45,000 a one-in-a-million."""
    raw = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    number = int.from_bytes(raw, "big")
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(length))


def national_application_id(teacher: str, project: str, attempt: int) -> str:
    """`NQL-…`: one teacher's application for one project; `attempt` counts re-applications."""
    return f"NQL-{short_digest('national', teacher, project, attempt)}"


def school_application_id(school: str, year: int, attempt: int) -> str:
    """`SL-…`: one school's application in the School Label's round of a year; `attempt` counts re-applications."""
    return f"SL-{short_digest('school', school, year, attempt)}"


def nomination_id(organisation: str, year: int) -> str:
    """`NOM-…`: what one organisation puts forward for the European Quality Label of a year."""
    return f"NOM-{short_digest('nomination', organisation, year)}"


def european_cycle_id(year: int) -> str:
    """`EQL-…`: the award of the European Quality Label of a year, as a whole."""
    return f"EQL-{short_digest('cycle', year)}"


def european_award_id(year: int, teacher: str, project: str) -> str:
    """`EQL-…`: one teacher's European Quality Label for one project."""
    return f"EQL-{short_digest('european', year, teacher, project)}"


def step_id(application: str, kind: str, number: int) -> str:
    """`STEP-…`: one thing asked of one person."""
    return f"STEP-{short_digest('step', application, kind, number)}"


def pupil_class_id(award: str, number: int) -> str:
    """`PQL-…`: a class that got certificates on the strength of its teacher's award."""
    return f"PQL-{short_digest('pupil', award, number)}"


def person_id(*named: object) -> str:
    """`PER-…`: somebody by where they were first named; those of teachers and principals are made in SQL
    (`labels/registry/identity.py`)."""
    return f"PER-{short_digest('person', *named)}"


def paper_id(kind: str, subject: str, edition: int = 1) -> str:
    """`letter/NQL-…/2`: a paper about an application, an award or a class; a letter's edition is the instance."""
    return f"{kind}/{subject}/{edition}"


def document_key(digest: str) -> str:
    """`sha256/ab/abcdef…`: a document in the store, by the SHA-256 of its content in lower-case hexadecimal."""
    return f"sha256/{digest[:2]}/{digest}"


def award_id(label: str, teacher: str | None, project: str | None, school: str | None, on: object) -> str:
    """The identifier of an award made elsewhere or earlier; ours keep their application's."""
    return f"{KINDS[LabelKind(label)].prefix}-{short_digest('award', label, teacher, project, school, on)}"
