"""How points become a decision: exactly, repeatably, and with reasons that a teacher understands."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

from labels.errors import Fault
from labels.rules.model import CriteriaSet, Merge, RuleEdition, ThirdVoice
from labels.words.sentences import Sentence, named, say
from labels.words.text import has_words, one_line

NO_SCORE = -1
"""Hundredths of a point of what has no score: behind everything that has one."""


def hundredths(score: float | None) -> int:
    """A score as it is compared: to two decimal places, as it is printed, halves up.

    So nobody stays behind for the 0.003 points by which an average and its printed form differ.
    """
    return NO_SCORE if score is None else math.floor(score * 100 + 0.5 + 1e-7)


def points_of(score: float) -> Decimal:
    """A score to two decimal places, as it is compared and printed."""
    return Decimal(hundredths(score)) / 100


def in_points(score: float | None) -> str:
    """A score as people read it: `27.5`."""
    return "no score" if score is None else f"{hundredths(score) / 100:g}"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One reviewer's points, criterion by criterion, and their comment for the applicant."""

    reviewer: str
    scores: Mapping[str, int]
    comment: str = ""
    seat: int = 0
    """In which order they were called: the highest was called last."""
    digest: str = ""
    """Of all of these: it stays when the words are erased. Empty for what was given before reviews had one."""

    def total(self, criteria: CriteriaSet) -> int:
        """The points of all criteria that count."""
        return sum(self.scores[criterion.id] for criterion in criteria.counted)


@dataclass(frozen=True, slots=True)
class MergedScore:
    """What several assessments say together."""

    points: Mapping[str, Fraction]
    """Criterion → mean or median of the reviewers' points, sub-criteria too."""
    total: Fraction
    """The points of the criteria that count, together."""
    totals: tuple[int, ...] = field(default=())
    """Each reviewer's total, in rising order."""
    spread: int = 0
    """The highest total less the lowest."""
    disagreement: bool = False
    """The totals are further apart than the rules allow."""
    border: bool = False
    """The merged total lies in the band around the pass mark."""


class VerdictLine(BaseModel):
    """One criterion of a verdict."""

    model_config = ConfigDict(frozen=True)

    criterion: str
    name: str
    part_of: str | None = None
    """For a sub-criterion, the criterion that it belongs to: its points do not count in the total."""
    points: float
    maximum: int
    minimum: int
    """Points below which the label cannot be awarded; 0: none."""
    comments: tuple[str, ...] = ()


class Verdict(BaseModel):
    """A decision with everything that explains it."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["awarded", "refused"]
    total: float
    total_exact: str
    """The total as a fraction, `55/3`, since means seldom are whole."""
    maximum: int
    pass_mark: int
    lines: tuple[VerdictLine, ...]
    comments: tuple[str, ...]
    """The reviewers' comments, in an order that tells nothing of who wrote which."""
    reasons: tuple[Annotated[Sentence, PlainSerializer(str)], ...]
    inputs_digest: str
    """Over the points, the comments and the rules: the same inputs give the same verdict."""


class RuledVerdict(Verdict):
    """A decision by a person, where the rules leave it to one; the points are those that lay before them."""

    ruling: str
    """Why, in their words."""


def check_points(scores: Mapping[str, object], criteria: CriteriaSet) -> list[Fault]:
    """Everything that is wrong with a reviewer's points, at once."""
    known = {criterion.id: criterion for criterion in criteria.criteria}
    faults = [
        Fault(
            f"scores.{criterion.id}", say("is missing; expected 0 to {most} points.", most=criterion.maximum)
        )
        for criterion in criteria.criteria
        if criterion.id not in scores
    ]
    for name, points in scores.items():
        where = f"scores.{one_line(name, 40)}"
        if name not in known:
            faults.append(Fault(where, say("is no criterion; expected {criteria}.", criteria=tuple(known))))
        elif not isinstance(points, int) or isinstance(points, bool):
            faults.append(
                Fault(where, say("is not a whole number; expected 0 to {most}.", most=known[name].maximum))
            )
        elif not 0 <= points <= known[name].maximum:
            most = known[name].maximum
            if abs(points) < 10_000:
                out = say("{points} is out of range; expected 0 to {most}.", points=points, most=most)
            else:
                out = say("is far out of range; expected 0 to {most}.", most=most)
            faults.append(Fault(where, out))
    return faults


