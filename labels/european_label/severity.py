"""How severely each organisation judges, and whom that would have cost a nomination: shown, never applied.

An organisation that gives few points to good work is severe. Whether its labels are weaker or its
reviewers stricter can't be seen from points alone; so two readings stand beside the raw points.
*Standardised*: every organisation's labels are equally good on average and equally spread.
*Shrunken*: an organisation's mean is believed the more, the more labels it stands on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate of some organisation as it was ranked there."""

    organisation: str
    candidate: str
    score: float
    proposed: bool


@dataclass(frozen=True, slots=True)
class Severity:
    """How one organisation's points lie beside everybody's."""

    organisation: str
    number: int
    mean: float
    deviation: float
    """Standard deviation of its points; 0 where there is one or all are equal."""
    shift: float
    """Its mean less everybody's: below zero where it is severe."""
    shrunken_shift: float
    """The same, as far as its number of labels allows to believe it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A nomination that would go the other way if the points of all countries were compared."""

    organisation: str
    candidate: str
    score: float
    standardised: float
    shrunken: float
    proposed: bool
    """Whether its own organisation's ranking proposes it."""
    by_raw: bool
    """Whether it is among the best of all countries, as many as are proposed, by raw points …"""
    by_standardised: bool
    by_shrunken: bool


def severities(ranked: Iterable[Ranked]) -> list[Severity]:
    """Each organisation's severity, by its name.

    The shrinkage is the usual one (empirical Bayes): between-organisation variance over the same plus
    the variance of an organisation's own mean.
    """
    scores: dict[str, list[float]] = {}
    for one in ranked:
        scores.setdefault(one.organisation, []).append(one.score)
    everybody = [score for own in scores.values() for score in own]
    if not everybody:
        return []
    overall = _mean(everybody)
    means = {organisation: _mean(own) for organisation, own in scores.items()}
    within = _pooled(scores, means)
    between = _between(scores, means, overall, within)
    found = []
    for organisation in sorted(scores):
        number, mean = len(scores[organisation]), means[organisation]
        noise = within / number
        believed = between / (between + noise) if between + noise else 0.0
        deviation = math.sqrt(_mean([(x - mean) ** 2 for x in scores[organisation]]))
        shift = mean - overall
        found.append(Severity(organisation, number, mean, deviation, shift, believed * shift))
    return found


def changes(ranked: Sequence[Ranked]) -> list[Change]:
    """Which nominations the country makes: proposed and not among the best of all, or the other way round.

    "The best of all" are as many as all organisations propose together, equals at the end included.
    A candidate is listed where its organisation's ranking and any of the three orders of all differ.
    """
    by_organisation = {one.organisation: one for one in severities(ranked)}
    overall = _mean([one.score for one in ranked]) if ranked else 0.0
    spread = math.sqrt(_mean([(one.score - overall) ** 2 for one in ranked])) if ranked else 0.0
    number = sum(one.proposed for one in ranked)
    standardised = [_standardised(one, by_organisation, overall, spread) for one in ranked]
    shrunken = [one.score - by_organisation[one.organisation].shrunken_shift for one in ranked]
    orders = [_best(points, number) for points in ([one.score for one in ranked], standardised, shrunken)]
    found = []
    for place, one in enumerate(ranked):
        among = [order[place] for order in orders]
        if any(best != one.proposed for best in among):
            found.append(
                Change(
                    one.organisation, one.candidate, one.score, standardised[place], shrunken[place],
                    one.proposed, *among,
                )
            )  # fmt: skip
    return sorted(found, key=lambda change: (change.organisation, -change.score, change.candidate))


def _standardised(one: Ranked, severity: Mapping[str, Severity], overall: float, spread: float) -> float:
    own = severity[one.organisation]
    return overall + (spread * (one.score - own.mean) / own.deviation if own.deviation else 0.0)


def _best(points: Sequence[float], number: int) -> list[bool]:
    """Which are among the `number` highest, with their equals (to a hundredth of a point)."""
    if not number:
        return [False] * len(points)
    rounded = [round(one, 2) for one in points]
    last = sorted(rounded, reverse=True)[number - 1]
    return [one >= last for one in rounded]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _pooled(scores: Mapping[str, Sequence[float]], means: Mapping[str, float]) -> float:
    """The variance within organisations, all of them taken together."""
    squares = math.fsum((x - means[o]) ** 2 for o, own in scores.items() for x in own)
    freedom = sum(len(own) - 1 for own in scores.values())
    return squares / freedom if freedom else 0.0


def _between(
    scores: Mapping[str, Sequence[float]], means: Mapping[str, float], overall: float, within: float
) -> float:
    """The variance between organisations that is more than chance within them (method of moments)."""
    groups, total = len(scores), sum(map(len, scores.values()))
    if groups < 2:
        return 0.0
    weight = total - math.fsum(len(own) ** 2 for own in scores.values()) / total
    squares = math.fsum(len(own) * (means[o] - overall) ** 2 for o, own in scores.items())
    return max(0.0, (squares - (groups - 1) * within) / weight) if weight else 0.0
