"""A teacher before the desk in Chromium: a whole application by the keyboard alone, once without a script, and by axe."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

import usecases.signing_in
from adapters.languages.desk import TEMPLATES, desk_texts, languages
from cli.services import free_port
from desk.app import public_app
from desk.languages import COOKIE
from labels.clock import BRUSSELS
from labels.errors import OutOfReach
from labels.record.schema import Application, Mail, StepKind, StepState
from labels.sessions.codes import sign_in_code
from labels.settings import PROJECT
from labels.words.text import word_count
from tests.cli.conftest import TEACHER, Terminal
from tests.support.accessibility import wrong_with
from tests.support.browser import CHROMIUM, chromium
from tests.support.patience import PATIENCE
from tests.support.people import application_file
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture
def address(terminal: Terminal) -> Iterator[str]:
    """Where the desk of the terminal's record is served, in a thread."""
    port = free_port()
    settings = terminal.here.settings.model_copy(update={"listen": f"127.0.0.1:{port}"})
    object.__setattr__(terminal.here, "settings", settings)
    with in_a_thread(public_app(terminal.here), port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def opened(
    address: str, *, script: bool = True, width: int = 1280, language: str = "en-GB"
) -> Iterator[Page]:
    """A page in a context of its own; whatever it asks for elsewhere, or is refused by our policy, fails the test."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=language, java_script_enabled=script
        )
        # As if chosen on the page: the account of whoever signs in may be in another language.
        context.add_cookies([{"name": COOKIE, "value": language[:2], "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        strange: list[str] = []
        page.on(
            "request",
            lambda one: strange.append(one.url) if not one.url.startswith((address, "data:")) else None,
        )
        page.on(
            "console", lambda one: strange.append(one.text) if "Content Security Policy" in one.text else None
        )
        page.on("pageerror", lambda one: strange.append(str(one)))
        yield page
    assert strange == []


def code_for(terminal: Terminal, address: str) -> str:
    """The code in the newest mail; it goes out after the page was answered."""
    for _ in range(int(PATIENCE * 10)):
        with terminal.here.record.reading() as session:
            reason = session.scalars(
                sa.select(Mail.reason)
                .where(Mail.to_address == address, Mail.template == "sign_in")
                .order_by(Mail.queued_at.desc())
            ).first()
        if reason:
            return sign_in_code(terminal.here.key, reason.split("/")[1])
        threading.Event().wait(0.1)
    raise AssertionError("no code was mailed")


def presses_tab_to(page: Page, selector: str) -> None:
    """Moves the focus there by the Tab key alone."""
    for _ in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key never came to {selector}")


def types_the_code(page: Page, terminal: Terminal, who: str) -> None:
    """Signs in on the page that asks for an address, by the keyboard alone."""
    presses_tab_to(page, "#address")
    page.keyboard.type(who)
    page.keyboard.press("Enter")
    page.wait_for_selector("#code")
    presses_tab_to(page, "#code")
    page.keyboard.type(code_for(terminal, who))
    page.keyboard.press("Enter")


def signs_in(page: Page, terminal: Terminal, address: str) -> None:
    page.goto(f"{address}/sign-in")
    types_the_code(page, terminal, TEACHER)
    page.wait_for_url("**/projects")


def applications(terminal: Terminal) -> list[Application]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(Application)))


def test_a_whole_application_is_written_and_handed_in_by_the_keyboard_alone(
    terminal: Terminal, address: str
) -> None:
    file = application_file()
    with opened(address) as page:
        signs_in(page, terminal, address)
        presses_tab_to(page, "a[href='/projects/P-1/apply']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/apply")
        for name in file["preconditions"]:
            presses_tab_to(page, f"[name='precondition.{name}']")
            page.keyboard.press("Space")
        for name, text in {"description": file["description"], "pupils": "24", "average_age": "13"}.items():
            presses_tab_to(page, f"[name='{name}']")
            page.keyboard.type(text)
        for name, text in file["sections"].items():
            presses_tab_to(page, f"[name='sections.{name}']")
            page.keyboard.insert_text(text)
        page.wait_for_selector("#saved.saved:has-text('Saved 16 March')")
        page.wait_for_selector("[data-aside] li:has(a[href='#s-pro']) .tag.good")
        assert page.locator("output[for='description']").inner_text() == "5 of 150 words"
        presses_tab_to(page, "button.btn-primary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/check")
        presses_tab_to(page, "button.btn-primary")
        page.keyboard.press("Enter")
        page.wait_for_selector(".errors:focus")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        presses_tab_to(page, "#true")
        page.keyboard.press("Space")
        presses_tab_to(page, "button.btn-primary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/applications/*")
        assert page.get_by_text("Your application has arrived").is_visible()
    [one] = applications(terminal)
    assert one.content["sections"] == file["sections"]


def test_the_same_without_a_script_with_a_file(terminal: Terminal, address: str) -> None:
    file = application_file()
    evidence = sorted((PROJECT / "examples" / "evidence").glob("*.pdf"))[0]
    with opened(address, script=False, width=390) as page:
        page.goto(f"{address}/sign-in")
        page.fill("#address", TEACHER)
        page.click("main button")
        page.fill("#code", code_for(terminal, TEACHER))
        page.click("main button")
        page.click("a[href='/projects/P-1/apply']")
        for name in file["preconditions"]:
            page.check(f"[name='precondition.{name}']")
        fields = {"description": file["description"], "pupils": "24", "average_age": "13"}
        for name, text in (fields | {f"sections.{k}": v for k, v in file["sections"].items()}).items():
            page.fill(f"[name='{name}']", text)
        page.set_input_files("#upload", evidence)
        page.click("button[name=add]")
        assert page.get_by_text(evidence.name).first.is_visible()
        page.click("main button.btn-primary")
        page.check("#true")
        page.click("main button.btn-primary")
        assert page.get_by_text("Your application has arrived").is_visible()
    assert len(applications(terminal)) == 1


def test_files_are_sent_as_soon_as_they_are_chosen_and_a_lost_connection_is_told(
    terminal: Terminal, address: str
) -> None:
    evidence = sorted((PROJECT / "examples" / "evidence").glob("*.pdf"))[0]
    with opened(address) as page:
        signs_in(page, terminal, address)
        page.goto(f"{address}/projects/P-1/apply")
        page.set_input_files("#upload", evidence)
        page.wait_for_selector(f"#files li:has-text('{evidence.name}')")
        page.wait_for_selector("[data-aside] li:has(a[href='#s-evi']) .tag.good")
        page.context.set_offline(True)
        page.fill("#description", "typed while the network was away")
        page.wait_for_selector("#saved.fail")
        page.context.set_offline(False)
        page.wait_for_selector("#saved.saved:not(.fail):has-text('Saved 16 March')")
        page.reload()
        assert page.input_value("#description") == "typed while the network was away"


COUNTED = (
    "", "one", "two  words", "l'école d’été", "peer-to-peer 3.5 1,000.25", "https://x.example/a-b?c=d www.y.example",
    "Žluťoučký kůň – příliš", "e\u0301te\u0301", "الطلاب قاسوا النهرين", "ნორჩი მკვლევარები", "a·b c‑d", "— … !",
)  # fmt: skip
"""Texts whose words are easily counted otherwise: marks, dashes, numbers, addresses, other scripts."""


def test_a10_the_page_counts_as_the_server_does(terminal: Terminal, address: str) -> None:
    with opened(address) as page:
        signs_in(page, terminal, address)
        page.goto(f"{address}/projects/P-1/apply")
        for text in COUNTED:
            page.fill("#description", text)
            told = page.locator("output[for='description']").inner_text()
            assert told == f"{word_count(text)} of 150 words", text


def test_a11_a_file_is_sent_with_its_progress_and_one_that_is_too_large_is_not_sent_at_all(
    terminal: Terminal, address: str, tmp_path: Path
) -> None:
    evidence = sorted((PROJECT / "examples" / "evidence").glob("*.pdf"))[0]
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(21 << 20)
    with opened(address) as page:
        signs_in(page, terminal, address)
        page.goto(f"{address}/projects/P-1/apply")
        sent: list[bytes] = []
        page.on("request", lambda one: sent.append(one.post_data_buffer or b""))
        page.set_input_files("#upload", large)
        page.wait_for_selector("#uploads .uploading.bad:has-text('larger than 20 MB')")
        assert not [body for body in sent if large.name.encode() in body]
        page.evaluate(
            """() => new MutationObserver((_, all) => {
                if (document.querySelector("#uploads progress")) { window.barWasThere = true; all.disconnect(); }
            }).observe(document.querySelector("#uploads"), {childList: true, subtree: true})"""
        )
        page.set_input_files("#upload", evidence)
        listed = page.locator(f"#files li:has-text('{evidence.name}')")
        listed.wait_for()
        assert page.evaluate("window.barWasThere") is True
        assert re.search(r"\d\s(kB|MB)", listed.inner_text()), "with its size"
        assert page.locator("#files li").count() == 1


def test_while_the_record_is_away_what_was_typed_stays_and_is_sent_again(
    terminal: Terminal, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OutOfReach("The record", "no answer.", "Nothing was changed.")

    with opened(address) as page:
        signs_in(page, terminal, address)
        page.goto(f"{address}/projects/P-1/apply")
        with monkeypatch.context() as patch:
            patch.setattr(usecases.signing_in, "visitor_of", away)
            page.fill("#description", "typed while the record was away")
            page.wait_for_selector("#saved.fail")
            assert page.input_value("#description") == "typed while the record was away"
            page.click("button[name=keep]")
            page.get_by_text("What you typed is kept in this page").wait_for()
            assert page.locator(".code", has_text="E-").is_visible()
        page.get_by_role("button", name="Send it again").click()
        page.wait_for_url("**/projects/P-1/apply?saved=1")
        assert page.input_value("#description") == "typed while the record was away"


INSTANTS = ("2026-01-15T12:00:00", "2026-03-20T23:30:00", "2026-03-31T21:59:00", "2026-07-01T06:05:00")
"""In winter; between the changes of clocks in America and in Europe; a deadline in Brussels; in summer."""
ZONES = (
    "Europe/Brussels", "Europe/Lisbon", "Atlantic/Azores", "Europe/Athens", "Europe/Kyiv", "Europe/Istanbul",
    "Asia/Tbilisi", "Asia/Yerevan", "Asia/Baku", "Asia/Amman", "Asia/Beirut", "Africa/Tunis", "Africa/Algiers",
    "America/Cayenne",
)  # fmt: skip


def test_a17_a_moment_is_told_in_brussels_time_and_in_brackets_in_the_readers_own() -> None:
    """By the rules of each place for summer time, also where it has none or changes on another day."""
    moments = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in INSTANTS]
    texts = desk_texts("help.html.j2", "en")
    body = "".join(f"<p>{texts.when(one)}</p>" for one in moments)
    html = f'<html lang="en" data-own="with you"><body>{body}</body></html>'
    with chromium() as browser:
        for zone in ZONES:
            page = browser.new_context(timezone_id=zone).new_page()
            page.set_content(html)
            page.add_script_tag(path=TEMPLATES / "assets" / "desk.js")
            told = page.locator("p").all_inner_texts()
            assert told == [f"{texts.moment(one)}{own_time(one, zone)}" for one in moments], zone


def own_time(at: datetime, zone: str) -> str:
    """What stands in brackets: nothing where the clocks agree, the day only where it is another one."""
    here, brussels = at.astimezone(ZoneInfo(zone)), at.astimezone(BRUSSELS)
    if here.replace(tzinfo=None) == brussels.replace(tzinfo=None):
        return ""
    day = "" if here.date() == brussels.date() else f"{here.day} {here:%B %Y} at "
    return f" [with you {day}{here:%H:%M}]"


@pytest.mark.looks_at(
    "/sign-in",
    "/projects",
    "/projects/{project}/apply",
    "/projects/{project}/check",
    "/projects/{project}/questions",
    "/account",
    "/help",
    "/applications/{application}",
)
@pytest.mark.parametrize(("width", "language"), [(1280, "en-GB"), (390, "ar-TN")])
def test_axe_finds_nothing_on_any_page_of_a_teacher(
    terminal: Terminal, address: str, width: int, language: str
) -> None:
    with opened(address, width=width, language=language) as page:
        page.goto(f"{address}/language/{language[:2]}?back=/sign-in")
        found = {}

        def look(name: str) -> None:
            found[name] = wrong_with(page)

        look("sign-in")
        signs_in(page, terminal, address)
        for path in (
            "/projects",
            "/projects/P-1/apply",
            "/projects/P-1/check",
            "/projects/P-1/questions",
            "/account",
            "/help",
            "/nothing",
        ):
            page.goto(f"{address}{path}")
            look(path)
        run = terminal.run("submit", terminal.file("application.json", application_file()))
        assert run.exit_code in (0, 5)
        [one] = applications(terminal)
        step, *_ = terminal.asked(one.id)
        terminal.file("question.json", {"question": "Which activities?"})
        terminal.run(
            "answer",
            step,
            "--as",
            terminal.step(step).assignee,
            "--code",
            terminal.code(step),
            "question.json",
        )
        assert terminal.right(one.id, StepKind.INFORMATION).state is StepState.OPEN
        for path in ("/projects", f"/applications/{one.id}", f"/applications/{one.id}?asks=withdraw"):
            page.goto(f"{address}{path}")
            look(path)
        assert {name: ids for name, ids in found.items() if ids} == {}


def test_no_page_of_a_teacher_is_wider_than_a_phone_in_any_language(terminal: Terminal, address: str) -> None:
    wide = set()
    with opened(address, width=390) as page:
        signs_in(page, terminal, address)
        for language in languages():
            page.context.add_cookies([{"name": COOKIE, "value": language, "url": address}])
            for path in ("/projects", "/projects/P-1/apply", "/projects/P-1/check", "/account", "/help"):
                page.goto(f"{address}{path}")
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    wide.add((language, path))
    assert wide == set()
