"""How points become a decision: merged exactly, one more reviewer where needed, reasons in words."""

from __future__ import annotations

import functools
import random
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.reviews.scoring import Assessment, another_needed, check_comment, check_points, judge, merge
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition

TODAY = date(2026, 3, 16)
SIX = (
    "pedagogical_innovation",
    "curricular_integration",
    "communication",
    "collaboration",
    "technology",
    "results",
)


@functools.cache
def rules(organisation: str = "NSS-BE-FR", **review: Any) -> RuleEdition:
    """The rules of an organisation, with changes to those of its reviews."""
    body = load_rules(organisation, TODAY).to_json()
    for name, value in review.items():
        body["national"]["review"][name]["value"] = value
    return RuleEdition.from_json(body)


def with_voice(voice: str | None, **review: Any) -> RuleEdition:
    """The rules with a way in which one more voice counts."""
    body = rules(**review).to_json()
    if voice:
        body["national"]["review"]["third_voice"] = {"value": voice, "source": "assumption"}
    return RuleEdition.from_json(body)


def assessed(reviewer: str, *points: int, criteria: tuple[str, ...] = SIX, **more: int) -> Assessment:
    """An assessment by its points in the order of the criteria; one number stands for all of them."""
    each = points * len(criteria) if len(points) == 1 else points
    return Assessment(reviewer, dict(zip(criteria, each, strict=True)) | more, f"from {reviewer}")


