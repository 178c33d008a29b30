"""What every page of the desk has: its headers, its language, its errors, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import desk.frame
from adapters.languages import translations
from adapters.languages.desk import TEMPLATES, languages
from desk.assets import ASSETS, TYPES, vendored
from desk.check import TEMPLATE as CHECK
from desk.languages import accepted
from labels.errors import NOT_KNOWN, OutOfReach
from labels.record.schema import ApplicationDraft, Staff
from tests.cli.conftest import TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.support.going_away import Lost, goes_away
from usecases import signing_in

Opens = Callable[..., Browser]


def test_what_others_made_is_as_they_published_it_with_its_licence() -> None:
    for name, made in vendored().items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == made["sha256"], name
        assert (ASSETS / made["licence_file"]).read_text(encoding="utf-8").strip()
    ours = {"desk.css", "desk.js", "passkeys.js"}
    there = {path.name for path in ASSETS.glob("*") if path.suffix in TYPES}
    assert there == ours | set(vendored())


def test_style_names_no_picture_or_font_that_is_not_there_or_elsewhere() -> None:
    named = re.findall(r"url\(([^)]+)\)", (ASSETS / "desk.css").read_text(encoding="utf-8"))
    assert named
    for path in named:
        assert (ASSETS / path).is_file(), path


@pytest.mark.parametrize("path", ["/sign-in", "/help", "/nothing", "/account", "/documents/x", "/verify"])
def test_every_answer_has_headers_that_let_nothing_in(browser: Opens, path: str) -> None:
    answer = browser().opens(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "template",
    [one for one in sorted(TEMPLATES.rglob("*.html.j2")) if one.name != CHECK],  # stands alone, loads nothing
    ids=lambda one: one.name,
)
def test_no_page_has_style_or_script_in_it(template: Any) -> None:
    source = template.read_text(encoding="utf-8")
    assert " style=" not in source
    assert "<style" not in source
    assert not re.search(r"<script(?! src=)", source)
    assert not re.search(r"\son[a-z]+=", source)
    assert "|safe" not in source


def test_an_asset_is_kept_for_ever_under_an_address_that_changes_with_it(browser: Opens) -> None:
    page = browser().opens("/sign-in").text
    for path in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page):
        asset = browser().opens(path)
        assert asset.status_code == 200, path
        assert "immutable" in asset.headers["cache-control"]
    assert browser().opens("/assets/x/manifest.json").status_code == 404
    assert browser().opens("/assets/x/../../layout.html.j2").status_code == 404


def test_a_page_that_is_not_there_says_no_more_than_one_that_is_somebody_elses(browser: Opens) -> None:
    answer = browser().opens("/nothing")
    assert answer.status_code == 404
    assert "There is nothing here" in words(answer)
    assert browser().opens("/documents/x").status_code == 404


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/help/", "/help"),
        ("/account//", "/account"),
        ("//evil.example/", "/"),
        ("/nowhere/", "/nowhere"),
        ("/cases/?urgent=late&about=%C5%81", "/cases?urgent=late&about=%C5%81"),
        ("//evil.example/?to=/cases", "/?to=/cases"),
    ],
)
def test_a_slash_too_many_leads_to_a_page_of_ours_whatever_the_proxy_calls_us(
    browser: Opens, path: str, leads_to: str
) -> None:
    answer = browser().client.get(f"http://127.0.0.1:4280{path}", headers={"Host": "inner.example"})
    assert (answer.status_code, answer.headers["location"]) == (307, leads_to)


def test_a_fault_of_ours_has_a_number_that_is_in_the_log_and_says_nothing_more(
    browser: Opens, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = browser().signs_in(TEACHER)
    monkeypatch.setattr(desk.frame, "first_place", lambda account: 1 / 0)
    monkeypatch.setattr("desk.signing_in.first_place", lambda account: 1 / 0)
    answer = person.opens("/")
    assert answer.status_code == 500
    [number] = re.findall(r"E-[0-9A-Z]{4}-[0-9A-Z]{4}", words(answer))
    assert f"{number} 500 GET / by PER-" in caplog.text
    assert TEACHER not in caplog.text
    assert "division" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_while_the_record_is_away_it_says_so_with_a_number(
    browser: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = browser().signs_in(TEACHER)

    def away(*_: object) -> None:
        raise OutOfReach("The record", "no answer.")

    monkeypatch.setattr(signing_in, "visitor_of", away)
    answer = person.opens("/account")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert re.search(r"E-[0-9A-Z]{4}-[0-9A-Z]{4}", words(answer))


@pytest.mark.parametrize("known", [True, False])
def test_what_was_typed_is_in_the_page_that_says_that_the_record_is_away(
    browser: Opens, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    person = browser().signs_in(TEACHER)
    typed = '\n<b>An evening</b> of typing & "more"\r\nشكرا'
    fields = {"description": typed, "version": "0", "keep": "1"}
    token = person.token("/projects/P-1/apply")

    def away(*_: object) -> None:
        raise OutOfReach("The record", "no answer.", "Nothing was changed." if known else NOT_KNOWN)

    with monkeypatch.context() as patch:
        patch.setattr(signing_in, "visitor_of", away)
        answer = person.sends("/projects/P-1/apply", fields, token=token)
    assert answer.status_code == 503
    assert ("Nothing was changed" in words(answer)) is known
    assert ("It is not known whether this was recorded" in words(answer)) is not known
    kept = {
        name: html.unescape(value)
        for name, value in re.findall(
            r'<textarea hidden name="([^"]+)">\n(.*?)</textarea>', answer.text, re.S
        )
    }
    assert kept == {"form_token": token, **fields}
    assert person.client.post("/projects/P-1/apply", data=kept).status_code == 303
    with person.here.record.reading() as session:
        [draft] = session.scalars(sa.select(ApplicationDraft))
    assert "An evening</b> of typing" in draft.body["description"]


def test_a_form_that_is_too_large_or_none_is_refused_before_it_is_read(browser: Opens) -> None:
    person = browser()
    large = person.client.post("/sign-in", data={"address": "x" * 2_000_000})
    assert large.status_code == 413
    assert "This is too large" in words(large)
    many = person.client.post("/sign-in", data={f"field{n}": "x" for n in range(2000)})
    assert many.status_code == 400
    assert person.client.post("/sign-in", files={"address": ("x", b"x")}).status_code == 400
    assert (
        person.client.post("/sign-in", content=b"\x00\xff", headers={"content-type": "x/y"}).status_code
        == 422
    )


def test_only_the_methods_of_a_page_are_answered(browser: Opens) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert browser().client.request(method, "/sign-in").status_code == 405


# Languages ----------------------------------------------------------------------------------------


def test_the_desks_catalogues_are_complete_and_in_step_with_its_pages() -> None:
    assert translations.template_is_current(), "call: labels translations --update"
    for state in translations.states("desk"):
        assert [*state.fuzzy, *state.wrong, *state.strange] == [], state.language


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("fr-BE,fr;q=0.9,en;q=0.8", ["fr", "fr", "en"]),
        ("en;q=0.1, ar", ["ar", "en"]),
        ("de;q=0, pl", ["pl"]),
        ("*;q=0.5, ;;;, \x00", []),
        ("", []),
    ],
)
def test_a_browsers_wishes_are_read(header: str, wanted: list[str]) -> None:
    assert accepted(header) == wanted


def test_a_page_is_in_the_chosen_language_and_runs_its_way(browser: Opens) -> None:
    assert "ar" in languages()
    person = browser(language="")
    assert 'lang="en" dir="ltr"' in person.opens("/sign-in").text
    assert 'lang="ar" dir="rtl"' in person.opens("/sign-in", **{"Accept-Language": "ar-TN,ar;q=0.9"}).text
    back = person.opens("/language/ar?back=/sign-in")
    assert back.headers["location"] == "/sign-in"
    page = person.opens("/sign-in")
    assert 'lang="ar" dir="rtl"' in page.text
    assert "bootstrap.rtl.min.css" in page.text
    assert page.headers["content-language"] == "ar"
    assert person.opens("/language/xx").status_code == 404
    assert person.opens("/language/en?back=//evil.example").headers["location"] == "/"


@pytest.mark.parametrize("lost", Lost)
def test_no_page_says_that_nothing_was_changed_where_a_commit_was_under_way(
    browser: Opens, terminal: Terminal, lost: Lost
) -> None:
    person = browser().signs_in(TEACHER)
    fields = {"description": "An evening", "version": "0", "keep": "1"}
    for number in range(1, 9):
        token = person.token("/projects/P-1/apply")
        with terminal.here.record.writing() as session:
            session.execute(sa.delete(ApplicationDraft))
        with goes_away(terminal.here.record, number, lost) as away:
            answer = person.sends("/projects/P-1/apply", fields, token=token)
        if not away.gone:
            break
        assert answer.status_code == 503
        assert "Nothing was changed" not in words(answer)
        assert "It is not known whether this was recorded" in words(answer)
    assert number > 1


def test_whoever_reviews_and_teaches_begins_with_their_reviews(browser: Opens, terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email=TEACHER,
                role="reviewer",
                name="Zażółć Gęślą",
                organisation="NSS-PL",
                language="pl",
                school=None,
            )
        )
    begins = browser().signs_in(TEACHER).opens("/")
    assert begins.headers["location"] == "/reviews"


def test_help_has_ones_own_organisations_address_and_for_a_stranger_all_of_them(browser: Opens) -> None:
    stranger = browser().opens("/help")
    assert "mailto:nss@nss.example" in stranger.text
    assert "mailto:nss@pt.example" in stranger.text
    teacher = browser().signs_in(TEACHER).opens("/help")
    assert "mailto:nss@nss.example" in teacher.text
    assert "mailto:nss@pt.example" not in teacher.text
