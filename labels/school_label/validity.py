"""For how long School Labels are valid, and when those of a round can begin at the earliest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from labels.clock import brussels_day, end_of_day
from labels.rules.calendars import add_working_days
from labels.rules.model import SchoolRules, Validity, ValidityBy, holds

_BRUSSELS = "BE"
"""The country whose working days count where a date is all of Europe's."""


@dataclass(frozen=True, slots=True)
class Span:
    """The first and the last day of a label."""

    begins: date
    ends: date


def span(rules: SchoolRules, year: int, awarded_on: date, former_ends: date | None = None) -> Span:
    """When a label of the round of `year` is valid; `former_ends` is the last day of the one that the school holds.

    Source: the brief, "valid two years"; found: explicit days from and to, calendar years (2024–25, then 2026–27).
    """
    years = rules.certificate_years.value
    validity = rules.validity.value if rules.validity else Validity(by=ValidityBy.AWARD)
    match validity.by:
        case ValidityBy.CALENDAR_YEARS:
            return Span(date(year, 1, 1), date(year + years - 1, 12, 31))
        case ValidityBy.SCHOOL_YEARS:
            return Span(date(year, 9, 1), date(year + years, 8, 31))
        case ValidityBy.DATES if validity.begins and validity.ends:
            return Span(validity.begins, validity.ends)
    begins = awarded_on
    if holds(rules.renewal) and former_ends is not None and former_ends >= awarded_on:
        begins = former_ends + timedelta(days=1)
    return Span(begins, last_day(begins, years))


def last_day(begins: date, years: int) -> date:
    """The last day on which a label is valid: the one before its anniversary."""
    try:
        anniversary = begins.replace(year=begins.year + years)
    except ValueError:
        anniversary = date(begins.year + years, 3, 1)
    return anniversary - timedelta(days=1)


def deadline(rules: SchoolRules, begins: date) -> datetime:
    """Until when a round that begins on that day awaits self-assessments: the last second of a day in Brussels."""
    if rules.answer_by:
        return end_of_day(rules.answer_by.value)
    return end_of_day(begins + timedelta(days=rules.answer_days.value))


def held_from(rules: SchoolRules, on: date) -> date:
    """On which day a School Label must still be valid to shut its school out of a round that looks at `on`.

    That day, or where labels can be renewed, the one on which the round's labels begin: who holds a label that ends
    before may apply. Labels that are valid from their award begin, at the latest, when the round's last decision is due.
    """
    if not holds(rules.renewal):
        return on
    validity = rules.validity.value if rules.validity else None
    if validity is not None and validity.by is not ValidityBy.AWARD:
        return max(on, span(rules, on.year, on).begins)
    due = max(deadline(rules, on), end_of_day(on))
    return brussels_day(add_working_days(due, rules.decision_days.value, _BRUSSELS))


def over_if_awarded_by(rules: SchoolRules, day: date) -> date:
    """Labels without a last day that were awarded by then are over on `day`, by how long labels are valid now."""
    years = rules.certificate_years.value
    by = rules.validity.value.by if rules.validity else ValidityBy.AWARD
    if by is ValidityBy.CALENDAR_YEARS:
        return date(day.year - years, 12, 31)
    if by is ValidityBy.SCHOOL_YEARS:  # those of a year's round end on 31 August
        return date(day.year - years - (day < date(day.year, 9, 1)), 12, 31)
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