def check_comment(scores: Mapping[str, int], comment: str, edition: RuleEdition) -> list[Fault]:
    """That points too few for the label come with words for the applicant: a refusal has a reason that a person wrote."""
    if has_words(comment):
        return []
    criteria = edition.criteria_set
    short = [one for one in criteria.criteria if scores[one.id] < edition.minimum(one)]
    if sum(scores[one.id] for one in criteria.counted) < edition.national.pass_mark.value:
        short = short or [one for one in criteria.counted if scores[one.id] < one.maximum]
    if not short:
        return []
    about = tuple(
        say(
            "“{criterion}” ({points} of {most})",
            criterion=named("criterion", one.name),
            points=scores[one.id],
            most=one.maximum,
        )
        for one in short
    )
    problem = say("is needed where points are too few for the label.")
    remedy = say("Say for the applicant what was missing in {criteria}.", criteria=about)
    return [Fault(say("comment"), problem, remedy)]


def merge(assessments: Sequence[Assessment], edition: RuleEdition) -> MergedScore:
    """The assessments as one score, whatever order they come in; exact, without rounding.

    With the median, the total is the sum of the criteria's medians, so that the lines of a verdict add up.

    Raises:
        ValueError: there is no assessment, or two are by one reviewer.
    """
    if not assessments:
        raise ValueError("nothing to merge: there is no assessment")
    if len({one.reviewer for one in assessments}) < len(assessments):
        raise ValueError("two assessments are by one reviewer: each counts once")
    review, criteria = edition.national.review, edition.criteria_set
    counted, how = _counted(assessments, edition)
    middle = {Merge.MEAN: _mean, Merge.MEDIAN: _median}[how]
    points = {
        criterion.id: middle([one.scores[criterion.id] for one in counted]) for criterion in criteria.criteria
    }
    total = sum((points[criterion.id] for criterion in criteria.counted), Fraction(0))
    totals = tuple(sorted(one.total(criteria) for one in assessments))
    spread = totals[-1] - totals[0]
    return MergedScore(
        points=points,
        total=total,
        totals=totals,
        spread=spread,
        disagreement=spread > review.disagreement.value,
        border=review.border.value > 0
        and abs(total - edition.national.pass_mark.value) <= review.border.value,
    )


def _mean(points: Sequence[int]) -> Fraction:
    return Fraction(sum(points), len(points))


def _median(points: Sequence[int]) -> Fraction:
    return Fraction(statistics.median_low(points) + statistics.median_high(points), 2)


def _counted(assessments: Sequence[Assessment], edition: RuleEdition) -> tuple[Sequence[Assessment], Merge]:
    """Whose points count, and how they become one: as the rules say once one more was called."""
    review = edition.national.review
    if review.third_voice is None or len(assessments) <= review.reviewers.value:
        return assessments, review.merge.value
    match review.third_voice.value:
        case ThirdVoice.MEAN:
            return assessments, Merge.MEAN
        case ThirdVoice.MEDIAN:
            return assessments, Merge.MEDIAN
        case ThirdVoice.THIRD:
            return [max(assessments, key=lambda one: one.seat)], Merge.MEAN
        case ThirdVoice.NEAREST_TWO:
            return _nearest_two(assessments, edition.criteria_set), Merge.MEAN


def _nearest_two(assessments: Sequence[Assessment], criteria: CriteriaSet) -> Sequence[Assessment]:
    pairs: dict[int, list[tuple[Assessment, Assessment]]] = {}
    for one, other in itertools.combinations(assessments, 2):
        pairs.setdefault(abs(one.total(criteria) - other.total(criteria)), []).append((one, other))
    nearest = pairs[min(pairs)]
    return nearest[0] if len(nearest) == 1 else assessments


_SETTLES = (ThirdVoice.NEAREST_TWO, ThirdVoice.THIRD)
"""Ways in which one more voice settles a disagreement, however far apart the first were."""


def another_needed(assessments: Sequence[Assessment], edition: RuleEdition) -> str | None:
    """Why one more reviewer is called now that as many as the rules ask for are in; None if none is.

    A score near the pass mark calls one more, once; a disagreement calls more until the rules'
    largest number of reviewers. Source: assumption (DOMAIN: a spread above six points).
    """
    review = edition.national.review
    if not review.reviewers.value <= len(assessments) < review.most_reviewers.value:
        return None
    voice = review.third_voice
    if voice and voice.value in _SETTLES and len(assessments) > review.reviewers.value:
        return None
    merged = merge(assessments, edition)
    if merged.disagreement:
        return (
            f"the reviewers' totals are {merged.spread} points apart, more than {review.disagreement.value}"
        )
    if merged.border and len(assessments) == review.reviewers.value:
        return (
            f"the score {_number(merged.total)} lies within {review.border.value} of "
            f"the pass mark {edition.national.pass_mark.value}"
        )
    return None


