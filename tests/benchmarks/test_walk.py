"""Random courses beside a model in BPMN: they agree, and where they would not, it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks.walk import batches, world
from benchmarks.walk.acting import Course
from benchmarks.walk.model import Judged, Rules, Token, another, passes
from benchmarks.walk.walking import Walk
from labels.reviews import asking, scoring
from labels.views import statistic_queries as queries
from labels.views.figures import Figures, figures
from labels.views.statistic_queries import Asked

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
def test_figures_that_were_read_before_are_read_again_whatever_happens_to_an_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happens, differ, seen = Walk._do, Counter[str](), set[str]()

    def compared(walk: Walk, course: Course, name: str, act: Callable[[], None]) -> None:
        happens(walk, course, name, act)
        asked = Asked(None, world.TODAY.year - 1, world.TODAY.year)
        with walk._here.record.reading() as session:
            kept = figures(session, asked)
            days, reviews = queries.days(session, asked), queries.reviews(session, asked)
        anew = Figures(days[0], days[1], reviews[0], reviews[1], reviews[2])
        differ[name] += _counted(kept) != _counted(anew)
        seen.add(str(_counted(anew)))

    monkeypatch.setattr(Walk, "_do", compared)
    batches.play(1, papers=0)
    assert len(seen) > 50
    assert +differ == {}


def _counted(found: Figures) -> list[dict[object, int]]:
    return [
        {
            (*place, label, what): number
            for place, by_label in counted.items()
            for label, counter in by_label.items()
            for what, number in counter.items()
        }
        for counted in vars(found).values()
    ]


@pytest.mark.slow
def test_a_process_that_never_calls_one_more_reviewer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (asking, scoring):
        monkeypatch.setattr(module, "another_needed", lambda assessments, edition: None)
    assert any("review" in one.after for one in batches.play(1, papers=0).differences)
