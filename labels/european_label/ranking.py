"""The ranking of one organisation: who may be put forward, in which order, and why.

Pure functions: the same candidates give the same ranking, in whatever order they come.
"""

from __future__ import annotations

import bisect
import itertools
import math
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from labels.european_label.merging import NATIONAL_PROJECT
from labels.reviews.scoring import NO_SCORE, hundredths, in_points
from labels.rules.model import EARLIER, EuropeanRules, Rounding, Ties, Unit, share_of


class Barred(StrEnum):
    """Why a candidate can't be put forward, whatever its points are."""

    NATIONAL = "national"
    """Its project is a national one."""
    UNDECIDED = "undecided"
    """Somebody else's application for its project is not decided yet."""


class Candidate(NamedTuple):
    """What is ranked: a National Quality Label, or a project by the average of its labels."""

    id: str
    """The label's identifier, or the project's."""
    project: str
    teacher: str | None
    """The label's holder; none where projects are ranked."""
    score: float | None
    """Points; none where the record has none."""
    criteria: Mapping[str, float] = MappingProxyType({})
    """Points by criterion, as far as the record has them; they can tell equals apart."""
    since: str = ""
    """When it was applied for (ISO 8601), which can tell equals apart; empty where it is not known."""
    barred: Barred | None = None


class Place(NamedTuple):
    """One candidate's place in the ranking, with the reason why it is proposed or not."""

    place: int
    """1 is the best; equals share a place, and the next is as many places behind."""
    candidate: Candidate
    proposed: bool
    why: str


def quota(number: int, share: str, rounding: Rounding) -> int:
    """How many of `number` a share is, in whole numbers."""
    exact = share_of(share) * number
    match rounding:
        case Rounding.UP:
            return math.ceil(exact)
        case Rounding.DOWN:
            return math.floor(exact)
        case Rounding.NEAREST:
            return math.floor(exact + Fraction(1, 2))


def rank(candidates: Iterable[Candidate], rules: EuropeanRules, criteria: Mapping[str, str]) -> list[Place]:
    """All candidates of one organisation in order, the best `share` of them proposed; `criteria` names each by its id.

    Source: the brief, "the top third of its awarded NQLs by quality score". The share is one of all
    candidates, also of those that the mark `above` or their project keeps out. Candidates with equal keys share a
    place and stand in the order of their identifiers, which decides nothing.
    """
    every = list(candidates)
    cut = quota(len(every), rules.share.value, rules.rounding.value)
    bound = _bound(len(every), cut, rules)
    chain = rules.tie_chain.value if rules.ties.value is Ties.CHAIN else ()
    if exceeds_bound(every, rules):
        chain = rules.tie_chain.value
    keyed = _in_order(every, chain)
    words = _Words(keyed, cut, bound, rules, criteria)
    places: list[Place] = []
    before = 0
    for key, group in itertools.groupby(keyed, key=lambda row: row[0]):
        equals = [one for _, _, one in group]
        proposed, why = words.verdict(key, before, equals)
        places.extend(Place(before + 1, one, proposed, why) for one in equals)
        before += len(equals)
    return places


_Key = tuple[float | str, ...]
_Keyed = tuple[_Key, str, Candidate]


def exceeds_bound(candidates: Sequence[Candidate], rules: EuropeanRules) -> bool:
    """Whether equals would go in together and are too many for it, so that the chain tells them apart."""
    if rules.ties.value is not Ties.TOGETHER or rules.tie_bound is None:
        return False
    cut = quota(len(candidates), rules.share.value, rules.rounding.value)
    points = sorted((hundredths(one.score) for one in candidates if not one.barred), reverse=True)
    if not cut or len(points) < cut or points[cut - 1] == NO_SCORE:
        return False
    with_equals = bisect.bisect_right(points, -points[cut - 1], key=operator.neg)
    return with_equals > _bound(len(candidates), cut, rules)


def _bound(number: int, cut: int, rules: EuropeanRules) -> int:
    """How many may go in at most where equals go in together; never fewer than the share."""
    if rules.tie_bound is None:
        return number
    return max(cut, quota(number, rules.tie_bound.value, Rounding.UP))


def _in_order(candidates: Iterable[Candidate], chain: Sequence[str]) -> list[_Keyed]:
    """The best first; no two have one identifier."""
    return sorted((_key(one, chain), one.id, one) for one in candidates)


def _key(one: Candidate, chain: Sequence[str]) -> _Key:
    """Smaller is better. Points that the record does not have count as fewer than any, and what is barred comes last."""
    if one.barred:
        return (-NO_SCORE + 1, one.barred.value, -hundredths(one.score))
    if not chain:
        return (-hundredths(one.score),)
    key: list[float | str] = [-hundredths(one.score)]
    for name in chain:
        if name == EARLIER:
            key.append(one.since or "9999")
        else:
            key.append(-hundredths(one.criteria.get(name)))
    return tuple(key)


