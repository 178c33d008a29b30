"""Coordinators in a real browser: finding as one types, and pages that everybody can use."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from labels.answering import accepting
from labels.answering.many import What, Wish
from labels.answering.own_staff import entry_id
from labels.applications import ending
from labels.people.persons import named
from labels.people.staff import OPERATOR
from labels.record.schema import Application, Staff, StepKind, StepState
from labels.registry import search_index
from labels.reviews import asking, deciding
from labels.rules.kept import keep_rules
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import SignedIn
from labels.steps.step import close_step, open_step, steps_of
from labels.views.applications import Filters, Part
from tests.desk.test_reviewing_in_a_browser import Scene, opened, scene
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM, chromium
from tests.support.case import COORDINATOR, Case, reviewed_by
from tests.support.past_years import Europe
from tests.support.people import points
from usecases import many

__all__ = ["scene"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def desk(scene: Scene) -> Scene:
    """A coordinator's desk with forty applications."""
    scene.more(40)
    with scene.here.record.writing() as session:
        search_index.fill(session.connection())
    scene.who = COORDINATOR
    return scene


def planned(desk: Scene, what: What) -> str:
    """The page of a plan for all that is open."""
    with desk.here.record.reading() as session:
        somebody = named(session, COORDINATOR)
        assert somebody is not None
    wish = Wish(what, "She is ill until May.", until=desk.here.now() + timedelta(days=60))
    selection = many.Selection(Filters(part=Part.OPEN))
    return f"/cases/plans/{many.plan(desk.here, somebody.id, ['NSS-PL'], wish, selection)}"


def seek_reviewers(desk: Scene, number: int) -> None:
    """So many applications lose their reviewers, and a coordinator is asked to find some."""
    with desk.here.record.writing() as session:
        turn = desk.here.turn(session)
        whom = named(session, COORDINATOR)
        assert whom is not None
        applications = session.scalars(sa.select(Application).order_by(Application.id).limit(number)).all()
        for one in applications:
            for step in steps_of(session, one, StepKind.REVIEW):
                close_step(step, StepState.VOID, turn.now, "ill")
            open_step(turn, one, StepKind.ASSIGNMENT, whom.id, organisation=one.organisation)


def decided(desk: Scene) -> None:
    """The case has two reviews and is awarded."""
    for step in (desk.first, desk.second):
        given = ReviewAnswer(
            scores=points(3 + step.seat % 2), comment="A delightful atlas of rivers.", note="Read twice."
        )
        desk.case.do(accepting.answer, step.id, SignedIn(step.person, "mail code", desk.here.now()), given)
    desk.case.do(deciding.decide, desk.case.id)
    desk.case.do(ending.close, desk.case.id)


@pytest.mark.looks_at(
    "/cases/{application}",
    "/cases/{application}/reviews",
    "/overview",
    "/cases",
    "/cases/many",
    "/cases/plans/{plan}",
    "/cases/reviewers/{organisation}",
    "/cases/schools/{school}",
    "/find",
    "/rules",
)
def test_the_pages_are_for_everybody(desk: Scene) -> None:
    plans = [planned(desk, one) for one in (What.REASSIGN, What.DEADLINE)]
    seek_reviewers(desk, 5)
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)
            for path in (
                f"/cases/{desk.case.id}",
                f"/cases/{desk.case.id}/reviews",
                "/overview",
                "/cases",
                "/cases?urgent=late&columns=points",
                *(f"/cases/many?act={one}" for one in What),
                *plans,
                "/cases/reviewers/NSS-PL",
                "/cases/schools/S-1",
                "/find?q=rz",
                "/rules",
                "/find?q=qqq",
            ):
                page.goto(desk.url + path)
                assert page.get_attribute("html", "lang") == language, path
                assert violations(page) == [], (path, width, language)
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, (path, width, language)


@pytest.mark.looks_at("/cases/{application}/likeness")
def test_what_a_case_reads_like_is_a_page_for_everybody(desk: Scene) -> None:
    copied = Case(desk.here.record, teacher="T-3")
    assert copied.conditions()
    assert copied.likeness()
    assert desk.case.likeness()
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)
            page.goto(f"{desk.url}/cases/{desk.case.id}/likeness")
            assert page.get_attribute("html", "lang") == language
            assert page.locator("mark").count() >= 12
            assert violations(page) == [], (width, language)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (width, language)


def test_a_decision_is_confirmed_on_a_page_for_everybody(desk: Scene) -> None:
    with desk.here.record.writing() as session:
        application = session.get_one(Application, desk.case.id)
        application.rules = keep_rules(
            session, reviewed_by(application.organisation, decided_by="coordinator")
        )
    for step in (desk.first, desk.second):
        given = ReviewAnswer(scores=points(4), comment="A delightful atlas of rivers.")
        desk.case.do(accepting.answer, step.id, SignedIn(step.person, "mail code", desk.here.now()), given)
    desk.case.do(asking.ask, desk.case.id)
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)
            page.goto(f"{desk.url}/cases/{desk.case.id}")
            assert violations(page) == [], (width, language)
            page.locator("form:has(button[value=award]) textarea").fill("Both are convinced.")
            page.locator("button[name=act][value=award]").click()
            assert page.locator("button[name=confirmed]").count() == 1
            assert violations(page) == [], (width, language)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (width, language)


