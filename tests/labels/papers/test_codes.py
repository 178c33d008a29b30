"""A code is nobody's to make, the same for the same paper, and read whatever way it was typed; a slip is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.papers.codes import LENGTH, Stamp, codes_in, looks_like_a_code, read_code, series_of

STAMP = Stamp(b"a key for tests", "https://labels.example/verify")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

numbers = st.integers(1, 400)
codes = st.builds(
    lambda subject, edition: STAMP.paper("certificate", subject, edition), st.text(max_size=12), numbers
) | st.builds(STAMP.pupil, st.text(max_size=12), numbers)


def test_a_paper_has_the_same_code_each_time_and_another_key_makes_another() -> None:
    assert STAMP.paper("certificate", "NQL-1") == STAMP.paper("certificate", "NQL-1", 1)
    others = {
        STAMP.paper("certificate", "NQL-1", 2), STAMP.paper("letter", "NQL-1"), STAMP.paper("certificate", "NQL-2"),
        Stamp(b"another", STAMP.check_url).paper("certificate", "NQL-1"), STAMP.pupil("NQL-1", 1),
    }  # fmt: skip
    assert len(others) == 5
    assert STAMP.paper("certificate", "NQL-1") not in others


@given(codes)
def test_a_code_is_read_as_it_is_printed(code: str) -> None:
    assert len(code) == LENGTH + 3
    assert read_code(code) == code
    assert looks_like_a_code(code)


@pytest.mark.slow
@given(codes, st.data())
def test_a_code_is_read_however_it_was_typed(code: str, choose: st.DataObject) -> None:
    loose = code.replace("-", choose.draw(st.sampled_from(["", " ", "-", " – "])))
    misread = {"0": "0Oo", "1": "1IilL"}
    typed = "".join(choose.draw(st.sampled_from(misread.get(c, c + c.lower()))) for c in loose)
    before = choose.draw(st.sampled_from(["", " ", "https://labels.example/verify/"]))
    assert read_code(before + typed + choose.draw(st.sampled_from(["", "\n", "/"]))) == code


CYRILLIC = str.maketrans("ABEKMHOPCTYXSJ3", "АВЕКМНОРСТУХЅЈЗ")
GREEK = str.maketrans("ABEZHKMNOPTYX", "ΑΒΕΖΗΚΜΝΟΡΤΥΧ")
WIDE = {letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}
ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}


@pytest.mark.parametrize(
    "as_typed",
    [
        "“{}”", "„{}“", "'{}'", "«\u202f{}\u202f»", "「{}」", "\u200b{}\ufeff", "\u2066{}\u2069", "({}).",
        "https://labels.example/verify?code={}", "https://labels.example/verify/{}?", "code={}",
    ],
)  # fmt: skip
@given(code=codes)
def test_a_code_is_read_in_quotes_with_what_no_eye_sees_and_in_an_address(as_typed: str, code: str) -> None:
    assert read_code(as_typed.format(code)) == code
    assert looks_like_a_code(as_typed.format(code))


@pytest.mark.parametrize(
    "script", [CYRILLIC, GREEK, WIDE, ARABIC], ids=["Cyrillic", "Greek", "wide", "Arabic"]
)
@pytest.mark.parametrize("small", [False, True])
@given(code=codes)
def test_a_code_is_read_in_letters_and_digits_of_other_scripts_that_look_the_same(
    script: dict[int, int], small: bool, code: str
) -> None:
    typed = code.translate(script)
    assert read_code(typed.lower() if small else typed) == code


@given(codes, st.data())
def test_a_code_is_read_with_an_invisible_character_anywhere(code: str, choose: st.DataObject) -> None:
    place = choose.draw(st.integers(0, len(code)))
    unseen = choose.draw(st.sampled_from("\u200b\u200e\u2060\u00ad\ufeff\u202a\xa0\u3000\t\n"))
    assert read_code(code[:place] + unseen + code[place:]) == code


@given(codes, st.data())
def test_one_wrong_letter_is_noticed(code: str, choose: st.DataObject) -> None:
    letters = code.replace("-", "")
    place = choose.draw(st.integers(0, LENGTH - 1))
    other = choose.draw(st.sampled_from(LETTERS.replace(letters[place], "")))
    assert read_code(letters[:place] + other + letters[place + 1 :]) is None


@given(codes, st.data())
def test_two_letters_that_changed_places_are_noticed(code: str, choose: st.DataObject) -> None:
    letters = list(code.replace("-", ""))
    one, two = choose.draw(st.lists(st.integers(0, LENGTH - 1), min_size=2, max_size=2, unique=True))
    letters[one], letters[two] = letters[two], letters[one]
    swapped = "".join(letters)
    assert (read_code(swapped) is None) == (swapped != code.replace("-", ""))


@pytest.mark.parametrize(
    "typed", ["", "-", "7KQ4", "x" * 10_000, "7KQ4-M9XT-2A5B-C8D!", "名前名前名前名前", "\x00" * 16]
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


@given(st.text())
def test_no_text_is_too_odd_to_be_read(typed: str) -> None:
    assert read_code(typed) in (None, read_code(str(read_code(typed))))


def test_codes_of_a_class_share_their_beginning_and_tell_no_number() -> None:
    each = {STAMP.pupil("PQL-1", number) for number in range(1, 101)}
    assert len(each) == 100
    assert {series_of(code) for code in each} == {STAMP.series("PQL-1")}
    assert STAMP.series("PQL-2") != STAMP.series("PQL-1")


def test_codes_are_found_in_a_text_and_what_only_looks_like_one_is_left() -> None:
    one, two = STAMP.paper("certificate", "NQL-1"), STAMP.pupil("PQL-1", 7)
    text = f"(https://labels.example/verify/{one}) <x>{two}</x> AAAA-BBBB-CCCC-DDDD X{one} {two}-AAAA"
    assert list(codes_in(text)) == [one, two]


def test_a_mark_depends_on_key_class_number_and_file() -> None:
    mark = STAMP.mark("PQL-1", 1, "d")
    others = [STAMP.mark("PQL-1", 2, "d"), STAMP.mark("PQL-2", 1, "d"), STAMP.mark("PQL-1", 1, "e")]
    others.append(Stamp(b"another", STAMP.check_url).mark("PQL-1", 1, "d"))
    assert mark not in others
    assert len(mark) == 16