class _Words:
    """Decides about a group of equals and words it; the same for each of them."""

    def __init__(
        self,
        keyed: Sequence[_Keyed],
        cut: int,
        bound: int,
        rules: EuropeanRules,
        criteria: Mapping[str, str],
    ) -> None:
        self.number, self.cut, self.bound = len(keyed), cut, bound
        self.rules, self.criteria = rules, criteria
        unit = "labels" if rules.unit.value is Unit.AWARDS else "projects"
        self.share = f"the share of {rules.share.value} ({cut} of {self.number} {unit})"
        self.last = keyed[cut - 1][0] if cut else None
        self.behind = keyed[cut][0] if cut < self.number else None
        self.points_at_cut = in_points(keyed[cut - 1][2].score) if cut else ""

    def verdict(self, key: _Key, before: int, equals: Sequence[Candidate]) -> tuple[bool, str]:
        """Whether the candidates with this key, `before` of them ahead, are proposed, and why."""
        score = equals[0].score
        if equals[0].barred:
            return False, _BARRED[equals[0].barred]
        if score is None:
            return False, "No quality score is on record, so it can't be ranked."
        place = f"Place {before + 1} of {self.number} with {in_points(score)} points"
        mark = self.rules.above.value
        if mark and hundredths(score) <= 100 * mark:
            return False, f"{place}: the rules ask for more than {mark}."
        if self.last is None:
            return False, f"{place}: {self.share} is none."
        if before + len(equals) <= self.cut:
            if key == self.last and self.behind is not None and key[0] == self.behind[0]:
                told = self._told_apart(key, self.behind)
                return True, f"{place}: within {self.share}; ahead of others with equal points by {told}."
            return True, f"{place}: within {self.share}."
        if before < self.cut:
            among = f"{len(equals)} with equal points stand where {self.share} ends"
            if self.rules.ties.value is Ties.APART:
                return False, f"{place}: {among}, and none of them goes in."
            if before + len(equals) > self.bound:
                why = f"with all of them it would be more than {self.bound}, the most that the rules allow with equals"
                return (
                    False,
                    f"{place}: {among}; {why}, and nothing tells them apart, so none of them goes in.",
                )
            return True, f"{place}: {among}, and all of them go in."
        if key[0] == self.last[0]:
            told = self._told_apart(self.last, key)
            return False, f"{place}: behind others with equal points by {told}; {self.share} ends before."
        return False, f"{place}: {self.share} ends with {self.points_at_cut} points."

    def _told_apart(self, better: _Key, worse: _Key) -> str:
        """By what the chain tells the two apart: `the points for “Results”`."""
        names = self.rules.tie_chain.value
        differing = (
            name for name, one, other in zip(names, better[1:], worse[1:], strict=True) if one != other
        )
        name = next(differing, "")
        return "the earlier application" if name == EARLIER else f"the points for “{self.criteria[name]}”"


_BARRED = {
    Barred.NATIONAL: f"{NATIONAL_PROJECT} It can't be put forward.",
    Barred.UNDECIDED: "An application for this project is not decided yet: its average is shown once all are, and until then "
    "it can't be put forward.",
}


class Remarks(NamedTuple):
    """What somebody should know of a ranking before they put anything forward."""

    unscored: int
    """Candidates without points on record."""
    with_equals: int
    """How many more than the share are proposed, since they are equal to its last."""
    equals_left_out: int
    """How many are not proposed that have the points of the share's last, since all would be too many."""


def remarks(places: Sequence[Place], rules: EuropeanRules) -> Remarks:
    """What is remarkable in a ranking."""
    unscored = sum(place.candidate.score is None and not place.candidate.barred for place in places)
    cut = quota(len(places), rules.share.value, rules.rounding.value)
    proposed = sum(place.proposed for place in places)
    left_out = 0  # where the chain always tells equals apart, that is nothing remarkable
    last = places[cut - 1].candidate if cut else None
    if (
        last
        and last.score is not None
        and not last.barred
        and hundredths(last.score) > 100 * rules.above.value
    ):
        left_out = sum(
            not place.proposed
            and not place.candidate.barred
            and hundredths(place.candidate.score) == hundredths(last.score)
            for place in places
        )
    return Remarks(unscored, max(0, proposed - cut), left_out)


def moving_up(places: Sequence[Place], struck: Collection[str], rules: EuropeanRules) -> list[Place]:
    """Who takes the places of those that were struck, where the rules say that the next may move up.

    The next in rank, as many as are missing; equals move up together, or stay where they are if the
    rules keep equals apart and there is not room for all. What has no score or too few
    points never does, and nobody from outside the ranking.
    """
    missing = sum(place.candidate.id in struck for place in places if place.proposed)
    if not rules.move_up.value or not missing:
        return []
    up: list[Place] = []
    mark = 100 * rules.above.value
    for _, group in itertools.groupby(places, key=lambda place: place.place):
        equals = list(group)
        if len(up) >= missing:
            break
        points = hundredths(equals[0].candidate.score)
        if (
            equals[0].proposed
            or equals[0].candidate.barred
            or points == NO_SCORE
            or (mark and points <= mark)
        ):
            continue
        if rules.ties.value is Ties.APART and len(up) + len(equals) > missing:
            break
        up += equals
        missing += sum(place.candidate.id in struck for place in equals)
    return up
