"""A school's people in a real browser: two who write at once, a form without a script, a phone, and pages for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from cli.services import free_port
from desk.app import public_app
from labels.record import Record
from labels.record.schema import StepKind
from labels.school_label import receiving
from labels.sessions import session as sessions
from labels.settings import PROJECT, Settings
from labels.views import self_assessment
from tests.desk.school_scene import FIRST, OUTSIDER, PRINCIPAL, SECOND, SchoolDesk, complete
from tests.desk.test_reviewing_in_a_browser import opened
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM, chromium
from tests.support.school import whole
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]

EVIDENCE = PROJECT / "examples" / "evidence"
RULES, TEAMS = "answers.esafety.rules", "answers.teaching.teams"


class Scene(SchoolDesk):
    """The school, and its desk at an address of this machine."""

    url = ""

    def signs_in(self, page: Page, who: str, language: str = "en") -> None:
        """With a session that is there already."""
        with self.here.record.writing() as session:
            token = sessions.begin(self.here.turn(session), who, "mail code")
        for name, value in (("session", token or ""), ("language", language)):
            page.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def at_the_form(self, browser: Browser, who: str, **more: bool) -> Page:
        """Somebody who has opened the self-assessment."""
        page = opened(browser, **more)
        self.signs_in(page, who)
        page.goto(self.url + self.form)
        return page


@pytest.fixture
def scene(record: Record, settings: Settings) -> Iterator[Scene]:
    port = free_port()
    scene = Scene(record, settings.model_copy(update={"listen": f"127.0.0.1:{port}"}))
    scene.url = f"http://127.0.0.1:{port}"
    with in_a_thread(public_app(scene.here), port):
        yield scene


def by(name: str) -> str:
    """The field of that name."""
    return f"[name='{name}']"


def saves(page: Page) -> None:
    page.wait_for_selector("#saved.saved:not(.fail):not(.wait):has-text('Saved ')")


def types(page: Page, name: str, text: str) -> None:
    """Types into a field, and waits until it was saved."""
    with page.expect_response("**/self-assessment/*"):
        page.fill(by(name), text)
    saves(page)


def test_two_colleagues_write_at_the_same_time_and_see_what_the_other_wrote(scene: Scene) -> None:
    with chromium() as browser:
        one, other = (scene.at_the_form(browser, who) for who in (FIRST, SECOND))
        types(one, f"{RULES}.text", "Hung in every class.")
        with other.expect_response("**/self-assessment/*"):
            other.check(f"{by(f'{TEAMS}.level')}[value='3']", force=True)
        saves(other)
        assert other.input_value(by(f"{RULES}.text")) == "Hung in every class.", "it came with the save"
        assert "Zażółć Gęślą" in other.locator(f"[data-by='{RULES}.text']").inner_text()
        types(other, f"{RULES}.text", "Hung in every class, and read.")
        one.fill(by(f"{RULES}.text"), "Hung nowhere.")
        one.wait_for_selector("#saved.fail:has-text('Both versions are kept')")
        one.click("[data-aside] a:has-text('see both versions')")
        one.reload()
        one.get_by_role("button", name="Put both in the field").click()
        one.wait_for_url("**/*saved=1*")  # a browser keeps the place in the page
        assert one.input_value(by(f"{RULES}.text")) == "Hung in every class, and read.\nHung nowhere."
        types(one, f"{RULES}.text", "Once more.")


def test_one_goes_on_typing_while_a_save_is_under_way_and_never_collides_with_oneself(scene: Scene) -> None:
    with chromium() as browser:
        page = scene.at_the_form(browser, FIRST)
        for text in ("One", "One two", "One two three"):
            page.fill(by(f"{RULES}.text"), text)
            page.wait_for_timeout(2300)
        saves(page)
        page.set_input_files("#upload", EVIDENCE / "safety.pdf")
        page.wait_for_selector("#files li:has-text('safety.pdf')")
        page.fill(by(f"{RULES}.text"), "One two three four")
        page.wait_for_timeout(2300)
        saves(page)
        page.reload()
        assert page.input_value(by(f"{RULES}.text")) == "One two three four"
        assert page.locator("#clashes").count() == 0


def test_a_school_applies_without_a_script_and_its_principal_confirms_on_a_phone(scene: Scene) -> None:
    with chromium() as browser:
        page = scene.at_the_form(browser, FIRST, java_script_enabled=False)
        for name, value in complete().items():
            field = page.locator(by(name))
            if field.first.get_attribute("type") == "radio":
                page.check(f"{by(name)}[value='{value}']", force=True)
            elif field.first.get_attribute("type") == "checkbox":
                page.check(by(name))
            else:
                page.fill(by(name), value)
        for kind in ("safety", "policy", "declaration"):
            page.select_option("#kind", kind)
            page.set_input_files("#upload", EVIDENCE / f"{kind}.pdf")
            page.click("button[name=add]")
            page.get_by_text(f"{kind}.pdf").first.wait_for()
        page.click("text=Check your answers")
        page.click("text=Hand it in for the school")
        page.get_by_text("It is handed in").wait_for()
        phone = opened(browser, 390)
        scene.signs_in(phone, PRINCIPAL)
        phone.goto(f"{scene.url}{scene.form}/confirm")
        phone.check("#true")
        phone.check("#backs")
        phone.click("text=Confirm the application")
        phone.get_by_text("Thank you. It is recorded.").wait_for()
    assert scene.school.open(StepKind.DECLARATION) == []


@pytest.mark.looks_at(
    "/schools",
    "/schools/{school}",
    "/self-assessment/{application}",
    "/self-assessment/{application}/check",
    "/self-assessment/{application}/declaration",
    "/self-assessment/{application}/confirm",
)
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "en"), (390, "ar")])
def test_the_pages_of_a_school_are_for_everybody(scene: Scene, width: int, language: str) -> None:
    found: dict[str, list[str]] = {}
    with chromium() as browser:

        def look(who: str, *paths: str) -> None:
            page = opened(browser, width)
            scene.signs_in(page, who, language)
            for path in paths:
                page.goto(scene.url + path)
                found[f"{who} {path}"] = violations(page)
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found[f"{who} {path}"].append("overflows")

        other = scene.at_the_form(browser, SECOND)
        page = scene.at_the_form(browser, FIRST)
        page.fill(by(f"{RULES}.text"), "Hers.")
        saves(page)
        other.fill(by(f"{RULES}.text"), "His.")
        other.wait_for_selector("#saved.fail")
        look(SECOND, "/schools/S-1", scene.form, f"{scene.form}?dispute=A-1", f"{scene.form}/check")
        look(FIRST, f"{scene.form}/declaration")
        look(OUTSIDER, "/schools/S-2")
        scene.school.hand_in(whole(draft=1), who=1)
        look(PRINCIPAL, "/schools", "/schools/S-1", f"{scene.form}/confirm", f"{scene.form}/confirm?back=1")
        scene.school.declare()
        look(FIRST, "/schools/S-1", scene.form)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_plan_of_a_school_is_for_everybody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the questions ask for one: in the form, in what is checked before it is handed in, and for the principal."""
    planned = receiving.questions_of

    def with_a_plan(*of: Any) -> Any:
        return planned(*of).model_copy(update={"plan": "What do you plan, and how will one see it?"})

    for module in (receiving, self_assessment):
        monkeypatch.setattr(module, "questions_of", with_a_plan)
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            scene.signs_in(page, FIRST, language)
            page.goto(scene.url + scene.form)
            assert page.locator("#plan").count() == 1
            for path in (scene.form, f"{scene.form}/check", f"{scene.form}/declaration"):
                page.goto(scene.url + path)
                assert violations(page) == [], (path, width, language)
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, width)
