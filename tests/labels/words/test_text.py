"""Whatever a person types is shown as text, and reads as they meant it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from labels.words.text import (
    clean,
    csv_plain,
    markdown_link,
    markdown_paragraphs,
    markdown_plain,
    one_line,
    word_count,
)

AWKWARD = (
    "aA1 .-='\"@#*_`|<>[]()!&;:/\\\t\n\r\0\u0301\u0651\u064e\u200b\u200c\u200d\u202e\u2066\ufe0f\ufeff"
    "\u0915\u094d\u0958🔥👩"
)
anything = st.one_of(st.text(), st.text(alphabet=AWKWARD))

NAMES = [
    "Zoë Brontë-O’Neill",
    "Łukasz Żółć",
    "Ελένη Παπαδοπούλου",
    "Љубица Ђорђевић",
    "Нацыянальны ліцэй",
    "ქეთევან მაისურაძე",
    "Անահիտ Հակոբյան",
    "مدرسة الأُمّ السَّعيدة",
    "می‌خواهم",  # Persian needs its zero-width non-joiner
    "क्‍ष",  # Devanagari its joiner
    "Ðorđe Ñandú Ångström ß",
    "👩‍🏫 ❤️ 1️⃣",
]

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- comment --> &lt;b&gt; &amp; &#60;",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/p.png)",
    "<https://evil.example>",
    "https://evil.example/a_b_c",
    "HTTPS://EVIL.example and www.evil.example and WWW.evil.example",
    "somebody@evil.example, mailto:somebody@evil.example",
    "# heading",
    "- item\n- item",
    "1. first\n2. second",
    "    indented code",
    "```\nfence\n```",
    "~~~\nfence",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "title\n=====",
    "title\n-----",
    "> quote",
    "*em* **strong** _em_ __strong__ ~~gone~~ `code`",
    "line  \nbreak\\\nbreak",
    "[ref]: https://evil.example",
    "[^1] footnote",
    "- [x] task",
    "{{ config }} {% include '/etc/passwd' %} ${HOME} {0.__class__}",
    '{"__prefect_kind": "jinja", "template": "{{ 1 }}"}',
    "$$x^2$$ :smile: @mention #12",
    "a\n\n<div>\n\n*b*",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_stays_as_it_is(name: str) -> None:
    assert clean(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("one\r\ntwo\rthree\u2028four\u0085five\x0csix", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("a\x00b\x07c\x1b[31md\x7fe\x9bf", "abc[31mdef"),
        ("exe\u202egnp.pdf", "exegnp.pdf"),
        ("\u2066a\u2069\u200e\u200f\u061cb", "ab"),
        ("pass\u200bword\ufeff\u2060\u00ad", "password"),
        ("ad\u200dmin\u200c", "admin"),
        ("x\ufe0fy", "xy"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("\u3164\u115f\u2800", ""),
        ("half \ud800 pair", "half  pair"),
        ("e\u0301", "é"),
        ("\u212b", "Å"),
        ("keeps\ttab", "keeps\ttab"),
        ("Z" + "\u0335" * 500 + "!", "Z" + "\u0335" * 6 + "!"),
        ("می\u200c\u200c\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_hides_or_acts_is_removed(typed: str, plain: str) -> None:
    assert clean(typed) == plain


def test_of_all_characters_no_control_end_of_line_or_half_of_one_stays() -> None:
    gone = ("Cc", "Cs", "Zl", "Zp")
    all_of_them = [one for one in map(chr, range(0x110000)) if unicodedata.category(one) in gone]
    assert {one for one in all_of_them if one in clean(f"a{one}b")} == {"\t", "\n"}


@given(anything)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters()))
def test_clean_text_can_be_stored_and_holds_no_controls(text: str) -> None:
    plain = clean(text)
    plain.encode()
    assert unicodedata.is_normalized("NFC", plain)
    assert not {c for c in plain if unicodedata.category(c) in ("Cc", "Cs")} - {"\n", "\t"}
    assert not set(plain) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


@pytest.mark.slow
def test_ten_megabytes_of_marks_are_cut_down_to_what_a_letter_bears() -> None:
    assert clean("a" + "\u0301" * 10_000_000) == "á" + "\u0301" * 6


@given(anything, st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line


def test_one_line_says_that_it_was_cut_and_parts_no_letter_from_its_marks() -> None:
    assert one_line("short\n text ", 20) == "short text"
    assert one_line("abcdefgh", 5) == "abcd…"
    assert one_line("abcक्षd", 5) == "abc…"


class _Shown(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.add("comment")

    def handle_data(self, data: str) -> None:
        self.text += data


GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
BARE_LINK = re.compile(
    r"(https?://|www(?=\.))[-.\w]+[^ \t\r\n]*|(?<![\w])[-.\w+]+@[-\w]+(?:\.[-\w]+)+", re.IGNORECASE
)
"""What renderers make links of in text they have already decoded."""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_shows_as_itself(text: str) -> None:
    _assert_shows_as_itself(text)


@given(anything)
def test_any_text_shows_as_itself(text: str) -> None:
    _assert_shows_as_itself(text)


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join))
def test_any_mixture_of_attacks_shows_as_itself(text: str) -> None:
    _assert_shows_as_itself(text)


def _assert_shows_as_itself(text: str) -> None:
    expected = " ".join(clean(text).split())
    shown = _Shown(GITHUB.render(markdown_plain(text)))
    assert shown.tags <= {"p"}
    assert shown.text.strip().replace("\u2060", "") == expected
    assert not BARE_LINK.search(shown.text)


@pytest.mark.parametrize("text", [*HOSTILE, *NAMES])
def test_a_table_cell_stays_one_cell(text: str) -> None:
    page = GITHUB.render(f"| a | b |\n|---|---|\n| {markdown_plain(text)} | end |\n")
    assert page.count("<td>") == 2
    assert _Shown(page).tags == {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", HOSTILE)
def test_template_markers_do_not_survive_markdown(text: str) -> None:
    assert not re.search(r"\{[{%#]|[%#}]\}|\$\{", markdown_plain(text))


def test_paragraphs_stay_apart_and_plain() -> None:
    page = GITHUB.render(markdown_paragraphs("# one\r\n\n    <b>two</b>\n- three"))
    assert page.count("<p>") == 3
    assert _Shown(page).tags == {"p"}
    assert _Shown(page).text.split("\n") == ["# one", "<b>two</b>", "- three", ""]


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", " '=1"),
        ("\r=1", "\n'=1"),
        ("  =1", "  '=1"),
        ("\u200b=1", "'=1"),
        ("＝1", "'＝1"),
        ('"=1', "\"'=1"),
        ("fine;=1", "fine;'=1"),
        ("fine\n=1", "fine\n'=1"),
        ("a = b, c-d, e@f", "a = b, c-d, e@f"),
        ("Ελένη", "Ελένη"),
    ],
)
def test_a_cell_is_never_a_formula(typed: str, cell: str) -> None:
    assert csv_plain(typed) == cell


@pytest.mark.slow
@given(anything)
def test_no_separator_makes_a_formula_of_a_cell(text: str) -> None:
    sheet = io.StringIO()
    csv.writer(sheet).writerow([csv_plain(text), "end"])
    assert list(csv.reader(io.StringIO(sheet.getvalue(), newline=""))) == [[csv_plain(text), "end"]]
    for cell in re.split(r"[;\t\r\n]", sheet.getvalue()):
        assert not cell.lstrip(' "').startswith(("=", "+", "-", "@", "＝"))


@given(anything)
def test_making_a_cell_safe_twice_changes_nothing(text: str) -> None:
    assert csv_plain(csv_plain(text)) == csv_plain(text)


@pytest.mark.slow
def test_megabytes_of_separators_are_made_safe() -> None:
    assert csv_plain("\n" * 3_000_000) == "\n" * 3_000_000
    assert csv_plain(";" * 3_000_000) == ";" * 3_000_000


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  \n ", 0),
        ("- — … !", 0),
        ("one two  three\nfour", 4),
        ("l'école d’été", 2),
        ("project-based peer‑to‑peer learning", 3),
        ("rock ’n’ roll", 3),
        ("one,two;three/four—five.six", 6),
        ("under_score_trick", 3),
        ("zero\u200bwidth", 1),
        ("3.5 of 1,000 at 12:30", 5),
        ("see https://example.org/a-b/c?d=e and www.example.org", 4),
        ("Ελληνική Δημοκρατία", 2),
        ("ქართული ენა", 2),
        ("Հայաստանի Հանրապետություն", 2),
        ("السَّلامُ عليكم", 2),
        ("می‌خواهم بروم", 2),
        ("नमस्ते दुनिया", 2),
        ("Čeština žluťoučký kůň".replace("ů", "u\u030a"), 3),
    ],
)
def test_words_are_counted_as_a_person_counts_them(text: str, count: int) -> None:
    assert word_count(text) == count


@given(st.lists(st.sampled_from(["word", "l'école", "peer-to-peer", "κόσμε", "12.5", "მასწავლებელი"])))
def test_words_apart_add_up(words: list[str]) -> None:
    assert word_count("\n".join(words)) == len(words)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://a.example/b_c?d=(e)", "<https://a.example/b_c?d=(e)>"),
        (
            "https://a.example/_b_?c=1&d=[2]",
            "[https://a.example/%5Fb%5F?c=1&d=%5B2%5D](<https://a.example/%5Fb%5F?c=1&d=%5B2%5D>)",
        ),
        ("javascript:alert(1)", r"javascript\:alert\(1\)"),
        ("https://a.example/ b", "https\\:\u2060\\/\\/a\\.example\\/ b"),
    ],
)
def test_an_address_is_a_link_in_markdown_and_anything_else_is_text(address: str, written: str) -> None:
    assert markdown_link(address) == written
