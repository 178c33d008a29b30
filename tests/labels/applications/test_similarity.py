"""Two texts that read alike: found in any script, told with the passages, and never a verdict."""

from __future__ import annotations

import random
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.applications.similarity import SHINGLE, WINDOW, Everybodys, Reading, Shared, shared

RIVERS = (
    "Pupils of three countries measured the quality of their rivers every month, compared the results in "
    "mixed teams and wrote an atlas that none of the schools could have made alone."
)
SNOW = (
    "Our classes built six experiments on snow and ice, planned each of them with a partner class, and "
    "discussed in weekly meetings why the same experiment gave different results."
)
PHRASE = "The pupils worked together in mixed international teams."
SCRIPTS = [
    (RIVERS, RIVERS.upper()),
    (RIVERS, RIVERS.replace(" ", "  \n")),
    (RIVERS, RIVERS.replace(",", ";").replace(".", "!")),
    (RIVERS, RIVERS.replace("quality", "qua\u00adli\u200bty")),
    ("Żółta łódź płynęła bardzo długą rzeką", "zołta łodz płyneła bardzo długa rzeka"),
    ("Μαθητές μέτρησαν την ποιότητα του νερού", "ΜΑΘΗΤΕΣ ΜΕΤΡΗΣΑΝ ΤΗΝ ΠΟΙΟΤΗΤΑ ΤΟΥ ΝΕΡΟΥ"),
    ("Ученици су мерили квалитет воде заједно", "УЧЕНИЦИ СУ МЕРИЛИ КВАЛИТЕТ ВОДЕ, ЗАЈЕДНО!"),
    ("Учні вимірювали якість води щомісяця разом", "УЧНІ ВИМІРЮВАЛИ ЯКІСТЬ ВОДИ — ЩОМІСЯЦЯ РАЗОМ"),
    ("მოსწავლეებმა გაზომეს წყლის ხარისხი ყოველ თვე", "მოსწავლეებმა გაზომეს: წყლის ხარისხი, ყოველ თვე"),
    ("მოსწავლეებმა გაზომეს წყლის ხარისხი ყოველ თვე", "ᲛᲝᲡᲬᲐᲕᲚᲔᲔᲑᲛᲐ ᲒᲐᲖᲝᲛᲔᲡ ᲬᲧᲚᲘᲡ ᲮᲐᲠᲘᲡᲮᲘ ᲧᲝᲕᲔᲚ ᲗᲕᲔ"),
    ("Աշակերտները չափեցին ջրի որակը ամեն ամիս", "ԱՇԱԿԵՐՏՆԵՐԸ ՉԱՓԵՑԻՆ ՋՐԻ ՈՐԱԿԸ ԱՄԵՆ ԱՄԻՍ"),
    ("قاسَ التلاميذُ جودةَ مياهِ النهرِ كلَّ شهر", "قاس التلاميذ جودة مياه النهر كل شـــهر"),
    ("学生们每个月测量河流的水质", "学生们，每个月测量「河流」的水质。"),
]
texts = st.text(alphabet="abcde żΩд", max_size=200)


def compared(one: str, other: str, everybodys: Everybodys | None = None) -> Shared:
    return shared(Reading(one), Reading(other), everybodys or Everybodys())


def fingerprints(text: str) -> set[int]:
    return set(Reading(text).fingerprints.values())


def test_the_same_text_is_alike_and_another_is_not() -> None:
    same = compared(RIVERS, RIVERS)
    assert (same.share, same.longest) == (1.0, len(RIVERS.split()))
    assert compared(RIVERS, SNOW) == Shared(0.0, ())


@pytest.mark.parametrize(("text", "copy"), SCRIPTS)
def test_case_accents_and_punctuation_hide_no_copy_in_any_script(text: str, copy: str) -> None:
    decomposed = unicodedata.normalize("NFD", copy)
    assert compared(text, copy).share == 1.0
    assert compared(text, decomposed).share == 1.0
    assert fingerprints(text) == fingerprints(copy) == fingerprints(decomposed) != set()


def test_a_copy_within_a_longer_text_is_found_with_its_passage() -> None:
    longer = f"{SNOW} {RIVERS.upper()}"
    found = compared(longer, RIVERS)
    assert found.share == 1.0
    [passage] = found.passages
    assert longer[slice(*passage.here)] == RIVERS.upper().rstrip(".")
    assert RIVERS[slice(*passage.there)] == RIVERS.rstrip(".")


def test_passages_are_told_one_by_one_where_words_were_changed() -> None:
    changed = RIVERS.replace("every month", "each week")
    found = compared(changed, RIVERS)
    assert [changed[slice(*one.here)] for one in found.passages] == [
        "Pupils of three countries measured the quality of their rivers",
        RIVERS[RIVERS.index("compared") : -1],
    ]
    assert 0.9 < found.share < 1.0


def test_a_phrase_of_a_few_words_is_little_of_a_text() -> None:
    found = compared(f"{RIVERS} {PHRASE}", f"{SNOW} {PHRASE}")
    assert 0 < found.share < 0.25


def test_the_questions_of_the_form_do_not_count() -> None:
    questions = Everybodys(shingles=frozenset(Reading(PHRASE).shingles))
    assert compared(f"{RIVERS} {PHRASE}", f"{SNOW} {PHRASE}", questions).share == 0


def test_a_passage_does_not_count_whose_fingerprints_are_everybodys() -> None:
    known = Everybodys(fingerprints=frozenset(fingerprints(RIVERS)))
    assert compared(RIVERS, RIVERS, known).passages == ()
    assert compared(SNOW, SNOW, known).share == 1.0


@pytest.mark.parametrize("text", ["", "too short", "… — !"])
def test_what_is_empty_or_short_is_not_alike(text: str) -> None:
    assert compared(text, text) == Shared(0.0, ())
    assert fingerprints(text) == set()


def test_a_text_of_the_same_words_again_and_again_is_compared_in_time() -> None:
    again = "and so on " * 6_000
    assert compared(again, again).share == 1.0


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 300), st.integers(0, 300))
def test_two_texts_that_share_twenty_words_in_a_row_have_a_fingerprint_in_common(
    chance: random.Random, before: int, after: int
) -> None:
    def some(number: int) -> list[str]:
        return [f"w{chance.randrange(10_000)}" for _ in range(number)]

    copied = some(SHINGLE + WINDOW - 1)
    one = " ".join([*some(before), *copied, *some(after)])
    other = " ".join([*some(after), *copied, *some(before)])
    assert fingerprints(one) & fingerprints(other)


def test_few_of_the_words_become_fingerprints() -> None:
    text = " ".join(f"w{number}" for number in range(2_000))
    assert len(fingerprints(text)) < 2_000 * 2.5 / (WINDOW + 1)


@given(one=texts, other=texts)
def test_a_share_lies_between_0_and_1_and_passages_neither_overlap_nor_leave_their_texts(
    one: str, other: str
) -> None:
    found = compared(one, other)
    assert 0 <= found.share <= 1
    assert all(before.here[1] <= after.here[0] for before, after in pairwise(found.passages))
    for passage in found.passages:
        here, there = one[slice(*passage.here)], other[slice(*passage.there)]
        assert Reading(here).words == Reading(there).words
        assert passage.words == len(Reading(here).words) >= SHINGLE