def judge(assessments: Sequence[Assessment], edition: RuleEdition) -> Verdict:
    """The outcome by the rules, with its reasons; the same for the same inputs in any order.

    Raises:
        ValueError: fewer assessments are in than the rules ask for, or one more reviewer is called.
    """
    rules = edition.national
    if len(assessments) < rules.review.fewest:
        raise ValueError(f"{len(assessments)} of {rules.review.fewest} reviews are in: too few to decide")
    goes_without = rules.review.late is not None and rules.review.late.enough is not None
    if not goes_without and (more := another_needed(assessments, edition)):
        raise ValueError(f"one more reviewer is called before the decision: {more}")
    shortfalls, scored, verdict = _by_points(assessments, edition)
    return verdict.model_copy(
        update={
            "outcome": "refused" if shortfalls else "awarded",
            "reasons": shortfalls or (scored, say("No criterion fell below the points that it needs.")),
        }
    )


def rule(
    assessments: Sequence[Assessment],
    edition: RuleEdition,
    outcome: Literal["awarded", "refused"],
    reason: str,
) -> RuledVerdict:
    """The outcome that a person decided on, with their reason and the points of the reviews that are in.

    Raises:
        ValueError: fewer assessments are in than the rules ask for.
    """
    fewest = edition.national.review.fewest
    if len(assessments) < fewest:
        raise ValueError(f"{len(assessments)} of {fewest} reviews are in: too few to decide")
    _, scored, verdict = _by_points(assessments, edition)
    ruled = say("A coordinator decided, as the rules have it: {reason}", reason=reason)
    given = json.dumps([verdict.inputs_digest, outcome, reason], ensure_ascii=False)
    return RuledVerdict(
        **dict(verdict)
        | {
            "outcome": outcome,
            "reasons": (ruled, scored),
            "inputs_digest": hashlib.sha256(given.encode()).hexdigest(),
            "ruling": reason,
        }
    )


def _by_points(
    assessments: Sequence[Assessment], edition: RuleEdition
) -> tuple[tuple[Sentence, ...], Sentence, Verdict]:
    """What the points fall short of, what they come to, and a verdict that has all but its outcome and reasons."""
    rules = edition.national
    merged = merge(assessments, edition)
    shortfalls, lines = [], []
    for criterion in edition.criteria_set.criteria:
        points = merged.points[criterion.id]
        minimum = edition.minimum(criterion)
        if points < minimum:
            shortfalls.append(
                say(
                    "“{criterion}” scored {points} of {maximum}; at least {minimum} is needed.",
                    criterion=named("criterion", criterion.name),
                    points=Decimal(_number(points)),
                    maximum=criterion.maximum,
                    minimum=minimum,
                )
            )
        lines.append(
            VerdictLine(
                criterion=criterion.id,
                name=criterion.name,
                part_of=criterion.part_of,
                points=float(points),
                maximum=criterion.maximum,
                minimum=minimum,
            )
        )
    pass_mark, maximum = rules.pass_mark.value, edition.criteria_set.maximum
    scored = say(
        "The application scored {points} of {maximum}; the label is awarded from {pass_mark}.",
        points=Decimal(_number(merged.total)),
        maximum=maximum,
        pass_mark=pass_mark,
    )
    if merged.total < pass_mark:
        shortfalls.insert(0, scored)
    verdict = Verdict(
        outcome="refused",
        total=float(merged.total),
        total_exact=str(merged.total),
        maximum=maximum,
        pass_mark=pass_mark,
        lines=tuple(lines),
        comments=_blind(one.comment for one in assessments),
        reasons=(),
        inputs_digest=_inputs_digest(assessments, edition),
    )
    return tuple(shortfalls), scored, verdict


def _blind(comments: Iterable[str]) -> tuple[str, ...]:
    given = [comment.strip() for comment in comments if has_words(comment)]
    return tuple(sorted(given, key=lambda text: hashlib.sha256(text.encode()).digest()))


def _inputs_digest(assessments: Sequence[Assessment], edition: RuleEdition) -> str:
    given = sorted(
        one.digest
        or json.dumps([one.reviewer, dict(one.scores), one.comment], sort_keys=True, ensure_ascii=False)
        for one in assessments
    )
    return hashlib.sha256(json.dumps([edition.digest, given]).encode()).hexdigest()


def _number(value: Fraction) -> str:
    """As a person writes it: `18`, `18.33`."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")
