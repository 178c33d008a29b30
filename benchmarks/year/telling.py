"""What a year took: how long who waited, how long the queues were, what it cost, and what ten times as much needs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.year.ledger import Ledger
from benchmarks.year.world import BY_SIZE
from labels.clock import BRUSSELS, brussels_day
from labels.record.schema import Application, Decision, Outcome, StepKind, StepState
from labels.views.rehearsal import DAY, Wait, quantile

CORES = 2
"""Of one machine."""

QUEUES = {
    "reviews": (StepKind.REVIEW, StepKind.ASSIGNMENT),
    "questions to applicants": (StepKind.INFORMATION,),
    "schools' self-assessments": (StepKind.SELF_ASSESSMENT, StepKind.DECLARATION),
    "screenings and the award": (StepKind.SCREENING, StepKind.AWARDING),
}
"""What people are awaited for, as the picture and the table tell it apart."""


def by_kind(found: Iterable[Wait]) -> list[list[str]]:
    """A line for each kind of step: how many, how long, how many late and never."""
    groups: dict[StepKind, list[Wait]] = defaultdict(list)
    for one in found:
        groups[one.kind].append(one)
    rows = []
    for kind in StepKind:
        of_kind = groups.get(kind, [])
        given = [one for one in of_kind if one.state is StepState.ANSWERED]
        if not of_kind:
            continue
        days = [one.days for one in given]
        late = sum(one.late for one in given)
        ends = Counter(one.state for one in of_kind)
        rows.append(
            [
                kind.value, f"{len(of_kind):,}", f"{len(given):,}", f"{quantile(days, 0.5):.1f}",
                f"{quantile(days, 0.95):.1f}", f"{100 * late / max(len(given), 1):.1f} %",
                f"{ends[StepState.DECLINED]:,}", f"{ends[StepState.VOID]:,}", f"{ends[StepState.EXPIRED]:,}",
            ]
        )  # fmt: skip
    return rows


KIND_HEADS = ("step", "asked", "given", "p50 d", "p95 d", "late", "declined", "taken back", "expired")


def by_country(session: Session, found: Iterable[Wait], most: int = 12) -> list[list[str]]:
    """A line for each of the largest countries, and one for all: applications, reviews and decisions in days."""
    reviews: dict[str, list[float]] = defaultdict(list)
    for one in found:
        if one.kind is StepKind.REVIEW and one.state is StepState.ANSWERED:
            reviews[one.country].append(one.days)
    decided: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    outcomes: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for country, submitted, by, at, outcome in session.execute(
        sa.select(
            Application.country,
            Application.submitted_at,
            Application.decide_by,
            Decision.decided_at,
            Decision.outcome,
        )
        .join(Decision, Decision.application == Application.id)
        .where(Application.label == "national", Decision.instance == 1)
    ):
        outcomes[country][outcome] += 1
        if outcome in (Outcome.AWARDED, Outcome.REFUSED):
            decided[country].append(((at - submitted) / DAY, bool(by and at > by)))
    order = [country for country in BY_SIZE if country in outcomes]
    rows = [_country_row(one, [one], reviews, decided, outcomes) for one in order[:most]]
    if order[most:]:
        rows.append(_country_row(f"{len(order) - most} more", order[most:], reviews, decided, outcomes))
    return [*rows, _country_row("all", order, reviews, decided, outcomes)]


COUNTRY_HEADS = (
    "country", "applications", "awarded", "refused", "ineligible", "review p50 d", "p95 d", "decision p50 d", "p95 d",
    "late",
)  # fmt: skip


def _country_row(
    name: str,
    countries: Sequence[str],
    reviews: Mapping[str, list[float]],
    decided: Mapping[str, list[tuple[float, bool]]],
    outcomes: Mapping[str, Counter[Outcome]],
) -> list[str]:
    days = [value for country in countries for value in reviews.get(country, [])]
    ends = [value for country in countries for value in decided.get(country, [])]
    counted: Counter[Outcome] = sum((outcomes[country] for country in countries), Counter())
    return [
        name, f"{counted.total():,}", f"{counted[Outcome.AWARDED]:,}", f"{counted[Outcome.REFUSED]:,}",
        f"{counted[Outcome.INELIGIBLE]:,}", f"{quantile(days, 0.5):.1f}", f"{quantile(days, 0.95):.1f}",
        f"{quantile([d for d, _ in ends], 0.5):.1f}", f"{quantile([d for d, _ in ends], 0.95):.1f}",
        f"{100 * sum(late for _, late in ends) / max(len(ends), 1):.1f} %",
    ]  # fmt: skip


# Queues -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Queues:
    """How many were awaited at the end of each day, and how many applications came on it."""

    first: date
    awaited: dict[str, list[int]]
    arrived: list[int]

    def peaks(self) -> list[list[str]]:
        """A line for each queue: its longest, and when."""
        rows = []
        for name, days in {**self.awaited, "applications a day": self.arrived}.items():
            longest = max(days)
            rows.append(
                [name, f"{longest:,}", f"{self.first + timedelta(days=days.index(longest)):%d %B %Y}"]
            )
        return rows


def queues(session: Session, found: Iterable[Wait], first: date, last: date) -> Queues:
    """The queues from day to day; of a school's teachers who are asked for one thing, one counts."""
    length = (last - first).days + 1
    changes = {name: [0] * (length + 1) for name in QUEUES}
    of_kind = {kind: name for name, kinds in QUEUES.items() for kind in kinds}
    once: dict[tuple[StepKind, str], tuple[datetime, datetime | None]] = {}
    spans: list[tuple[str, datetime, datetime | None]] = []
    for one in found:
        if one.kind in (StepKind.SELF_ASSESSMENT, StepKind.SCREENING, StepKind.AWARDING):
            former = once.get((one.kind, one.application), (one.opened, one.closed))
            closed = max(former[1], one.closed) if former[1] and one.closed else None
            once[one.kind, one.application] = (min(former[0], one.opened), closed)
        else:
            spans.append((of_kind[one.kind], one.opened, one.closed))
    spans += [(of_kind[kind], opened, closed) for (kind, _), (opened, closed) in once.items()]
    for name, opened, closed in spans:
        changes[name][_day(opened, first, length)] += 1
        if closed is not None:
            changes[name][_day(closed, first, length)] -= 1
    awaited = {}
    for name, steps in changes.items():
        total, days = 0, []
        for step in steps[:length]:
            total += step
            days.append(total)
        awaited[name] = days
    arrived = [0] * length
    for (at,) in session.execute(sa.select(Application.submitted_at).where(Application.label == "national")):
        arrived[min(_day(at, first, length), length - 1)] += 1
    return Queues(first, awaited, arrived)


