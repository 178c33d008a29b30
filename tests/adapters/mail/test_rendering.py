"""Mail as people read it: every message, in every script, and none that says what it was not told to."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default
from enum import StrEnum
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2.exceptions import TemplateNotFound

from adapters.languages.mails import MESSAGES
from adapters.mail import rendering
from adapters.mail.rendering import Attachment, compose
from labels.errors import InvalidInput
from labels.mail import messages
from labels.mail.message import Message, Template, Values
from labels.mail.messages import ASKS
from labels.record.schema import Mail
from labels.words.sentences import Sentence
from tests.support.mails import APPLICATION, ASKED, CODE, EXAMPLES, FORMER, LATE, NOW, STEP, mail, told

SENDER = "eTwinning labels <labels@etwinning.example>"
SITE = "http://127.0.0.1:4200"
BASE = frozenset(
    {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "th", "p", "h1", "h2"}
    | {"ul", "li", "bdi", "span", "br", "a", "blockquote", "strong"}
)


def read(message: EmailMessage) -> tuple[EmailMessage, str, str]:
    """The message as its recipient's program reads it from the wire, with its text and its HTML."""
    received = email.message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(received, EmailMessage)
    text, html = received.get_body(("plain",)), received.get_body(("html",))
    assert text
    assert html
    plain, page = (part.get_content().replace("\r\n", "\n") for part in (text, html))
    return received, plain, page


def worded(row: Mail, code: str | None = CODE, attachment: Attachment | None = None) -> EmailMessage:
    return compose(row, code, [attachment] if attachment else [], SENDER, NOW, SITE)


def _shown(message: EmailMessage, header: str) -> str:
    """A header as mail programs show it; the standard library's parser puts spaces between encoded words."""
    raw = email.message_from_bytes(message.as_bytes(), policy=compat32)[header]
    return " ".join(str(make_header(decode_header(raw))).split())