@pytest.mark.looks_at("/cases/{application}", "/cases/{application}/reopen")
def test_the_pages_of_a_decided_case_are_for_everybody(desk: Scene) -> None:
    decided(desk)
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)

            def everybody(
                where: str, page: Page = page, width: int = width, language: str = language
            ) -> None:
                assert page.get_attribute("html", "lang") == language, where
                assert violations(page) == [], (where, width, language)
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, (where, width, language)

            for path in (f"/cases/{desk.case.id}", f"/cases/{desk.case.id}/reopen"):
                page.goto(desk.url + path)
                everybody(path)
            page.locator("main form:has([value=registry]) button").click()
            assert page.locator("#hangs").count() == 1
            everybody("what hangs on it")


@pytest.mark.looks_at("/staff", "/staff/{entry}", "/staff/{entry}/leaving", "/staff/new")
def test_the_pages_of_the_staff_are_for_everybody(desk: Scene) -> None:
    """With somebody who is away and one who leaves, a form with mistakes, a file's plan and its faults."""
    first, second = (f"r{number}@nss.example" for number in (1, 2))
    with desk.here.record.writing() as session:
        away = session.get_one(Staff, (first, "reviewer"))
        away.away_from, away.away_until, away.subjects = date(2026, 3, 1), date(2026, 4, 1), "Biology;Art"
        leaves = session.get_one(Staff, (second, "reviewer"))
        leaves.left_on, leaves.left_by = date(2026, 9, 1), OPERATOR
    header = b"email,name,organisation,role,language,school,subjects\n"
    good, bad = b"ada@nss.example,Ada,NSS-PL,reviewer,pl,,Art\n", b"ada,Ada,NSS-DE,reviewer,polish,,\n"
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)

            def everybody(
                where: str, page: Page = page, width: int = width, language: str = language
            ) -> None:
                assert violations(page) == [], (where, width, language)
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, (where, width, language)

            entry = f"/staff/{entry_id(first, 'reviewer')}"
            for path in ("/staff", entry, f"/staff/{entry_id(desk.first.assignee, 'reviewer')}/leaving"):
                page.goto(desk.url + path)
                everybody(path)
            page.locator("main form button[name=look]").click()
            assert page.locator("main input[name=word]").input_value()
            everybody("what goes to whom")
            page.goto(f"{desk.url}/staff/new")
            page.locator("main form button").click()
            assert page.locator("main .errors").count() == 1
            everybody("mistakes")
            for content in (header + good, header + bad):
                page.goto(f"{desk.url}/staff")
                file: Any = {"name": "staff.csv", "mimeType": "text/csv", "buffer": content}
                page.set_input_files("#file", file)
                page.locator("form[action='/staff/file'] button").click()
                everybody(content.decode())


def test_ticked_rows_are_given_to_others_without_a_script(desk: Scene) -> None:
    with chromium() as browser:
        page = opened(browser, java_script_enabled=False)
        desk.signs_in(page)
        page.goto(f"{desk.url}/cases?part=open")
        boxes = page.locator("input[name=chosen]")
        boxes.nth(0).check()
        boxes.nth(1).check()
        page.get_by_role("button", name="Remind").click()
        page.get_by_label("Why").fill("The committee meets on Friday.")
        page.get_by_role("button", name="Show the plan").click()
        assert "Nothing is changed yet" in page.inner_text("main")
        page.get_by_role("button", name="Do it").click()
        assert "It is carried out." in page.inner_text("main")


@pytest.mark.looks_at("/statistics")
def test_the_statistics_are_for_everybody(desk: Scene) -> None:
    """With numbers that are shown and some that are not, on a screen and on a phone, from both sides."""
    with desk.here.record.writing() as session:
        Europe({"NSS-PL": 30}, range(2016, 2026), desk.case.now).fill(session)
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            desk.signs_in(page, language)
            page.goto(f"{desk.url}/statistics")
            assert page.locator("svg[role=img] title").count() == 2
            assert violations(page) == [], (width, language)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (width, language)


def test_what_is_typed_is_found_without_pressing_anything(desk: Scene) -> None:
    with chromium() as browser:
        page = opened(browser)
        desk.signs_in(page)
        page.goto(f"{desk.url}/find")
        page.locator("#q").press_sequentially("zazol")
        page.wait_for_selector("#found >> text=Zażółć Gęślą")
        assert page.evaluate("document.activeElement.id") == "q"
        page.locator("#q").fill("qqqq")
        page.wait_for_selector("#found >> text=Nothing is found")


A4 = 673
"""Points across a sheet between its margins."""


def test_on_paper_a_page_is_whole_and_has_nothing_to_press(desk: Scene) -> None:
    seek_reviewers(desk, 5)
    with desk.here.record.writing() as session:
        Europe({"NSS-PL": 20}, range(2016, 2026), desk.here.now(), seed=3).fill(session)
    with chromium() as browser:
        page = opened(browser, A4)
        desk.signs_in(page, "en")
        page.emulate_media(media="print")
        for path in (
            f"/cases/{desk.case.id}",
            "/cases",
            "/cases?columns=points",
            "/statistics",
            "/overview",
            "/staff",
        ):
            page.goto(desk.url + path)
            assert page.locator("h1").is_visible()
            cut = page.evaluate(
                """(width) => [...document.querySelectorAll('main table, main svg')]
                    .filter(one => one.getBoundingClientRect().right > width + 1).length""",
                A4,
            )
            assert cut == 0, path
            for pressed in page.locator("button, textarea, select, nav, td input").all():
                assert not pressed.is_visible(), (
                    path,
                    pressed.evaluate("one => one.outerHTML.slice(0, 120)"),
                )
