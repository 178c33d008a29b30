"""The conditions that an application must meet before anybody judges it, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from labels.calendars import Placement, counted_year
from labels.clock import in_words
from labels.registry.countries import country_name
from labels.rules.model import Precondition, RuleEdition
from labels.text import one_line, word_count

PRECONDITIONS = {
    Precondition.SHARED_PLAN: (
        "common goals and a shared plan",
        "Agree on goals and a plan with your partners, then apply again.",
    ),
    Precondition.FINISHED: (
        "the project is finished or in its last stages",
        "Apply again once the project is in its last stages.",
    ),
    Precondition.CONTRIBUTED: (
        "teacher and pupils contributed",
        "Apply again once you and your pupils have contributed to the project.",
    ),
    Precondition.COLLABORATIVE: (
        "teacher and partners organised collaborative activities",
        "Organise activities in which the partner schools work together, then apply again.",
    ),
    Precondition.SAFE: (
        "eSafety, data protection and copyright were considered",
        "See to eSafety, data protection and copyright in the project, then apply again.",
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
    submitted_at: datetime


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
_AWARDING = {"NSS", "PSA"}


def _belonging(facts: Facts, edition: RuleEdition) -> Found:
    if not facts.is_member:
        yield (
            "member",
            "You are not a member of this project in eTwinning.",
            "Ask a founder of the project to add you, or check that you named the right project.",
        )
    if facts.organisation != facts.teacher_organisation or facts.organisation_kind not in _AWARDING:
        asked = one_line(facts.organisation, 40)
        if facts.organisation_kind in _AWARDING:
            place = country_name(facts.organisation_country)
            problem = f"{asked} judges schools of its own in {place}, and yours is not among them."
        else:
            problem = f"{asked} is no organisation that awards National Quality Labels."
        yield (
            "organisation",
            problem,
            f"Apply to {facts.teacher_organisation}, the organisation of your school in {country_name(facts.teacher_country)}.",
        )
    if edition.national.limits.european_only.value and not facts.european:
        countries = (
            ", ".join(map(country_name, sorted(facts.founder_countries))) or "no country that is known"
        )
        yield (
            "european",
            f"The label is for European projects, and the founders of this one are from {countries} alone.",
            "Apply with a project that was founded by teachers from two countries.",
        )


def _conditions(facts: Facts, edition: RuleEdition) -> Found:
    for name in edition.national.preconditions.value:
        if facts.preconditions.get(name) is not True:
            words, remedy = PRECONDITIONS[name]
            yield f"precondition.{name.value}", f"The condition “{words}” is not met.", remedy


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
        times = "once" if facts.earlier_this_year == 1 else f"{facts.earlier_this_year} times"
        year = counted_year(facts.submitted_at, facts.placement)
        which = (
            f"for the school year {year}/{year + 1}" if facts.placement.rolled_over else "in this school year"
        )
        yield (
            "limit",
            f"You have already applied {times} {which}, and the most is {most}.",
            f"Apply again from 1 September {year + 1}.",
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
        yield "reapplication", used_up(rules.times.value), "Apply with another project."
    if not rules.name_criteria.value:
        return
    named = facts.named_criteria or {}
    known = [criterion.id for criterion in edition.criteria_set.criteria]
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
                f"Use {', '.join(known)}.",
            )
        elif not text.strip():
            yield (
                f"reapplication.criteria.{name}",
                f"For “{name}” it is not said where the new evidence is.",
                "Say where the evidence is.",
            )


def used_up(times: int) -> str:
    """That there have been as many re-applications as the rules allow, in a sentence."""
    allowed = {0: "no re-application", 1: "one re-application"}.get(times, f"{times} re-applications")
    return f"The rules allow {allowed} for a project that was refused."


def _words(facts: Facts, edition: RuleEdition) -> Found:
    limits = edition.national.limits
    yield from _length("description", "description", facts.description, limits.description_words.value)
    known = {criterion.id: criterion.name for criterion in edition.criteria_set.counted}
    for section, name in known.items():
        text = facts.sections.get(section, "")
        yield from _length(f"sections.{section}", f"section “{name}”", text, limits.section_words.value)
    for section in sorted(facts.sections.keys() - known.keys()):
        shown = one_line(section, 40)
        yield (
            f"sections.{shown}",
            f"“{shown}” is not a section of the form in force.",
            f"Use {', '.join(known)}.",
        )


def _length(code: str, name: str, text: str, most: int) -> Found:
    words = word_count(text)
    if words == 0:
        yield code, f"The {name} is empty.", f"Write it, in at most {most} words."
    elif words > most:
        yield (
            code,
            f"The {name} has {words} words; at most {most} are allowed.",
            f"Shorten it by {words - most} {'word' if words - most == 1 else 'words'}.",
        )
