"""The conditions that an application must meet before anybody judges it, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer

from labels.rules.calendars import Placement, counted_year
from labels.rules.model import Precondition, RuleEdition
from labels.words.sentences import Country, Sentence, named, say, say_counted
from labels.words.text import has_words, one_line, word_count

PRECONDITIONS = {
    Precondition.SHARED_PLAN: (
        named("condition", "common goals and a shared plan"),
        say("Agree on goals and a plan with your partners, then apply again."),
    ),
    Precondition.FINISHED: (
        named("condition", "the project is finished or in its last stages"),
        say("Apply again once the project is in its last stages."),
    ),
    Precondition.CONTRIBUTED: (
        named("condition", "teacher and pupils contributed"),
        say("Apply again once you and your pupils have contributed to the project."),
    ),
    Precondition.COLLABORATIVE: (
        named("condition", "teacher and partners organised collaborative activities"),
        say("Organise activities in which the partner schools work together, then apply again."),
    ),
    Precondition.SAFE: (
        named("condition", "eSafety, data protection and copyright were considered"),
        say("See to eSafety, data protection and copyright in the project, then apply again."),
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

    def of_the_registry(self) -> dict[str, Any]:
        """What of it neither the application nor the calendar tells, as JSON: with it the conditions can be checked again."""
        return {
            "is_member": self.is_member,
            "european": self.european,
            "founder_countries": sorted(self.founder_countries),
            "project_ended_on": self.project_ended_on and self.project_ended_on.isoformat(),
            "teacher_organisation": self.teacher_organisation,
            "teacher_country": self.teacher_country,
            "organisation": self.organisation,
            "organisation_kind": self.organisation_kind,
            "organisation_country": self.organisation_country,
            "earlier_this_year": self.earlier_this_year,
            "labelled_on": self.labelled_on and self.labelled_on.isoformat(),
            "earlier_refusals": self.earlier_refusals,
            "attempt": self.attempt,
        }


Said = Annotated[Sentence, PlainSerializer(str)]


class FailedCondition(BaseModel):
    """One condition that is not met."""

    model_config = ConfigDict(frozen=True)

    code: str
    problem: Said
    """What is not met, as one sentence."""
    remedy: Said
    """What to do about it, as one sentence."""


def check(facts: Facts, edition: RuleEdition) -> list[FailedCondition]:
    """Every condition that is not met, at once; an empty list means that the application is judged."""
    return [
        FailedCondition(code=code, problem=problem, remedy=remedy)
        for part in (_belonging, _conditions, _time, _again, _words)
        for code, problem, remedy in part(facts, edition)
    ]


Found = Iterator[tuple[str, Sentence, Sentence]]
_AWARDING = {"NSS", "PSA"}


def _belonging(facts: Facts, edition: RuleEdition) -> Found:
    if not facts.is_member:
        yield (
            "member",
            say("You are not a member of this project in eTwinning."),
            say("Ask a founder of the project to add you, or check that you named the right project."),
        )
    if facts.organisation != facts.teacher_organisation or facts.organisation_kind not in _AWARDING:
        asked = one_line(facts.organisation, 40)
        if facts.organisation_kind in _AWARDING:
            problem = say(
                "{organisation} takes applications only from its own schools ({country}), and yours is not "
                "among them.",
                organisation=asked,
                country=Country(facts.organisation_country),
            )
        else:
            problem = say("{organisation} does not award National Quality Labels.", organisation=asked)
        yield (
            "organisation",
            problem,
            say(
                "Apply to {organisation}, which is responsible for your school ({country}).",
                organisation=facts.teacher_organisation,
                country=Country(facts.teacher_country),
            ),
        )
    if edition.national.limits.european_only.value and not facts.european:
        countries = tuple(map(Country, sorted(facts.founder_countries)))
        yield (
            "european",
            say(
                "The label is for European projects, and the founders of this one are all from one country: "
                "{countries}.",
                countries=countries,
            )
            if countries
            else say(
                "The label is for European projects, and the country of the founders of this one is not "
                "known."
            ),
            say("Apply with a project that was founded by teachers from two countries."),
        )


def _conditions(facts: Facts, edition: RuleEdition) -> Found:
    for name in edition.national.preconditions.value:
        if facts.preconditions.get(name) is not True:
            words, remedy = PRECONDITIONS[name]
            yield (
                f"precondition.{name.value}",
                say("The condition “{condition}” is not met.", condition=words),
                remedy,
            )


def _time(facts: Facts, edition: RuleEdition) -> Found:
    if facts.placement.refused:
        opens = facts.placement.opens_at
        yield (
            "late",
            say("Applications were not being taken when yours arrived."),
            say("You can apply again from {opens}.", opens=opens)
            if opens
            else say("Ask your National Support Organisation for the next date."),
        )
    most = edition.national.limits.per_school_year.value
    if facts.earlier_this_year >= most:
        times, year = facts.earlier_this_year, counted_year(facts.submitted_at, facts.placement)
        yield (
            "limit",
            say_counted(
                "You have already applied once for the school year {year}/{next_year}; the limit is {most}.",
                "You have already applied {count} times for the school year {year}/{next_year}; the limit is "
                "{most}.",
                times,
                year=year,
                next_year=year + 1,
                most=most,
            )
            if facts.placement.rolled_over
            else say_counted(
                "You have already applied once in this school year; the limit is {most}.",
                "You have already applied {count} times in this school year; the limit is {most}.",
                times,
                most=most,
            ),
            say("You can apply again from 1 September {year}.", year=year + 1),
        )


def _again(facts: Facts, edition: RuleEdition) -> Found:
    if facts.labelled_on is not None:
        yield (
            "labelled",
            say("You were awarded this label for this project on {day}.", day=facts.labelled_on),
            say("Nothing is left to do: the label stays yours."),
        )
    if facts.earlier_refusals == 0:
        return
    rules = edition.national.reapplication
    if facts.earlier_refusals > rules.times.value:
        yield "reapplication", used_up(rules.times.value), say("Apply with another project.")
    if not rules.name_criteria.value:
        return
    named = facts.named_criteria or {}
    known = [criterion.id for criterion in edition.criteria_set.criteria]
    if not any(map(has_words, named.values())):
        yield (
            "reapplication.criteria",
            say("A re-application names the criteria to be looked at again and where the new evidence is."),
            say(
                "Fill in {example}.",
                example='"reapplication": {"criteria": {"technology": "where the evidence is"}}',
            ),
        )
    for name, text in named.items():
        if name not in known:
            yield (
                f"reapplication.criteria.{one_line(name, 40)}",
                say("“{name}” is not a criterion.", name=one_line(name, 40)),
                _use(known),
            )
        elif not has_words(text):
            yield (
                f"reapplication.criteria.{name}",
                say("For “{name}” it is not said where the new evidence is.", name=name),
                say("Say where the evidence is."),
            )


def _use(known: Iterable[str]) -> Sentence:
    return say("Use {known}.", known=tuple(known))


def used_up(times: int) -> Sentence:
    """That there have been as many re-applications as the rules allow, in a sentence."""
    if times == 0:
        return say("The rules allow no re-application for a project whose application was refused.")
    return say_counted(
        "The rules allow one re-application for a project whose application was refused.",
        "The rules allow {count} re-applications for a project whose application was refused.",
        times,
    )


def _words(facts: Facts, edition: RuleEdition) -> Found:
    limits = edition.national.limits
    words, most = word_count(facts.description), limits.description_words.value
    if words == 0:
        yield "description", say("The description is empty."), _write(most)
    elif words > most:
        yield (
            "description",
            say_counted(
                "The description has {count} word; at most {most} are allowed.",
                "The description has {count} words; at most {most} are allowed.",
                words,
                most=most,
            ),
            _shorten(words - most),
        )
    known = {criterion.id: criterion.name for criterion in edition.criteria_set.counted}
    most = limits.section_words.value
    for section, name in known.items():
        words, criterion = word_count(facts.sections.get(section, "")), named("criterion", name)
        if words == 0:
            empty = say("The section “{criterion}” is empty.", criterion=criterion)
            yield f"sections.{section}", empty, _write(most)
        elif words > most:
            yield (
                f"sections.{section}",
                say_counted(
                    "The section “{criterion}” has {count} word; at most {most} are allowed.",
                    "The section “{criterion}” has {count} words; at most {most} are allowed.",
                    words,
                    criterion=criterion,
                    most=most,
                ),
                _shorten(words - most),
            )
    for section in sorted(facts.sections.keys() - known.keys()):
        shown = one_line(section, 40)
        yield (
            f"sections.{shown}",
            say("“{name}” is not a section of the form in force.", name=shown),
            _use(known),
        )


def _write(most: int) -> Sentence:
    return say_counted("Write it, in at most {count} word.", "Write it, in at most {count} words.", most)


def _shorten(words: int) -> Sentence:
    return say_counted("Shorten it by {count} word.", "Shorten it by {count} words.", words)