def reviews(*totals: int) -> list[Assessment]:
    """One assessment a total, its points spread as evenly as they can be."""
    return [
        assessed(f"r{n}", *(total // 6 + (place < total % 6) for place in range(6)))
        for n, total in enumerate(totals, 1)
    ]


@st.composite
def several(draw: st.DrawFn, smallest: int = 1) -> list[Assessment]:
    points = st.lists(st.integers(0, 5), min_size=6, max_size=6)
    given_points = draw(st.lists(points, min_size=smallest, max_size=5))
    return [assessed(f"r{n}", *each) for n, each in enumerate(given_points)]


# Points -----------------------------------------------------------------------------------------


def test_right_points_have_no_fault() -> None:
    assert check_points(dict.fromkeys(SIX, 0), rules().criteria_set) == []
    assert check_points(dict.fromkeys(SIX, 5), rules().criteria_set) == []


def test_everything_that_is_wrong_with_points_is_named_at_once() -> None:
    scores = {
        "pedagogical_innovation": 6, "curricular_integration": -1, "communication": "4",
        "collaboration": 3.0, "technology": True, "luck": 5,
    }  # fmt: skip
    found = {fault.where: fault.problem for fault in check_points(scores, rules().criteria_set)}
    assert found == {
        "scores.results": "is missing; expected 0 to 5 points.",
        "scores.pedagogical_innovation": "6 is out of range; expected 0 to 5.",
        "scores.curricular_integration": "-1 is out of range; expected 0 to 5.",
        "scores.communication": "is not a whole number; expected 0 to 5.",
        "scores.collaboration": "is not a whole number; expected 0 to 5.",
        "scores.technology": "is not a whole number; expected 0 to 5.",
        "scores.luck": f"is no criterion; expected {', '.join(SIX)}.",
    }


def test_serbia_gives_at_most_three_points() -> None:
    faults = check_points(dict.fromkeys(SIX, 4), rules("NSS-RS").criteria_set)
    assert len(faults) == 6
    assert all(fault.problem == "4 is out of range; expected 0 to 3." for fault in faults)


@given(st.dictionaries(st.text() | st.sampled_from(SIX), st.integers() | st.text() | st.none() | st.floats()))
def test_whatever_points_are_handed_in_is_answered_in_short_lines(scores: dict[str, object]) -> None:
    faults = check_points(scores, rules().criteria_set)
    assert faults or set(scores) == set(SIX)
    assert all(len(str(fault)) < 250 and "\n" not in str(fault) for fault in faults)


def test_a_number_of_ten_thousand_digits_is_out_of_range_and_nothing_breaks() -> None:
    [fault] = check_points(dict.fromkeys(SIX, 3) | {"results": 10**10_000}, rules().criteria_set)
    assert str(fault) == "scores.results: is far out of range; expected 0 to 5."


# Merging ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "points", "merged"),
    [
        ("mean", (3, 4), "7/2"),
        ("median", (3, 4), "7/2"),
        ("mean", (1, 4, 5), "10/3"),
        ("median", (1, 4, 5), "4"),
        ("mean", (0, 5, 5), "10/3"),
        ("median", (0, 5, 5), "5"),
        ("mean", (2,), "2"),
    ],
)
def test_points_are_merged_exactly(how: str, points: tuple[int, ...], merged: str) -> None:
    given_points = [assessed(f"r{n}", each) for n, each in enumerate(points)]
    score = merge(given_points, rules(merge=how))
    assert score.points == dict.fromkeys(SIX, Fraction(merged))
    assert score.total == 6 * Fraction(merged)


@pytest.mark.parametrize(
    ("voice", "totals", "merged"),
    [
        ("mean", (30, 12, 18), 20),
        ("median", (30, 12, 18), 18),
        ("nearest_two", (30, 12, 18), 15),
        ("third", (30, 12, 18), 18),
        ("third", (12, 18, 30), 30),
        ("nearest_two", (12, 18, 24), 18),  # two pairs are equally near: all count
        ("nearest_two", (30, 12), 21),  # nobody else was called yet
        (None, (30, 12, 18), 20),  # as the first two are merged
    ],
)
def test_what_one_more_voice_counts_is_a_rule(
    voice: str | None, totals: tuple[int, ...], merged: int
) -> None:
    edition = with_voice(voice)
    called = [replace(one, seat=seat) for seat, one in enumerate(reviews(*totals), 1)]
    assert merge(called, edition).total == merged
    assert merge(called[::-1], edition).total == merged


def test_a_third_who_decides_settles_it_and_nobody_else_is_called() -> None:
    called = [replace(one, seat=seat) for seat, one in enumerate(reviews(30, 12, 18), 1)]
    for voice, more in (("third", False), ("nearest_two", False), ("mean", True)):
        assert (another_needed(called, with_voice(voice, most_reviewers=4)) is not None) is more
    assert another_needed(called[:2], with_voice("third")) is not None


def test_rules_that_were_kept_before_there_was_this_one_have_the_digest_that_they_had() -> None:
    edition = rules()
    assert "third_voice" not in edition.to_json()["national"]["review"]
    assert with_voice("third").to_json()["national"]["review"]["third_voice"]["value"] == "third"
    assert with_voice("third").digest != edition.digest


def test_points_too_few_for_the_label_need_a_comment_by_criterion() -> None:
    edition = rules()
    few = dict.fromkeys(SIX, 2)
    [fault] = check_comment(few, "\u200b \u2800.", edition)
    assert fault.where == "comment"
    assert str(fault).count("(2 of 5)") == 6
    assert check_comment(few, "The pupils never met.", edition) == []
    assert check_comment(dict.fromkeys(SIX, 4), "", edition) == []
    [fault] = check_comment(dict.fromkeys(SIX, 5) | {"results": 0}, "", edition)
    assert "(0 of 5)" in str(fault)
    assert "(5 of 5)" not in str(fault)


def test_three_thirds_make_a_whole() -> None:
    # 17.999… would be refused; 18 is awarded.
    score = merge(reviews(17, 18, 19), rules())
    assert score.total == 18
    assert (score.totals, score.spread) == ((17, 18, 19), 2)


def test_nothing_is_not_merged_and_nobody_counts_twice() -> None:
    with pytest.raises(ValueError, match="there is no assessment"):
        merge([], rules())
    with pytest.raises(ValueError, match="by one reviewer"):
        merge([assessed("r1", 3), assessed("r1", 4)], rules())


@pytest.mark.slow
@given(several())
def test_a_merged_score_lies_between_the_reviewers(given_points: list[Assessment]) -> None:
    for how in ("mean", "median"):
        score = merge(given_points, rules(merge=how))
        for criterion, points in score.points.items():
            each = [one.scores[criterion] for one in given_points]
            assert min(each) <= points <= max(each)
        assert score.total == sum(score.points.values())
        assert score.spread == max(score.totals) - min(score.totals)
    assert score.totals[0] <= merge(given_points, rules(merge="mean")).total <= score.totals[-1]


# One more reviewer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("totals", "reason"),
    [
        ((24,), None),  # the second is still awaited
        ((24, 24), None),
        ((24, 30), None),  # six apart is not more than six
        ((23, 30), "7 points apart"),
        ((17, 17), "17 lies within 1 of the pass mark 18"),
        ((18, 18), "18 lies within 1"),
        ((19, 19), "19 lies within 1"),
        ((18, 21), None),  # 19.5
        ((16, 17), None),  # 16.5
        ((12, 24), "12 points apart"),
        ((23, 30, 24), None),  # never beyond the most
        ((17, 18, 19), None),
    ],
)
def test_one_more_is_called_by_disagreement_or_near_the_pass_mark(
    totals: tuple[int, ...], reason: str | None
) -> None:
    found = another_needed(reviews(*totals), rules())
    assert found is None if reason is None else found is not None and reason in found