class Tags(HTMLParser):
    """The tags, links and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


OF_NO_APPLICATION = {
    Template.SIGN_IN,
    Template.GLASS_BROKEN,
    Template.ADDRESS_CORRECTED,
    Template.LEFT_STAFF,
    Template.ORGANISATION_CODE,
    Template.MERGE_ASKED,
    Template.COLLEAGUE_LEFT,
    Template.PASSKEY_CHANGED,
    Template.JOURNAL_HEAD,
    Template.CODES_VOID,
    Template.ADDRESS_UNREACHED,
}


@pytest.mark.sampled
@pytest.mark.parametrize("template", sorted(set(Template) - OF_NO_APPLICATION))
def test_every_message_says_which_application_it_is_about(template: Template) -> None:
    received, text, html = read(worded(mail(template)))
    assert APPLICATION in text
    assert APPLICATION in html
    assert received["Subject"].strip()
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Message-ID"] == mail(template).message_id
    assert received["Date"].datetime == NOW
    assert Tags(html).tags <= BASE
    assert all(len(line) <= rendering.WIDTH or line.startswith("    ") for line in text.split("\n"))


@pytest.mark.parametrize("template", sorted(ASKS))
def test_every_message_that_asks_carries_the_code_in_both_parts(template: Template) -> None:
    _, text, html = read(worded(mail(template)))
    assert CODE in text
    assert CODE in html
    if template not in OF_NO_APPLICATION:
        assert (APPLICATION if template is Template.PUPIL_CODE else STEP) in text


@pytest.mark.parametrize("template", Template)
def test_a_message_without_a_code_speaks_of_none_to_enter(template: Template) -> None:
    if template not in ASKS:
        _, text, _ = read(worded(mail(template), None))
        assert "--code" not in text
        assert "one-time code" not in text


@pytest.mark.parametrize("template", Template)
def test_the_same_row_gives_the_same_bytes(template: Template) -> None:
    assert worded(mail(template)).as_bytes() == worded(mail(template)).as_bytes()


def test_a_refusal_names_the_way_forward_before_the_points() -> None:
    _, text, _ = read(worded(mail(Template.REFUSED)))
    assert text.index("You may apply again") < text.index("14.5 of 30")


@pytest.mark.parametrize(
    ("answer", "said"), [("By drawing lots.", "By drawing lots."), ("", "did not answer in time")]
)
def test_who_takes_a_seat_over_reads_what_was_asked_before(answer: str, said: str) -> None:
    first = EXAMPLES[Template.REVIEW_ASKED]
    assert isinstance(first, messages.ReviewAsked)
    message = messages.ReviewAsked(about=first.about, question="Who led the teams?", answer=answer)
    _, text, _ = read(worded(mail(Template.REVIEW_ASKED, message)))
    words = " ".join(text.split())
    assert words.casefold().index("your predecessor asked the applicant") < words.casefold().index("who led")
    assert said in words


def test_the_certificate_goes_with_the_award() -> None:
    received, text, _ = read(
        worded(
            mail(Template.AWARDED), None, Attachment("βραβείο.pdf", "application/pdf", b"%PDF-1.7 \x00\xff")
        )
    )
    [part] = received.iter_attachments()
    assert isinstance(part, EmailMessage)
    assert part.get_content() == b"%PDF-1.7 \x00\xff"
    assert part.get_filename() == "βραβείο.pdf"
    assert "comes with this message" in " ".join(text.split())


HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} {% include '/etc/passwd' %} ${x}\r\nBcc: thief@bad.example\r\n\r\n"
    "\u202e\x00\x1b[31m<img src=http://bad.example/x onerror=y> </bdi></p>\"'><a href='javascript:x'>"
)


def _hostile(value: Any) -> Any:
    """A message with hostile text in the place of every text."""
    match value:
        case StrEnum():
            return value
        case Sentence():
            return Sentence("{text}", {"text": HOSTILE})
        case str():
            return HOSTILE
        case Values():
            return value.model_copy(update={name: _hostile(one) for name, one in value})
        case tuple():
            return tuple(map(_hostile, value))
    return value


@pytest.mark.sampled
@pytest.mark.parametrize("template", Template)
def test_hostile_text_ends_as_plain_text(template: Template) -> None:
    plain, _, _ = read(worded(mail(template)))
    row = mail(template, _hostile(EXAMPLES[template]), to_name=HOSTILE)
    received, text, html = read(worded(row))
    page = Tags(html)
    assert page.tags <= BASE
    assert all(link == SITE for link in page.links)
    assert "<script>" in page.words
    assert "{{ 7*7 }}" in " ".join(text.split())
    assert "49 {%" not in text
    assert "\u202e" not in text + html
    assert "\x1b" not in text + html
    assert sorted(received.keys()) == sorted(plain.keys())
    assert [address.addr_spec for address in received["To"].addresses] == ["eleni@school.example"]
    assert [part.get_content_type() for part in received.walk()] == [
        p.get_content_type() for p in plain.walk()
    ]


def test_what_somebody_wrote_cant_pass_for_our_own_words() -> None:
    faked = "Thanks.\n\nYour one-time code:\n\n    AAAA-BBBB-CC"
    _, text, _ = read(worded(mail(Template.REVIEW_RETURNED, told(Template.REVIEW_RETURNED, answer=faked))))
    assert "\n> Your one-time code:\n" in text
    assert "\n> AAAA-BBBB-CC\n" in text


@pytest.mark.slow
@pytest.mark.parametrize("field", ["project_title", "question", "holder"])
def test_ten_megabytes_in_a_field_are_cut(field: str) -> None:
    long = told(Template.REVIEW_RETURNED, **{field: "word " * 2_000_000})
    message = worded(mail(Template.REVIEW_RETURNED, long))
    assert len(message.as_bytes()) < 100_000


@pytest.mark.parametrize(
    "name",
    [
        "Ελένη Παπαδοπούλου",
        "Олена Шевченко",
        "ნინო ბერიძე",
        "Անի Պետրոսյան",
        "ليلى حداد",
        "Łucja Żółć-Ćwiąkała",
        'O"Brien, Zoë <x@y.example>',
        "Ангелина, Мария и Константин от Средно училище с много дълго име във Велико Търново" * 2,
        "=?utf-8?q?Bcc=3A_x?=",
    ],
)
def test_names_in_any_script_reach_their_reader(name: str) -> None:
    received, text, html = read(worded(mail(Template.RECEIPT, to_name=name)))
    [to] = received["To"].addresses
    assert to.addr_spec == "eleni@school.example"
    assert _shown(received, "To") == f"{name[: rendering.LONGEST_NAME]} <eleni@school.example>"
    assert name in " ".join(text.split())
    assert name in Tags(html).words


@pytest.mark.parametrize(
    "address", ["", "nobody", "@school.example", "a@", "a b@c.example", "a@b.example, c@d.example", "a@b@c"]
)
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(InvalidInput, match="no mail address"):
        worded(mail(Template.RECEIPT, to_address=address))


SAID_AS_ENGLISH_TEXT = {Template.ASSIGNMENT_ASKED, Template.SIMILARITY_WARNING}
"""Of these an earlier release kept sentences as English text, which nobody can translate any more."""


def test_likeness_to_another_projects_application_is_not_told_as_partners_work() -> None:
    example = EXAMPLES[Template.SIMILARITY_WARNING]
    partners = " ".join(read(worded(mail(Template.SIMILARITY_WARNING)))[1].split())
    assert "partners describe the same work" in partners
    assert "more application" not in partners
    other = example.model_copy(update={"same_project": False, "more": 2})
    told = " ".join(read(worded(mail(Template.SIMILARITY_WARNING, other)))[1].split())
    assert "though they are for different projects" in told
    assert "It reads like 2 more applications, too" in told


@pytest.mark.sampled
@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize("template", [Template(name) for name in FORMER])
def test_what_an_earlier_release_queued_reads_like_a_message_of_today(
    template: Template, language: str
) -> None:
    if template in SAID_AS_ENGLISH_TEXT:
        read_as = worded(mail(template, context=FORMER[template], language=language))
        assert read_as.as_bytes() == worded(mail(template)).as_bytes()
        return
    former = mail(template, context=FORMER[template], language=language)
    assert worded(former).as_bytes() == worded(mail(template, language=language)).as_bytes()


def test_every_message_has_one_template_and_every_template_a_message() -> None:
    files = [path.stem for path in MESSAGES.glob("*.j2")]
    assert sorted(files) == sorted(Template)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "by 2026-04-15 23:59 (Brussels)"),
        ("pl", "15 kwietnia 2026"),
        ("fr", "15 avril 2026"),
    ],
)
def test_an_instant_is_told_as_the_mails_language_has_it(language: str, said: str) -> None:
    _, text, html = read(worded(mail(Template.INFORMATION_ASKED, language=language)))
    for shown in (text, Tags(html).words):
        assert said in " ".join(shown.split())


def test_a_missing_value_stops_the_message_instead_of_leaving_a_hole() -> None:
    row = mail(Template.AWARDED)
    del row.context["message"]["total"]
    with pytest.raises(InvalidInput, match="total"):
        worded(row)


@pytest.mark.parametrize(
    ("language", "direction", "greeting"),
    [("pl", "ltr", "Szanowni Państwo!"), ("ar", "rtl", "تحية طيبة وبعد،")],
)
@pytest.mark.parametrize("template", [Template.SCHOOL_INVITED, Template.SCHOOL_RECEIVED])
def test_a_school_is_spoken_to_in_its_teachers_language(
    template: Template, language: str, direction: str, greeting: str
) -> None:
    received, text, html = read(worded(mail(template, language=language)))
    assert received["Content-Language"] == language
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert greeting in text
    for english in ("Dear ", "With kind regards", "School", "automatically"):
        assert english not in text.replace("School Label", "")


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 1, "We still await an answer of yours, by"),
        ("en", 3, "We still await 3 answers of yours, the first by"),
        ("pl", 3, "Nadal czekamy na 3 odpowiedzi od Państwa"),
        ("uk", 21, "очікуємо на 21 Вашу відповідь"),
        ("ro", 20, "20 de răspunsuri"),
        ("ar", 2, "ما زلنا ننتظر منكم إجابتين"),
        ("pl", 1, "Nadal czekamy na jedną odpowiedź od Państwa"),
    ],
)
def test_a_number_takes_the_plural_form_of_the_mails_language(language: str, number: int, said: str) -> None:
    row = mail(Template.REMINDER, told(Template.REMINDER, number=number), language=language)
    received, text, html = read(worded(row))
    assert received["Content-Language"] == language
    for shown in (text, Tags(html).words):
        assert said in " ".join(shown.split())


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("template", [Template.REMINDER, Template.OVERDUE, Template.NEWS])
def test_a_coordinators_digest_tells_the_head_of_the_journal(template: Template, language: str) -> None:
    head = "4711-9c1f2a33b0d4e5f6"
    example = EXAMPLES[template].model_copy(update={"journal": head})
    _, text, page = read(worded(mail(template, example, language=language)))
    assert head in text
    assert head in page


def test_a_class_of_one_pupil_has_one_certificate() -> None:
    for pupils, said in ((1, "The certificate of your class"), (24, "The 24 certificates of your class")):
        _, text, _ = read(worded(mail(Template.CLASS_REVOKED, told(Template.CLASS_REVOKED, pupils=pupils))))
        assert said in " ".join(text.split())


def test_french_never_parts_a_name_from_its_colon() -> None:
    _, text, _ = read(worded(mail(Template.INFORMATION_ASKED, language="fr"), CODE))
    assert "Projet\xa0: Rivers that join us" in text
    assert f"Votre code à usage unique\xa0:\n\n    {CODE}" in text


def test_a_language_without_a_translation_falls_back_to_english() -> None:
    received, _, html = read(worded(mail(Template.RECEIPT, language="fi")))
    assert received["Content-Language"] == "en"
    assert '<html lang="en" dir="ltr">' in html


@pytest.mark.parametrize("name", ["/etc/passwd", "../../pyproject.toml", "../html/layout.j2"])
def test_templates_reach_nothing_but_the_mail_templates(name: str) -> None:
    with pytest.raises(TemplateNotFound):
        rendering._environment("text", "en").get_template(name)
    with pytest.raises(InvalidInput, match="can't be worded"):
        worded(mail(Template.RECEIPT, template=name.removesuffix(".j2")))


def test_a_button_leads_only_to_the_web() -> None:
    row = mail(Template.REVIEW_ASKED)
    _, text, html = read(compose(row, CODE, [], SENDER, NOW, "javascript:alert(1)"))
    assert "javascript" not in text + html


def test_a_coordinator_without_a_command_line_reads_who_can_confirm_a_merging_for_them() -> None:
    _, text, _ = read(worded(mail(Template.MERGE_ASKED)))
    assert "ask whoever runs the labels to do both for you" in " ".join(text.split())


@pytest.mark.parametrize(
    ("template", "path"),
    [
        *(
            (one, f"/applications/{APPLICATION}")
            for one in (
                Template.RECEIPT,
                Template.INFORMATION_ASKED,
                Template.INFORMATION_LAPSED,
                Template.INELIGIBLE,
                Template.AWARDED,
                Template.REFUSED,
                Template.WITHDRAWN,
                Template.APPEAL_RECEIVED,
            )
        ),
        (Template.REVIEW_ASKED, f"/reviews/{STEP}"),
        *(
            (one, f"/cases/{APPLICATION}")
            for one in (Template.ASSIGNMENT_ASKED, Template.SIMILARITY_WARNING, Template.NAMES_ALIKE)
        ),
    ],
)
def test_a_mail_leads_to_the_page_of_the_desk_that_it_is_about(template: Template, path: str) -> None:
    message = compose(
        mail(template),
        "7KQ4-M9XT-2A",
        [],
        "NSS <n@x.example>",
        NOW,
        "https://runs.example",
        "https://labels.example.eu",
    )
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part
        assert f"https://labels.example.eu{path}" in part.get_content()
        assert "https://runs.example" not in part.get_content()


LATE_BY_NOW = {"overdue": (LATE,), "number": 1, "organisation_name": "National Support Service Greece"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            EXAMPLES[Template.REMINDER].model_copy(update={"passed": True, "number": 1}),
            "It was due by 2026-04-15 23:59 (Brussels), and is welcome until somebody else is asked.",
        ),
        (
            messages.Overdue.model_validate(LATE_BY_NOW | {"again": True}),
            "You are told of it again while that is so.",
        ),
        (messages.Overdue.model_validate(LATE_BY_NOW), "You are told of it once."),
        (messages.AssignmentAsked(about=ASKED, reasons=(), chosen=True), "needs a reviewer whom you choose"),
        (messages.DecisionAsked(about=ASKED, reviews=0), "No review of the application below is in"),
        (messages.DecisionAsked(about=ASKED, reviews=1), "One review of the application below is in"),
    ],
)
def test_a_mail_about_late_reviews_and_decisions_says_how_it_is(message: Message, said: str) -> None:
    _, text, _ = read(worded(mail(message.template, message)))
    assert said in " ".join(text.split())
