"""The conditions that an application must meet before anybody judges it, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from labels.calendars import Placement
from labels.clock import in_words
from labels.rules.model import RuleEdition
from labels.text import clean, one_line, word_count

PRECONDITIONS = {
    "shared_plan": ("common goals and a shared plan", "Agree on goals and a plan with your partners"),
    "finished": (
        "the project is finished or in its last stages",
        "Apply once the project is in its last stages",
    ),
    "contributed": (
        "teacher and pupils contributed",
        "Apply once you and your pupils have contributed to the project",
    ),
    "collaborative": (
        "teacher and partners organised collaborative activities",
        "Organise activities in which the partner schools work together",
    ),
    "safe": (
        "eSafety, data protection and copyright were considered",
        "Look after eSafety, data protection and copyright, and say how",
    ),
}
"""The five yes/no pre-conditions (found in NSS pages), in words, and what to do about a “no”."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the conditions look at, read from the record at one moment."""

    is_member: bool
    european: bool
    founder_countries: frozenset[str]
    project_ended_on: date | None
    teacher_organisation: str
    teacher_country: str
    organisation: str
    organisation_kind: str
    organisation_country: str
    preconditions: Mapping[str, bool]
    placement: Placement
    earlier_this_year: int
    """Applications of the teacher in this school year that came before and count."""
    labelled_on: date | None
    """When this teacher was awarded the label for this project, if so."""
    earlier_refusals: int
    attempt: int
    named_criteria: Mapping[str, str] | None
    """On re-application: criterion → where the new evidence is."""
    description: str
    sections: Mapping[str, str]
    submitted_on: date


class FailedCondition(BaseModel):
    """One condition that is not met."""

    model_config = ConfigDict(frozen=True)

    code: str
    problem: str
    """What is not met, as one sentence."""
    remedy: str
    """What to do about it, as one sentence."""


def check(facts: Facts, edition: RuleEdition) -> list[FailedCondition]:
    """Every condition that is not met, at once; an empty list means that the application is judged."""
    return [
        FailedCondition(code=code, problem=problem, remedy=remedy)
        for part in (_belonging, _conditions, _time, _again, _words)
        for code, problem, remedy in part(facts, edition)
    ]


Found = Iterator[tuple[str, str, str]]


def _belonging(facts: Facts, edition: RuleEdition) -> Found:
    if not facts.is_member:
        yield (
            "member",
            "You are not a member of this project in eTwinning.",
            "Ask a founder of the project to add you, or check that you named the right project.",
        )
    if facts.organisation_kind not in {"NSS", "PSA"}:
        yield (
            "organisation",
            f"{facts.organisation} does not award National Quality Labels.",
            f"Apply to {facts.teacher_organisation}, the organisation of your school.",
        )
    elif facts.organisation != facts.teacher_organisation:
        yield (
            "organisation",
            f"{facts.organisation} is not the organisation of your school.",
            f"Apply to {facts.teacher_organisation}: each organisation judges its own schools.",
        )
    if edition.national.limits.european_only.value and not facts.european:
        yield (
            "european",
            "The founders of this project are from one country; the label is for European projects.",
            "Apply with a project that was founded by teachers from two countries.",
        )


def _conditions(facts: Facts, edition: RuleEdition) -> Found:
    for name, (words, remedy) in PRECONDITIONS.items():
        if not facts.preconditions.get(name, False):
            yield f"precondition.{name}", f"The condition “{words}” is not met.", f"{remedy}, then apply."


def _time(facts: Facts, edition: RuleEdition) -> Found:
    if facts.placement.refused:
        opens = facts.placement.opens_at
        yield (
            "late",
            "Applications were not being taken when yours arrived.",
            f"Apply again from {in_words(opens)}." if opens else "Ask your organisation for the next date.",
        )
    most = edition.national.limits.per_school_year.value
    if facts.earlier_this_year >= most:
        yield (
            "limit",
            f"You have already applied {facts.earlier_this_year} times in this school year; {most} is the most.",
            "Apply again from 1 September.",
        )


def _again(facts: Facts, edition: RuleEdition) -> Found:
    if facts.labelled_on is not None:
        yield (
            "labelled",
            f"You were awarded this label for this project on {facts.labelled_on.isoformat()}.",
            "Nothing is left to do: the label stays yours.",
        )
    if facts.earlier_refusals == 0:
        return
    rules = edition.national.reapplication
    if facts.earlier_refusals > rules.times.value:
        times = {0: "no re-application", 1: "one re-application"}.get(
            rules.times.value, f"{rules.times.value} re-applications"
        )
        yield (
            "reapplication",
            f"The rules allow {times} for a project that was refused.",
            "Apply with another project.",
        )
    if not rules.name_criteria.value:
        return
    named = facts.named_criteria or {}
    known = {criterion.id for criterion in edition.criteria_set.criteria}
    if not any(text.strip() for text in named.values()):
        yield (
            "reapplication.criteria",
            "A re-application names the criteria to be looked at again and where the new evidence is.",
            'Fill in "reapplication": {"criteria": {"technology": "where the evidence is"}}.',
        )
    for name, text in named.items():
        if name not in known:
            yield (
                f"reapplication.criteria.{one_line(name, 40)}",
                f"“{one_line(name, 40)}” is no criterion.",
                f"Use {', '.join(sorted(known))}.",
            )
        elif not text.strip():
            yield (
                f"reapplication.criteria.{name}",
                f"For “{name}” it is not said where the new evidence is.",
                "Say where the evidence is.",
            )


def _words(facts: Facts, edition: RuleEdition) -> Found:
    limits = edition.national.limits
    yield from _length("description", "description", facts.description, limits.description_words.value)
    known = {criterion.id: criterion.name for criterion in edition.criteria_set.criteria}
    for section, name in known.items():
        text = facts.sections.get(section, "")
        yield from _length(f"sections.{section}", f"section “{name}”", text, limits.section_words.value)
    for section in facts.sections.keys() - known.keys():
        shown = one_line(section, 40)
        yield (
            f"sections.{shown}",
            f"“{shown}” is not a section of the form in force.",
            f"Use {', '.join(known)}.",
        )


def _length(code: str, name: str, text: str, most: int) -> Found:
    words = word_count(clean(text))
    if words == 0:
        yield code, f"The {name} is empty.", f"Fill it in, with at most {most} words."
    elif words > most:
        yield (
            code,
            f"The {name} has {words} words; at most {most} are read.",
            f"Shorten it by {words - most}.",
        )
