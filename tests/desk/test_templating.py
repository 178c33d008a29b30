"""What templates say in any case is put into them once for each language; what is somebody's is put into a page alone."""

from __future__ import annotations

from adapters.languages.desk import DeskTexts, desk_texts, languages
from desk.templating import environment, rendered
from labels.words.sentences import Sentence, say


def shown(language: str, template: str, **values: object) -> str:
    """A template of a test, in one language."""
    texts = DeskTexts(language, {})
    return environment(language).from_string(template).render(texts=texts, **values)


def test_a_text_without_values_is_in_the_language_of_the_page() -> None:
    for language in languages():
        expected = str(DeskTexts(language, {}).say("Sign in"))
        assert shown(language, "<b>{{ say('Sign in') }}</b>") == f"<b>{expected}</b>"
        assert shown(language, "{% set word = say('Sign in') %}{{ word }}") == expected
        assert shown(language, "{{ say('Sign in') if yes else '' }}", yes=True) == expected


def test_a_text_that_a_language_lacks_is_english_and_marked_so() -> None:
    assert shown("pl", "{{ say('No catalogue has this <text>.') }}") == (
        '<span lang="en" dir="ltr">No catalogue has this &lt;text&gt;.</span>'
    )


def test_what_somebody_typed_is_text_wherever_it_stands() -> None:
    typed = "<script>{{ 7 * 7 }}</script>"
    assert "<script" not in shown("en", "{{ typed }}{{ drawn_tag('late', typed) }}", typed=typed)
    assert "49" not in shown("en", "{{ say('{name}', name=typed) }}", typed=typed)


def test_a_tag_says_a_sentence_of_the_domain_in_the_language_of_the_page() -> None:
    sentence = Sentence("overdue")
    assert str(DeskTexts("pl", {}).told(sentence)) in shown(
        "pl", "{{ drawn_tag('late', one) }}", one=sentence
    )
    assert DeskTexts("pl", {}).told(sentence) != "overdue"


def test_an_attribute_says_a_sentence_in_the_language_of_the_page_and_no_marks() -> None:
    overdue = DeskTexts("pl", {}).told(Sentence("overdue"))
    template = '<td data-label="{{ one|bare }}">'
    assert shown("pl", template, one=Sentence("overdue")) == f'<td data-label="{overdue}">'
    assert (
        shown("en", template, one=DeskTexts("en", {}).say("{name}’s", name="Ada"))
        == '<td data-label="Ada’s">'
    )
    assert (
        shown("pl", template, one=Sentence("No catalogue has this."))
        == '<td data-label="No catalogue has this.">'
    )


def test_each_page_has_the_values_that_it_was_given_and_no_former_ones() -> None:
    pages = [
        rendered("problems/404.html.j2", desk_texts("problems/404.html.j2", "en"), **_frame(name))
        for name in ("Ada Vos", "Bruno Weiss")
    ]
    assert "Ada Vos" in pages[0]
    assert "Bruno Weiss" in pages[1]
    assert "Ada Vos" not in pages[1]


def _frame(name: str) -> dict[str, object]:
    return {
        "languages": [],
        "root": "/assets/x/",
        "path": "/",
        "account": {"name": name, "school": ""},
        "places": [(say("My projects"), "/projects", False)],
        "form_token": "",
        "mail_shown": False,
        "because": "",
        "number": "",
        "sent": [],
        "unknown": False,
        "now": None,
        "later": False,
    }
