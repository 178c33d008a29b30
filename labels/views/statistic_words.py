"""The numbers of the statistics: what each is called, and what it counts, in words that stand wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from labels.views.counts import Count
from labels.views.statistics import Line, Middle, Reviewing
from labels.words.sentences import Sentence, say, say_counted

HIDDEN = "*"
"""Stands where a number is not shown."""
NONE = "–"
"""Stands where there is nothing to count."""


class Unit(StrEnum):
    """What a number is a number of."""

    COUNT = "count"
    PERCENT = "percent"
    DAYS = "days"
    EACH = "each"
    POINTS = "points of a hundred"


Value = float | None


@dataclass(frozen=True, slots=True)
class Number:
    """One number: its name, what it counts, and how it is read from a line."""

    id: str
    """In files and in JSON; it never changes."""
    unit: Unit
    name: Sentence
    means: Sentence
    of: Callable[[Line, Reviewing], Value]
    count: Count | None = None
    """Where it is a count."""


def _count(count: Count, name: Sentence, means: Sentence) -> Number:
    return Number(count.replace(" ", "_"), Unit.COUNT, name, means, lambda line, _: line.counts[count], count)


def _share(id: str, part: Count, whole: Count, name: Sentence, means: Sentence) -> Number:
    def of(line: Line, _: Reviewing) -> Value:
        share = line.share(part, whole)
        return None if share is None else 100 * share

    return Number(id, Unit.PERCENT, name, means, of)


def _median(middle: Middle | None) -> Value:
    return middle.median if middle else None


def _mean(middle: Middle | None) -> Value:
    return middle.mean if middle else None


RECEIVED = _count(
    Count.RECEIVED,
    say("Applications received"),
    say(
        "Applications that count for the school year, 1 September to 31 August, whatever became of them. One that came "
        "too late for a round counts for the next; a school’s is received once its principal has declared it."
    ),
)
DECIDED = _count(
    Count.DECIDED,
    say("Decisions made"),
    say("Awarded or not awarded. What was withdrawn or did not meet the conditions is not decided."),
)
AWARDED = _count(
    Count.AWARDED,
    say("Awarded"),
    say("Decided with the label, as it stands today, after appeals; also where the label was revoked later."),
)
REFUSED = _count(
    Count.REFUSED,
    say("Not awarded"),
    say("Decided without the label, as it stands today, after appeals."),
)
SHARE_AWARDED = _share(
    "share_awarded",
    Count.AWARDED,
    Count.DECIDED,
    say("Share awarded"),
    say("Of a hundred decided, how many were awarded."),
)
WITHDRAWN = _count(Count.WITHDRAWN, say("Withdrawn"), say("Taken back by whoever applied."))
DECISION_MEDIAN = Number(
    "days_to_decision_median",
    Unit.DAYS,
    say("Days to the decision, median"),
    say(
        "Half of the decided took so many days or fewer from being received to their first decision. Days are full days of "
        "24 hours."
    ),
    lambda line, _: _median(line.decision),
)
FIRST_REVIEW_MEDIAN = Number(
    "days_to_first_review_median",
    Unit.DAYS,
    say("Days to the first review, median"),
    say("Half of the applications with a review waited so many days or fewer for their first one."),
    lambda line, _: _median(line.first_review),
)
OPEN = _count(
    Count.OPEN, say("Still open"), say("Without an outcome today; the next four say where they are.")
)
STAGES = (
    _count(
        Count.CHECKED,
        say("Being checked"),
        say("Open: documents and conditions are being checked, or the outcome is being made."),
    ),
    _count(Count.REVIEWED, say("In review"), say("Open: reviewers have it.")),
    _count(
        Count.ASKED, say("Waits for an answer"), say("Open: the applicant was asked something by a reviewer.")
    ),
    _count(
        Count.UNASSIGNED,
        say("Needs a reviewer"),
        say("Open: no reviewer without a conflict of interest is left."),
    ),
)
OUTCOMES = (
    AWARDED,
    REFUSED,
    _count(
        Count.INELIGIBLE,
        say("Conditions not met"),
        say("Ended without a decision, since a condition was not met."),
    ),
    WITHDRAWN,
    _count(Count.EXPIRED, say("Ran out"), say("Ended because a deadline passed.")),
    OPEN,
)
"""What becomes of what is received: these add up to it."""
APPEALS = _count(
    Count.APPEALS,
    say("Appeals"),
    say(
        "Appeals against decisions on the year’s applications: lodged by applicants, or granted by reopening a decision."
    ),
)
AFTERWARDS = (
    APPEALS,
    _count(Count.UPHELD, say("Appeals upheld"), say("Appeals that led to the label.")),
    _count(
        Count.NOT_UPHELD,
        say("Appeals not upheld"),
        say("Appeals that did not lead to the label, or were withdrawn."),
    ),
    _count(Count.PENDING, say("Appeals pending"), say("Appeals that are not decided yet.")),
    _share(
        "share_upheld",
        Count.UPHELD,
        Count.APPEALS,
        say("Share of appeals upheld"),
        say("Of a hundred appeals, how many led to the label."),
    ),
    _count(Count.REVOKED, say("Revoked"), say("Of the awarded, those whose label was taken back.")),
)
"""What happens after a decision."""
DURATIONS = (
    FIRST_REVIEW_MEDIAN,
    Number(
        "days_to_first_review_mean",
        Unit.DAYS,
        say("Days to the first review, mean"),
        say("The average of the same days."),
        lambda line, _: _mean(line.first_review),
    ),
    DECISION_MEDIAN,
    Number(
        "days_to_decision_mean",
        Unit.DAYS,
        say("Days to the decision, mean"),
        say("The average of the same days."),
        lambda line, _: _mean(line.decision),
    ),
)
REVIEWING = (
    Number(
        "reviewers",
        Unit.COUNT,
        say("Reviewers"),
        say("People who gave at least one review that counts."),
        lambda _, reviewing: reviewing.reviewers,
    ),
    _count(Count.REVIEWS, say("Reviews"), say("Reviews that were given and count.")),
    Number(
        "reviews_each_median",
        Unit.EACH,
        say("Reviews of one reviewer, median"),
        say("Half of the reviewers gave so many reviews or fewer."),
        lambda _, reviewing: _median(reviewing.each),
    ),
    Number(
        "reviews_each_mean",
        Unit.EACH,
        say("Reviews of one reviewer, mean"),
        say("The average of the same numbers."),
        lambda _, reviewing: _mean(reviewing.each),
    ),
    Number(
        "days_for_a_review_median",
        Unit.DAYS,
        say("Days for a review, median"),
        say(
            "Half of the reviews were given within so many days of being asked for, without the time that applicants took to "
            "answer questions."
        ),
        lambda _, reviewing: _median(reviewing.days),
    ),
    Number(
        "days_for_a_review_mean",
        Unit.DAYS,
        say("Days for a review, mean"),
        say("The average of the same days."),
        lambda _, reviewing: _mean(reviewing.days),
    ),
    Number(
        "reviewed_by_two",
        Unit.COUNT,
        say("Reviewed by two"),
        say("Applications for which the two who were asked first both gave a review."),
        lambda _, reviewing: reviewing.pairs,
    ),
    Number(
        "points_apart_median",
        Unit.POINTS,
        say("Points between two reviews, median"),
        say(
            "For half of those reviewed by two, the two totals lie so many points of a hundred apart or fewer. The smaller, the "
            "more two reviewers agree."
        ),
        lambda _, reviewing: _median(reviewing.apart),
    ),
    Number(
        "points_apart_mean",
        Unit.POINTS,
        say("Points between two reviews, mean"),
        say("The average of the same points."),
        lambda _, reviewing: _mean(reviewing.apart),
    ),
)
"""How reviews were given; told of the last two years."""

OF_LINES = (
    RECEIVED,
    *OUTCOMES,
    DECIDED,
    SHARE_AWARDED,
    *STAGES,
    *DURATIONS,
    *AFTERWARDS,
)
"""Of each year, label and organisation."""
NUMBERS = (*OF_LINES, *REVIEWING)
"""All, in the order in which they are explained."""

SMALL = say(
    "{hidden} stands where a number is not shown: fewer than five people stand behind it, or such a number could be worked "
    "out from it.",
    hidden=HIDDEN,
)
"""Why some numbers are not there; where any are not."""


# Headings and what stands beside numbers ----------------------------------------------------------

STATISTICS = say("Statistics")
YEARLY_REPORT = say("Yearly report")
PROGRAMME = say("eTwinning labels")
ALL_LABELS = say("All labels")
ALL_ORGANISATIONS = say("All organisations")
IN_FIGURES = say("The year in figures")
WHAT_BECAME = say("What became of the applications")
TEN_YEARS = say("Ten years")
BY_LABEL = say("By label")
BY_ORGANISATION = say("By organisation")
WHERE_OPEN = say("Where the open ones are")
DAYS = say("How long it took")
AFTER_DECISIONS = say("After the decision")
REVIEWS_HEADING = say("Reviewers and reviews")
IN_WORDS = say("The numbers in words")
SCHOOL_YEAR = say("School year")
LABEL = say("Label")
ORGANISATION = say("Organisation")
NUMBER = say("Figure")
RECEIVED_PLOT = say("Received and awarded, by school year")
DAYS_PLOT = say("Median days to the first review and to the decision")
YEARS_CAPTION = say("The ten school years, the latest first.")
LABELS_CAPTION = say("Each label this school year.")
ORGANISATIONS_CAPTION = say("Each organisation that received applications this school year.")
THIS_AND_LAST = say("This school year, and the one before.")
TWO_REVIEWS = say(
    "Of all reviewers together. Nobody’s own numbers stand here; each reviewer has them at the desk."
)


def beside(text: str, year: str) -> Sentence:
    """A number with the year that it is of."""
    return say("{number} in {year}", number=text, year=year)


def as_of(day: date) -> Sentence:
    """From which day the numbers are."""
    return say("As they stood on {day}.", day=day)


def left_out(number: int) -> Sentence:
    """That some applications are in no number."""
    return say_counted(
        "One application is left out of all these numbers: whoever asked for them has a conflict of interest there.",
        "{count} applications are left out of all these numbers: whoever asked for them has a conflict of interest there.",
        number,
    )


def most_received(year: str, number: str) -> Sentence:
    """What the plot of ten years shows first."""
    return say("Most came in {year}: {number}.", year=year, number=number)


def sentences() -> list[Sentence]:
    """All that a report says, by which it is known whether a language has it."""
    headings = [
        STATISTICS, YEARLY_REPORT, PROGRAMME, ALL_LABELS, ALL_ORGANISATIONS, IN_FIGURES, WHAT_BECAME, TEN_YEARS, BY_LABEL,
        BY_ORGANISATION, WHERE_OPEN, DAYS, AFTER_DECISIONS, REVIEWS_HEADING, IN_WORDS, SCHOOL_YEAR, LABEL, ORGANISATION,
        NUMBER, RECEIVED_PLOT, DAYS_PLOT, YEARS_CAPTION, LABELS_CAPTION, ORGANISATIONS_CAPTION, THIS_AND_LAST, TWO_REVIEWS,
        SMALL, beside("", ""), as_of(date.min), left_out(1), most_received("", ""),
    ]  # fmt: skip
    return [*headings, *(text for one in NUMBERS for text in (one.name, one.means))]