def test_the_border_calls_one_more_once_and_disagreement_until_the_most() -> None:
    five = rules(most_reviewers=5)
    assert another_needed(reviews(18, 18), five)
    assert another_needed(reviews(18, 18, 18), five) is None
    assert another_needed(reviews(12, 24, 20), five)
    assert another_needed(reviews(12, 24, 20, 20), five)
    assert another_needed(reviews(12, 24, 20, 20, 20), five) is None


def test_a_border_of_none_calls_nobody() -> None:
    assert another_needed(reviews(18, 18), rules(border=0)) is None


@given(several())
def test_nobody_is_called_before_the_quorum_or_beyond_the_most(given_points: list[Assessment]) -> None:
    for organisation, fewest, most in (("PSA-MD", 1, 2), ("NSS-BE-FR", 2, 3), ("NSS-CZ", 3, 4)):
        if not fewest <= len(given_points) < most:
            assert another_needed(given_points, rules(organisation)) is None


# Deciding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "outcome", "reasons"),
    [
        (
            [(4, 4, 4, 4, 4, 4), (4, 4, 4, 4, 4, 4)],
            "awarded",
            ["The application scored 24 of 30; the label is awarded from 18.",
             "No criterion fell below the points that it needs."],
        ),
        (
            [(2, 2, 2, 2, 2, 2), (3, 2, 2, 2, 2, 2)],
            "refused",
            ["The application scored 12.5 of 30; the label is awarded from 18."],
        ),
        (
            [(5, 5, 5, 5, 5, 1), (5, 5, 5, 5, 5, 2)],
            "refused",
            ["“Results, impact and documentation” scored 1.5 of 5; at least 2 is needed."],
        ),
        (
            [(5, 5, 5, 5, 5, 1), (5, 5, 5, 5, 5, 3)],
            "awarded",  # 2 on average is enough
            ["The application scored 27 of 30; the label is awarded from 18.",
             "No criterion fell below the points that it needs."],
        ),
        (
            [(3, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3, 3)],
            "awarded",  # the pass mark itself is enough
            ["The application scored 18 of 30; the label is awarded from 18.",
             "No criterion fell below the points that it needs."],
        ),
        (
            [(3, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3, 3), (2, 3, 3, 3, 3, 3)],
            "refused",
            ["The application scored 17.67 of 30; the label is awarded from 18."],
        ),
        (
            [(0, 2, 2, 2, 2, 1), (0, 2, 2, 2, 2, 1)],
            "refused",  # every reason at once
            ["The application scored 9 of 30; the label is awarded from 18.",
             "“Pedagogical innovation and creativity” scored 0 of 5; at least 2 is needed.",
             "“Results, impact and documentation” scored 1 of 5; at least 2 is needed."],
        ),
    ],
)  # fmt: skip
def test_the_rules_decide_and_say_why(
    points: list[tuple[int, ...]], outcome: str, reasons: list[str]
) -> None:
    verdict = judge([assessed(f"r{n}", *each) for n, each in enumerate(points)], rules())
    assert (verdict.outcome, list(verdict.reasons)) == (outcome, reasons)


def test_nothing_is_decided_before_the_quorum() -> None:
    with pytest.raises(ValueError, match="1 of 2 reviews are in"):
        judge(reviews(30), rules())
    with pytest.raises(ValueError, match="2 of 3 reviews are in"):
        judge(reviews(30, 30), rules("NSS-CZ"))
    assert judge(reviews(30), rules("PSA-MD")).outcome == "awarded"


