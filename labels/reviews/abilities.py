"""Reads from the record what reviewers can, and how much they have to judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.roles import Role
from labels.record.rows import read
from labels.record.schema import Application, Staff, Step, StepKind, StepState


class Ability(NamedTuple):
    """What is known of a reviewer, whatever they are close to."""

    load: int = 0
    """How many applications of a school year they have been asked to judge."""
    languages: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    ages: frozenset[tuple[int, int]] = frozenset()
    given: int = 0
    """How many reviews they have given, in all years."""


UNKNOWN = Ability()
"""Where nobody asks."""

_REVIEWS = (
    sa.select(sa.func.count())
    .select_from(Step)
    .where(Step.person == Staff.person, Step.kind == StepKind.REVIEW)
    .correlate(Staff)
)
_GIVEN = _REVIEWS.where(Step.state == StepState.ANSWERED).scalar_subquery()
_ASKED = (
    _REVIEWS.join(Application, Application.id == Step.application)
    .where(
        Step.state.in_([StepState.OPEN, StepState.ASKED, StepState.ANSWERED]),
        Application.school_year == sa.bindparam("year"),
    )
    .scalar_subquery()
)
_REVIEWERS = sa.select(Staff.person).where(
    Staff.organisation == sa.bindparam("organisation"), Staff.role == Role.REVIEWER
)
_ENTRIES = sa.select(
    Staff.person,
    Staff.language,
    Staff.languages,
    Staff.subjects,
    Staff.ages,
    _GIVEN.label("given"),
    _ASKED.label("load"),
).where(Staff.person.in_(_REVIEWERS))
"""All entries of an organisation's reviewers, on whatever staff."""


def of_reviewers(session: Session, organisation: str, year: int) -> dict[str, Ability]:
    """What the reviewers of an organisation can, by person, with their load of a school year."""
    entries: dict[str, list[_Entry]] = defaultdict(list)
    for person, *entry in read(session, _ENTRIES, {"organisation": organisation, "year": year}).all():
        entries[person].append(_Entry._make(entry))
    return {person: _ability(some) for person, some in entries.items()}


class _Entry(NamedTuple):
    """One entry of somebody on a staff."""

    language: str
    languages: str | None
    subjects: str | None
    ages: str | None
    given: int
    load: int


def _ability(entries: Sequence[_Entry]) -> Ability:
    load, given = entries[0].load, entries[0].given
    if not any(one.languages or one.subjects or one.ages for one in entries):
        return Ability(load, given=given)
    said = {code for one in entries for code in values(one.languages)}
    return Ability(
        load,
        # The language that somebody is written to in is one of them; alone it says nothing of the others.
        frozenset(said | {one.language for one in entries}) if said else frozenset(),
        frozenset(subject.casefold() for one in entries for subject in values(one.subjects)),
        frozenset(_range(ages) for one in entries for ages in values(one.ages)),
        given,
    )


def values(text: str | None) -> list[str]:
    """The values of a column that has several, `;` between."""
    return text.split(";") if text else []


def _range(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(low), int(high)
