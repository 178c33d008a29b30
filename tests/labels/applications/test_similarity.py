"""Two applications that read alike: found in any script, told with the passages, and never a verdict."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.applications.similarity import WARN_FROM, similar

RIVERS = (
    "Pupils of three countries measured the quality of their rivers every month, compared the results in "
    "mixed teams and wrote an atlas that none of the schools could have made alone."
)
SNOW = (
    "Our classes built six experiments on snow and ice, planned each of them with a partner class, and "
    "discussed in weekly meetings why the same experiment gave different results."
)
texts = st.dictionaries(st.sampled_from(["technology", "results", "communication"]), st.text(max_size=200))
words = st.lists(
    st.sampled_from(["river", "snow", "atlas", "team", "pupil", "map", "song"]), max_size=40
).map(" ".join)


def test_the_same_text_is_alike_in_whole_and_other_texts_are_not() -> None:
    same = similar({"results": RIVERS}, {"results": RIVERS})
    assert (same.share, same.sections, same.passages) == (1.0, ("results",), (RIVERS.rstrip("."),))
    other = similar({"results": RIVERS}, {"results": SNOW})
    assert (other.share, other.sections, other.passages) == (0.0, (), ())


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (RIVERS, RIVERS.upper()),
        (RIVERS, RIVERS.replace(" ", "  \n")),
        (RIVERS, RIVERS.replace(",", ";").replace(".", "!")),
        ("Żółta łódź płynęła bardzo długą rzeką", "zołta łodz płyneła bardzo długa rzeka"),
        ("Μαθητές μέτρησαν την ποιότητα του νερού", "ΜΑΘΗΤΕΣ ΜΕΤΡΗΣΑΝ ΤΗΝ ΠΟΙΟΤΗΤΑ ΤΟΥ ΝΕΡΟΥ"),
        ("Ученици су мерили квалитет воде заједно", "УЧЕНИЦИ СУ МЕРИЛИ КВАЛИТЕТ ВОДЕ, ЗАЈЕДНО!"),
        ("მოსწავლეებმა გაზომეს წყლის ხარისხი ყოველ თვე", "მოსწავლეებმა გაზომეს: წყლის ხარისხი, ყოველ თვე"),
        ("Աշակերտները չափեցին ջրի որակը ամեն ամիս", "ԱՇԱԿԵՐՏՆԵՐԸ ՉԱՓԵՑԻՆ ՋՐԻ ՈՐԱԿԸ ԱՄԵՆ ԱՄԻՍ"),
        ("قاسَ التلاميذُ جودةَ مياهِ النهرِ كلَّ شهر", "قاس التلاميذ جودة مياه النهر كل شـــهر"),
        ("学生们每个月测量河流的水质", "学生们，每个月测量「河流」的水质。"),
    ],
)
def test_case_accents_and_punctuation_hide_no_copy_in_any_script(text: str, copy: str) -> None:
    assert similar({"results": text}, {"results": copy}).share == 1.0
    decomposed = unicodedata.normalize("NFD", copy)
    assert similar({"results": text}, {"results": decomposed}).share == 1.0


def test_a_copy_within_a_longer_text_is_found_and_quoted_as_it_was_written() -> None:
    found = similar({"results": f"{SNOW} {RIVERS}"}, {"results": RIVERS.upper()})
    assert (found.share, found.sections) == (1.0, ("results",))
    assert found.passages == (RIVERS.rstrip("."),)


def test_text_that_moved_into_another_section_is_found() -> None:
    found = similar({"results": RIVERS, "technology": SNOW}, {"results": SNOW, "technology": RIVERS})
    assert found.share == 1.0
    assert found.sections == ()
    assert found.shares == {"results": 0.0, "technology": 0.0}


def test_sections_come_by_how_much_they_are_alike() -> None:
    half = " ".join(RIVERS.split()[:24]) + " and other things that stand nowhere else"
    found = similar({"results": half, "technology": SNOW}, {"results": RIVERS, "technology": SNOW})
    assert found.sections == ("technology", "results")
    assert WARN_FROM <= found.shares["results"] < 1.0


def test_a_phrase_that_everybody_uses_is_no_copy() -> None:
    one = f"{RIVERS} The pupils worked together in mixed international teams."
    other = f"{SNOW} The pupils worked together in mixed international teams."
    found = similar({"results": one}, {"results": other})
    assert 0 < found.share < WARN_FROM / 2
    assert found.passages == ("The pupils worked together in mixed international teams",)


def test_passages_are_the_three_longest_on_one_line_each() -> None:
    pieces = [
        "alpha beta gamma delta epsilon",
        "one two three four five six",
        "red green blue white black yellow brown",
        "north south east west up down left right",
    ]
    one = " first ".join(pieces)
    other = " second ".join(reversed(pieces))
    assert similar({"results": one}, {"results": other}).passages == (pieces[3], pieces[2], pieces[1])
    [long] = similar({"results": words_of(900)}, {"results": words_of(900)}).passages
    assert len(long) == 200


def words_of(number: int) -> str:
    return "\n".join(f"word{n}" for n in range(number))


@pytest.mark.parametrize(
    ("one", "other"),
    [({}, {}), ({"results": ""}, {"results": ""}), ({"results": "too short"}, {"results": "too short"})],
)
def test_what_is_empty_or_short_is_not_alike(one: dict[str, str], other: dict[str, str]) -> None:
    found = similar(one, other)
    assert (found.share, found.sections, found.passages) == (0.0, (), ())


@given(one=texts, other=texts)
def test_a_share_lies_between_0_and_1_and_is_the_same_both_ways(
    one: dict[str, str], other: dict[str, str]
) -> None:
    found, turned = similar(one, other), similar(other, one)
    assert 0 <= found.share <= 1
    assert (found.share, found.shares) == (turned.share, turned.shares)
    assert set(found.sections) <= set(one) & set(other)
    assert all(len(passage) <= 200 and "\n" not in passage for passage in found.passages)


@given(one=words, other=words)
def test_every_passage_stands_in_both_texts(one: str, other: str) -> None:
    found = similar({"results": one}, {"technology": other})
    assert bool(found.passages) == (found.share > 0)
    for passage in found.passages:
        if not passage.endswith("…"):
            assert passage in one
            assert " ".join(passage.split()[:5]) in other
