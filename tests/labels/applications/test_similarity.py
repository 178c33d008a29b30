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


def test_the_same_text_is_alike_in_whole_and_other_texts_are_not() -> None:
    same = similar({"results": RIVERS}, {"results": RIVERS})
    assert (same.share, same.sections) == (1.0, ("results",))
    other = similar({"results": RIVERS}, {"results": SNOW})
    assert (other.share, other.sections) == (0.0, ())


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


def test_a_copy_within_a_longer_text_is_found() -> None:
    found = similar({"results": f"{SNOW} {RIVERS}"}, {"results": RIVERS.upper()})
    assert (found.share, found.sections) == (1.0, ("results",))


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


@pytest.mark.parametrize(
    ("one", "other"),
    [({}, {}), ({"results": ""}, {"results": ""}), ({"results": "too short"}, {"results": "too short"})],
)
def test_what_is_empty_or_short_is_not_alike(one: dict[str, str], other: dict[str, str]) -> None:
    found = similar(one, other)
    assert (found.share, found.sections) == (0.0, ())


@given(one=texts, other=texts)
def test_a_share_lies_between_0_and_1_and_is_the_same_both_ways(
    one: dict[str, str], other: dict[str, str]
) -> None:
    found, turned = similar(one, other), similar(other, one)
    assert 0 <= found.share <= 1
    assert (found.share, found.shares) == (turned.share, turned.shares)
    assert set(found.sections) <= set(one) & set(other)