def _day(at: datetime, first: date, length: int) -> int:
    return min(max((at.astimezone(BRUSSELS).date() - first).days, 0), length)


# Cost -------------------------------------------------------------------------------------------------


def cost(ledger: Ledger, applications: int) -> list[list[str]]:
    """A line for each part: seconds of processor, and milliseconds for one application."""
    rows = [
        [name, f"{ledger.times[name]:,}", f"{seconds:.2f}", f"{1000 * seconds / max(ledger.times[name], 1):.2f}",
         f"{1000 * seconds / applications:.1f}"]
        for name, seconds in sorted(ledger.parts.items(), key=lambda one: -one[1])
    ]  # fmt: skip
    whole = sum(ledger.parts.values())
    return [*rows, ["all", "", f"{whole:.2f}", "", f"{1000 * whole / applications:.1f}"]]


COST_HEADS = ("part", "times", "CPU s", "ms each", "ms an application")


A_LETTER = 0.13
"""Seconds that are reckoned with where the sample rendered none of a kind."""


def prices(ledger: Ledger, applications: int, engine_seconds: float) -> dict[str, float]:
    """Seconds for each time that a part is done, as if no paper had been left out by the sample.

    `engine_seconds` of Prefect for one application are spread over its executions, which end in asking.
    """
    each = ledger.each()
    for name in list(each):
        if name.startswith("left blank: "):
            each[name] = each.get(name.replace("left blank", "rendering"), A_LETTER)
    if "ask" in each:
        each["ask"] += engine_seconds * applications / ledger.times["ask"]
    return each


def needs(ledger: Ledger, scale: float, each: dict[str, float], days: Mapping[str, date]) -> list[list[str]]:
    """What share of the machines' processors the busiest hour of a day takes: of each of these, and of the whole year."""
    busiest = [("the busiest of the year", *ledger.busiest(each))]
    worked = {
        brussels_day(hour) for hour in ledger.hours
    }  # not on all of them, where one label is played alone
    busiest += [(name, *ledger.busiest(each, day)) for name, day in days.items() if day in worked]
    rows = []
    for name, hour, seconds in busiest:
        whole = 3600 * CORES
        rows.append(
            [name, f"{hour.astimezone(BRUSSELS):%d %B %Y, %H} h", f"{seconds:.1f}",
             *(f"{100 * seconds * factor / (whole * machines):.1f} %"
               for factor, machines in ((1, 1), (10, 1), (1 / scale, 1), (1 / scale, 10)))]
        )  # fmt: skip
    return rows


def need_heads(scale: float) -> tuple[str, ...]:
    """Of that table."""
    return (
        "busiest hour", "when", "CPU s here", f"at {scale:g}, 1 machine", f"at {10 * scale:g}, 1 machine",
        "Europe, 1 machine", "Europe, 10 machines",
    )  # fmt: skip


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], markdown: bool = False) -> str:
    """A table as text, or as the documentation has it."""
    cells = [list(map(str, heads)), *(list(map(str, row)) for row in rows)]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in cells]
        lines.insert(1, "|---|" + "--:|" * (len(heads) - 1))
        return f"\n{title}\n\n" + "\n".join(lines)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return f"\n{title}\n" + "\n".join(lines)
