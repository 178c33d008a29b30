"""When a year of applications begins and ends, when they come, and what somebody hands in."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from labels.clock import BRUSSELS
from labels.rules.calendars import Window, next_round
from labels.rules.model import CalendarRules

EIGHT_WEEKS, LAST_DAY_SHARE = 0.60, 0.10
"""What comes in the eight weeks before the last day, and on it (docs/benchmarks.md)."""

_WORDS = (
    "pupils", "rivers", "bridges", "partners", "worked", "together", "online", "asked", "compared", "measured", "printed",
    "sang", "weather", "letters", "museum", "radio", "recipes", "energy", "islands", "mountains", "words", "voted",
    "drew", "filmed", "counted", "shared", "planned", "mixed", "teams", "class", "school", "town", "parents",
    "results", "evidence", "chose", "tools", "safely", "lesson", "subject", "history", "science", "languages", "music",
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """An application that somebody is going to hand in."""

    at: datetime
    teacher: str
    project: str
    organisation: str
    quality: float
    """Between 0 and 1; reviewers see it through their own eyes."""
    ready: bool
    """Whether the conditions are met."""
    copied: bool
    """Whether the words are a partner's."""


@dataclass(frozen=True)
class CycleDay:
    """When a year's cycle of the European Quality Label begins."""

    on: datetime
    year: int


@dataclass(frozen=True)
class Season:
    """From when to when applications come, and what the calendar starts."""

    begins: datetime
    ends: datetime
    last_day: datetime
    """Where labels are awarded all year, the rush comes before it."""
    round_on: datetime | None
    """When the School Label's round begins; None where there is none."""
    cycle: CycleDay | None

    @property
    def horizon(self) -> datetime:
        """By then everything has ended, or never will."""
        return self.ends + timedelta(days=366)


# When they come -------------------------------------------------------------------------------------


def rushes(calendar: CalendarRules, season: Season) -> list[tuple[datetime, datetime]]:
    """From when to when applications come in: each round of the season, or all the time to its last day."""
    found: list[tuple[datetime, datetime]] = []
    after = season.begins.astimezone(UTC)
    while window := next_round(after, calendar):
        if window.closes_at > season.ends:
            break
        found.append(_open_part(window, season.begins))
        after = window.closes_at + timedelta(seconds=1)
    return found or [(season.begins, season.last_day.astimezone(UTC))]


def _open_part(window: Window, begins: datetime) -> tuple[datetime, datetime]:
    return max(window.opens_at, begins.astimezone(UTC)), window.closes_at


def arrivals(
    windows: Sequence[tuple[datetime, datetime]], number: int, chance: random.Random
) -> Iterator[datetime]:
    """When so many applications arrive: most before the last day, some a little late."""
    for _ in range(number):
        opens, closes = chance.choice(windows)
        eight_weeks = max(opens, closes - timedelta(weeks=8))
        day = max(opens, closes - timedelta(days=1))
        kind = chance.random()
        if kind < LAST_DAY_SHARE:
            # half of a last day's work is done in its last six hours
            first = day if chance.random() < 0.5 else max(day, closes - timedelta(hours=6))
            yield _between(first, closes, chance.random())
        elif kind < EIGHT_WEEKS:
            yield _at_day(_between(eight_weeks, day, chance.random() ** 0.7), chance, opens, day)
        elif kind < 0.99:
            yield _at_day(_between(opens, eight_weeks, chance.random()), chance, opens, day)
        else:
            yield closes + timedelta(hours=1 + 60 * chance.random())


def _between(first: datetime, last: datetime, share: float) -> datetime:
    return first + (last - first) * share


def _at_day(moment: datetime, chance: random.Random, first: datetime, last: datetime) -> datetime:
    """The same day between seven and eleven at night."""
    local = moment.astimezone(BRUSSELS).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(max(local + timedelta(seconds=chance.randint(7 * 3600, 23 * 3600)), first), last)


# What they apply with -------------------------------------------------------------------------------


def title(chance: random.Random) -> str:
    """What a project is called."""
    return f"{chance.choice(_WORDS)} and {chance.choice(_WORDS)}".capitalize()


def words(chance: random.Random, number: int) -> str:
    """Some text of so many words."""
    return " ".join(chance.choices(_WORDS, k=number)).capitalize() + "."


def file_of(planned: Planned, criteria: Sequence[str], language: str, seed: int) -> dict[str, Any]:
    """The application file that is handed in."""
    own = random.Random(f"{seed} {planned.project} {'' if planned.copied else planned.teacher}")
    ready = dict.fromkeys(("shared_plan", "contributed", "collaborative", "safe"), True)
    return {
        "label": "national",
        "teacher": planned.teacher,
        "project": planned.project,
        "language": language,
        "preconditions": ready | {"finished": planned.ready},
        "description": words(own, 40),
        "links": ["https://twinspace.example/42"],
        "pupils": {"count": own.randint(10, 30), "average_age": own.randint(6, 18)},
        "sections": {criterion: words(own, own.randint(50, 150)) for criterion in criteria},
    }