def test_nothing_is_decided_while_one_more_reviewer_is_called() -> None:
    with pytest.raises(
        ValueError, match="one more reviewer is called before the decision: the score 18 lies"
    ):
        judge(reviews(18, 18), rules())
    assert judge(reviews(18, 18, 18), rules()).outcome == "awarded"


KNOCK_OUTS = ("online_collaboration", "choice_of_ict", "safety_and_rights")
FIVE = tuple(one for one in SIX if one != "communication")


@pytest.mark.parametrize(
    ("each", "knock_outs", "outcome", "total"),
    [
        (4, (3, 3, 3), "awarded", 20),
        (5, (5, 2, 5), "refused", 25),
        (5, (0, 0, 0), "refused", 25),
        (2, (5, 5, 5), "refused", 10),  # a knock-out's points do not count in the total
    ],
)
def test_a_knock_out_refuses_whatever_the_total_and_adds_nothing_to_it(
    each: int, knock_outs: tuple[int, ...], outcome: str, total: int
) -> None:
    more = dict(zip(KNOCK_OUTS, knock_outs, strict=True))
    verdict = judge([assessed(r, each, criteria=FIVE, **more) for r in ("r1", "r2")], rules("NSS-FR"))
    assert (verdict.outcome, verdict.total, verdict.maximum) == (outcome, total, 25)
    assert {line.criterion: line.minimum for line in verdict.lines if line.part_of} == dict.fromkeys(
        KNOCK_OUTS, 3
    )
    fallen = [name for name, points in more.items() if points < 3]
    assert sum("at least 3 is needed" in reason for reason in verdict.reasons) == len(fallen)


def test_comments_come_in_an_order_that_tells_nothing_of_who_wrote_them() -> None:
    texts = ["Wonderful.", "", "  ", "Please say more of the pupils' part."]
    both = [
        [Assessment(f"{prefix}{n}", dict.fromkeys(SIX, 4), text) for n, text in enumerate(order)]
        for prefix, order in (("a", texts), ("z", texts[::-1]))
    ]
    first, second = (judge(given_points, rules("NSS-CZ")) for given_points in both)
    assert first.comments == second.comments
    assert sorted(first.comments) == ["Please say more of the pupils' part.", "Wonderful."]


@pytest.mark.slow
@given(given_points=several(smallest=3), seed=st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_the_order_of_the_assessments(
    given_points: list[Assessment], seed: random.Random
) -> None:
    shuffled = given_points[:]
    seed.shuffle(shuffled)
    for how in ("mean", "median"):
        edition = rules(merge=how)
        assert judge(given_points, edition).model_dump_json() == judge(shuffled, edition).model_dump_json()


@pytest.mark.slow
@given(given_points=several(smallest=3), more=st.sampled_from(SIX))
def test_more_points_never_turn_an_award_into_a_refusal(given_points: list[Assessment], more: str) -> None:
    first = given_points[0]
    better = Assessment(first.reviewer, dict(first.scores) | {more: min(5, first.scores[more] + 1)})
    for how in ("mean", "median"):
        before = judge(given_points, rules(merge=how))
        after = judge([better, *given_points[1:]], rules(merge=how))
        assert after.total >= before.total
        assert (before.outcome, after.outcome) != ("awarded", "refused")


@given(several(smallest=3))
def test_a_label_is_awarded_exactly_if_total_and_every_criterion_are_enough(
    given_points: list[Assessment],
) -> None:
    score, verdict = merge(given_points, rules()), judge(given_points, rules())
    enough = score.total >= 18 and all(points >= 2 for points in score.points.values())
    assert verdict.outcome == ("awarded" if enough else "refused")
    assert Fraction(verdict.total_exact) == score.total
    assert verdict.reasons


def test_the_digest_of_the_inputs_tells_any_other_input() -> None:
    base = judge(reviews(24, 25), rules()).inputs_digest
    assert judge(reviews(24, 25), rules()).inputs_digest == base
    other_points = judge(reviews(25, 24), rules())
    other_rules = judge(reviews(24, 25), rules(link_days=7))
    commented = [reviews(24, 25)[0], Assessment("r2", reviews(24, 25)[1].scores, "another word")]
    others = {one.inputs_digest for one in (other_points, other_rules, judge(commented, rules()))}
    assert len(others | {base}) == 4
