"""The European year in a real browser: pages that everybody can use, on a screen and on a phone, from both sides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from adapters.documents.opening import open_store
from adapters.workspace import Workspace
from cli.services import free_port
from desk.app import public_app
from desk.languages import COOKIE
from labels.clock import frozen_clock
from labels.european_label import awarding, screening
from labels.identifiers import european_cycle_id
from labels.people.persons import behind
from labels.record import Record
from labels.sessions import session as sessions
from labels.settings import Settings
from labels.turn import Turn
from tests.desk.test_gallery import CREDIT, HOLDER, SAYS, SHOWS, picture
from tests.desk.test_reviewing_in_a_browser import opened
from tests.desk.test_year import ADA, COORDINATOR
from tests.support import european
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM, chromium
from tests.support.european import BEGINS, OTHER, OWN, YEAR, populate_year
from tests.support.people import KEY
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def desk(record: Record, settings: Settings) -> Iterator[tuple[Workspace, str]]:
    """The desk at an address of this machine, with a year that has begun."""
    with record.writing() as session:
        populate_year(session)
    with record.writing() as session:
        european.begun(session)
        for organisation in (OWN, OTHER):
            screening.ask(Turn(session, BEGINS, KEY), european.nomination_of(organisation))
    port = free_port()
    settings = settings.model_copy(update={"listen": f"127.0.0.1:{port}"})
    here = Workspace(settings, record, open_store(settings), KEY, frozen_clock(BEGINS))
    with in_a_thread(public_app(here), port):
        yield here, f"http://127.0.0.1:{port}"


def signs_in(here: Workspace, url: str, page: Page, address: str, language: str) -> None:
    with here.record.writing() as session:
        [person] = behind(session, address)
        token = sessions.begin(here.turn(session), person.address, "mail code")
    page.context.add_cookies(
        [
            {"name": "session", "value": token or "", "url": url},
            {"name": COOKIE, "value": language, "url": url},
        ]
    )


def for_everybody(page: Page, where: str) -> None:
    assert violations(page) == [], where
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, where


WAYS = ((1280, "en"), (390, "en"), (390, "ar"))


@pytest.mark.looks_at("/year/{year}", "/year/{year}/of/{organisation}", "/year/{year}/award")
def test_the_pages_of_a_coordinator_are_for_everybody(desk: tuple[Workspace, str]) -> None:
    here, url = desk
    with chromium() as browser:
        for width, language in WAYS:
            page = opened(browser, width)
            signs_in(here, url, page, COORDINATOR, language)
            for path in (f"/year/{YEAR}", f"/year/{YEAR}/of/{OWN}", f"/year/{YEAR}/award"):
                page.goto(url + path)
                for_everybody(page, f"own{path}-{width}-{language}")
            page.goto(f"{url}/year/{YEAR}/of/{OWN}")
            page.locator("input[name=strike]").first.check()
            page.locator("main form button").click()
            for_everybody(page, f"strikes-{width}-{language}")
            page.locator("main button[name=confirmed]").click()
            assert page.locator("main .errors").count() == 1
            for_everybody(page, f"mistakes-{width}-{language}")


@pytest.mark.looks_at("/dates")
def test_a_date_is_moved_for_all_on_pages_for_everybody(desk: tuple[Workspace, str]) -> None:
    here, url = desk
    with chromium() as browser:
        for width, language in WAYS:
            page = opened(browser, width)
            signs_in(here, url, page, ADA, language)
            page.goto(f"{url}/dates")
            for_everybody(page, f"form-{width}-{language}")
            page.select_option("#date", f"screening-{YEAR}")
            for until in ("tomorrow", "2026-11-21"):
                page.fill("#until", until)
                page.fill("#reason", "Autumn holidays in eleven countries.")
                page.locator("main form button").click()
                for_everybody(page, f"{until}-{width}-{language}")
            assert page.locator("main table tbody tr").count() == 2


@pytest.mark.looks_at("/year/{year}/fairness", "/year/{year}/gallery", "/gallery/{year}/index.html")
def test_the_pages_of_the_central_service_are_for_everybody(desk: tuple[Workspace, str]) -> None:
    here, url = desk
    with here.record.writing() as session:
        turn, identifier = Turn(session, BEGINS, KEY), european_cycle_id(YEAR)
        for organisation in (OWN, OTHER):
            european.screen(session, organisation)
        awarding.merge_nominations(turn, identifier)
        european.answered(session, awarding.ask(turn, identifier), {"approve": ["all"]})
        awarding.award(turn, identifier)
    with chromium() as browser:
        for width, language in WAYS:
            page = opened(browser, width)
            signs_in(here, url, page, ADA, language)
            for path in ("", f"/of/{OWN}", "/award", "/fairness", "/gallery"):
                page.goto(f"{url}/year/{YEAR}{path}")
                for_everybody(page, f"css{path}-{width}-{language}")
            page.locator("main form button").click()
            page.goto(f"{url}/gallery/{YEAR}")
            for_everybody(page, f"published-{width}-{language}")


@pytest.mark.looks_at("/my-gallery/{award}")
def test_what_is_given_for_the_gallery_is_given_looked_at_and_shown_on_pages_for_everybody(
    desk: tuple[Workspace, str], tmp_path: Path
) -> None:
    here, url = desk
    with here.record.writing() as session:
        turn, identifier = Turn(session, BEGINS, KEY), european_cycle_id(YEAR)
        for organisation in (OWN, OTHER):
            european.screen(session, organisation)
        awarding.merge_nominations(turn, identifier)
        european.answered(session, awarding.ask(turn, identifier), {"approve": ["all"]})
        awarding.award(turn, identifier)
    file = tmp_path / "bridge.jpg"
    file.write_bytes(picture())
    with chromium() as browser:
        for width, language in WAYS:
            page = opened(browser, width)
            signs_in(here, url, page, HOLDER, language)
            page.goto(f"{url}/projects")
            for_everybody(page, f"projects-{width}-{language}")
            page.locator("a[href^='/my-gallery/']").click()
            for_everybody(page, f"nothing given-{width}-{language}")
            page.set_input_files("#picture", file)
            page.fill("#words", SAYS)
            page.locator("#agreed + label").scroll_into_view_if_needed()
            page.locator("main form button[type=submit]").first.click()
            assert page.locator("main .errors li").count() == 3
            for_everybody(page, f"mistakes-{width}-{language}")
            page.fill("#shows", SHOWS)
            page.fill("#credit", CREDIT)
            page.check("#agreed")
            page.locator("main form button[type=submit]").first.click()
            page.locator("main figure img").wait_for()
            assert page.evaluate("document.querySelector('main figure img').naturalWidth") == 1200
            for_everybody(page, f"given-{width}-{language}")
            css = opened(browser, width)
            signs_in(here, url, css, ADA, language)
            css.goto(f"{url}/year/{YEAR}/gallery")
            css.locator("main details summary").click()
            for_everybody(css, f"looked at-{width}-{language}")
            css.locator("main details button").first.click()
            assert css.locator("main .errors").count() == 1
            for_everybody(css, f"struck without a reason-{width}-{language}")
            css.locator("section[aria-labelledby=publish] button").click()
            css.goto(f"{url}/gallery/{YEAR}")
            css.locator("main img").first.scroll_into_view_if_needed()
            css.wait_for_function("document.querySelector('main img').naturalWidth === 1200")
            for_everybody(css, f"published with a picture-{width}-{language}")
            css.goto(f"{url}/year/{YEAR}/gallery")
            css.locator("main details summary").click()
            css.fill("main details textarea", "A pupil can be recognised.")
            css.locator("button[value^='picture:']").click()
            page.goto(page.url)
            assert "A pupil can be recognised." in page.inner_text("main .note.care")
            for_everybody(page, f"struck-{width}-{language}")
            page.locator("button[name=back]").click()
            for_everybody(page, f"taken back-{width}-{language}")
