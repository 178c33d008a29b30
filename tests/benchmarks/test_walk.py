"""Random courses beside a model in BPMN: they agree, and where they would not, it is found."""

from __future__ import annotations

import pytest

from benchmarks.walk import batches
from benchmarks.walk.model import Judged, Rules, Token, another, passes
from labels.reviews import asking, scoring

CRITERIA = ("ideas", "work", "results")
RULES = Rules(
    reviewers=2, most=3, merge="mean", third_voice=None, disagreement=3, border=1, pass_mark=9,
    minimum=dict.fromkeys(CRITERIA, 1), counted=CRITERIA, appeals=True,
)  # fmt: skip


def each(points: int) -> dict[str, int]:
    return dict.fromkeys(CRITERIA, points)


def test_the_model_seats_reviewers_and_calls_one_more_where_two_disagree() -> None:
    model = Judged(RULES, free=3)
    assert model.awaited == [("review", 1), ("review", 2)]
    model.asked(1)
    assert model.awaited == [("information", 1), ("review", 2)]
    model.answered(1)
    model.gave(1, each(5))
    model.gave(2, each(1))
    assert (model.awaited, model.free) == ([("review", 3)], 0)
    model.vacated(3)
    assert model.awaited == [("assignment", 3)]
    model.handed_over(3, was_free=False)
    model.gave(3, each(1))
    assert (model.place, model.rights) == ("refused", ["appeal"])
    model.appealed()
    assert (model.place, model.awaited, model.rights) == ("judging", [("assignment", 1)], ["withdrawal"])


def test_the_model_drops_a_seat_beyond_the_rules_and_its_question_once_a_review_is_sent_back() -> None:
    model = Judged(RULES, free=4)
    model.gave(1, each(5))
    model.gave(2, each(1))
    model.asked(3)
    model.sent_back(1)
    model.vacated(3)
    assert model.awaited == [("review", 1)]


@pytest.mark.parametrize(("voice", "awarded"), [("mean", False), ("nearest_two", True), ("third", True)])
def test_the_model_counts_a_third_voice_as_its_rules_say(voice: str, awarded: bool) -> None:
    rules = Rules(**{**vars(RULES), "third_voice": voice, "most": 3, "minimum": {}})
    voices = {1: each(1), 2: each(4), 3: each(3) | {"ideas": 4}}
    assert not another(voices, rules)
    assert passes(voices, rules) is awarded


def test_two_must_say_the_same_where_four_eyes_are_asked_for() -> None:
    award = Token("european.bpmn", "award", qualifying=2, former=None, said=None, four_eyes=True)
    assert award.go(former=None, said=["P-1"]) == "awarding"
    assert award.go(former=["P-1"], said=[]) == "awarding"
    assert award.go(former=[], said=[]) == "over"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_courses_end_as_the_model_says(seed: int) -> None:
    done = batches.play(seed, papers=0.05)
    assert done.differences == []
    assert done.breaches == []
    assert done.courses >= 22
    assert len(done.acts) > 10
    assert done.papers


@pytest.mark.slow
def test_a_process_that_never_calls_one_more_reviewer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (asking, scoring):
        monkeypatch.setattr(module, "another_needed", lambda assessments, edition: None)
    assert any("review" in one.after for one in batches.play(1, papers=0).differences)
