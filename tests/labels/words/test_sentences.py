"""A sentence is English to whoever reads it, and remembers what it was made of."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from labels.words.sentences import (
    Country,
    Sentence,
    Value,
    kept,
    named,
    one_after_another,
    recalled,
    say,
    say_counted,
)

MIDNIGHT = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "english"),
    [
        ("Rivers {of} light", "Rivers {of} light"),
        (2026, "2026"),
        (Decimal("18.33"), "18.33"),
        (date(2026, 6, 30), "2026-06-30"),
        (MIDNIGHT, "2026-06-30 23:59 (Brussels)"),
        (Country("PL"), "Poland"),
        ((Country("PL"), Country("PS")), "Poland, Palestine"),
        (named("criterion", "Use of technology"), "Use of technology"),
        ((), ""),
    ],
)
def test_a_value_reads_as_it_did_in_english_and_comes_back_from_json(value: Value, english: str) -> None:
    sentence = say("It is {value}.", value=value)
    assert sentence == f"It is {english}."
    body = json.loads(json.dumps(sentence.to_json()))
    again = Sentence.from_json(body)
    assert again == sentence
    assert again.values == sentence.values
    assert type(again.values["value"]) is type(value)


def test_a_count_chooses_the_pattern() -> None:
    def times(count: int) -> str:
        return say_counted("once", "{count} times", count)

    assert [times(0), times(1), times(2)] == ["0 times", "once", "2 times"]


def test_sentences_follow_one_another_as_one() -> None:
    both = one_after_another(say("Try again."), say("It closes on {day}.", day=date(2026, 1, 2)))
    assert both == "Try again. It closes on 2026-01-02."


def test_a_sentence_survives_being_copied_and_pickled() -> None:
    sentence = say_counted("{name} once", "{name} {count} times", 3, name="Ada")
    for again in (copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):  # noqa: S301 - our own
        assert (again, again.values, again.plural) == (sentence, sentence.values, sentence.plural)


def test_names_in_it_can_be_changed_and_nothing_else() -> None:
    sentence = say("{name} has {points} of {maximum}.", name="x", points=Decimal("1.5"), maximum=3)
    assert sentence.changed(str.upper) == "X has 1.5 of 3."


def test_a_verdict_keeps_what_its_sentences_were_made_of() -> None:
    sentence = say("It closes on {day}.", day=date(2026, 1, 2))
    verdict = json.loads(json.dumps({"routes": [sentence], **kept([sentence, "plain"])}))
    assert verdict["routes"] == ["It closes on 2026-01-02."]
    again = recalled(verdict["routes"][0], verdict)
    assert isinstance(again, Sentence)
    assert again.values == {"day": date(2026, 1, 2)}


def test_a_verdict_of_an_earlier_release_stays_readable() -> None:
    text = recalled("Apply again from 1 September 2027.", {"routes": ["…"]})
    assert text == "Apply again from 1 September 2027."
    assert not isinstance(text, Sentence)


@pytest.mark.parametrize("body", [{}, {"pattern": "x", "values": [1]}, {"pattern": "{x}", "values": {"x": {"points": "many"}}}])  # fmt: skip
def test_what_is_no_sentence_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no sentence"):
        Sentence.from_json(body)
