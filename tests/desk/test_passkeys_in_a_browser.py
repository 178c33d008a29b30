"""Passkeys in Chromium with a virtual authenticator: added and used by the keyboard alone, refused, and by axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page

from cli.services import free_port
from desk.app import public_app
from labels.words.languages import ENGLISH
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.test_in_chromium import code_for, opened, presses_tab_to, types_the_code
from tests.support.accessibility import wrong_with
from tests.support.browser import CHROMIUM
from tests.support.people import TODAY
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture
def address(terminal: Terminal) -> Iterator[str]:
    """Where the desk of the terminal's record is served, under a name: browsers make no passkeys for a number."""
    port = free_port()
    settings = terminal.here.settings.model_copy(update={"public_url": f"http://localhost:{port}"})
    object.__setattr__(terminal.here, "settings", settings)
    with in_a_thread(public_app(terminal.here), port):
        yield settings.public_url


@pytest.fixture
def strict(terminal: Terminal, address: str) -> str:
    """The same desk, whose coordinators need a passkey besides the code."""
    settings = terminal.here.settings.model_copy(update={"passkeys": f"coordinators={TODAY}"})
    object.__setattr__(terminal.here, "settings", settings)
    return address


class Authenticator:
    """The device of whoever looks at a page."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id: str = made["authenticatorId"]

    def knows_the_person(self, known: bool) -> None:
        """Whether a fingerprint is recognised."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": known})

    def forgets(self) -> None:
        """Loses its passkeys."""
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


def signs_in_by_mail(
    page: Page, terminal: Terminal, address: str, who: str = COORDINATOR, language: str = ENGLISH
) -> None:
    page.goto(f"{address}/language/{language}?back=/sign-in")
    page.goto(f"{address}/sign-in?then=/account")
    page.fill("#address", who)
    page.click("main button.btn-primary")
    page.fill("#code", code_for(terminal, who))
    page.click("main button.btn-primary")
    page.wait_for_url(f"{address}/account")


def adds(page: Page, name: str) -> None:
    page.fill("#name", name)
    page.click("text=Add a passkey")
    page.wait_for_selector(f".things h3:has-text('{name}')")


def test_a_coordinator_adds_a_passkey_and_signs_in_with_it_by_the_keyboard_alone(
    terminal: Terminal, address: str
) -> None:
    with opened(address) as page:
        device = Authenticator(page)
        signs_in_by_mail(page, terminal, address)
        presses_tab_to(page, "#name")
        page.keyboard.type("Work laptop")
        page.keyboard.press("Enter")
        page.wait_for_selector(".things h3:has-text('Work laptop')")
        page.fill("#name", "The same again")
        page.click("text=Add a passkey")
        page.wait_for_selector("text=This device has a passkey of yours already.")
        page.click("text=Sign out here")
        page.wait_for_url(f"{address}/sign-in")
        presses_tab_to(page, "#with-passkey")
        page.keyboard.press("Enter")
        page.wait_for_selector(".masthead a[href='/account']")
        page.goto(f"{address}/account")
        assert page.get_by_text("last used").is_visible()
        page.context.clear_cookies()
        page.goto(f"{address}/sign-in?then=/account")
        page.fill("#address", COORDINATOR)
        page.click("#with-passkey")
        page.wait_for_url(f"{address}/account")
        page.context.clear_cookies()
        page.goto(f"{address}/sign-in?then=/account")
        page.fill("#address", TEACHER)
        page.click("#with-passkey")
        page.wait_for_selector(".errors:focus:has-text('This passkey was not accepted.')")
        page.fill("#address", COORDINATOR)
        page.click("#with-passkey")
        page.wait_for_url(f"{address}/account")
        device.knows_the_person(False)
        page.context.clear_cookies()
        page.goto(f"{address}/sign-in")
        page.click("#with-passkey")
        page.wait_for_selector("text=No passkey was used.")
        assert page.url == f"{address}/sign-in"


def test_a_removed_passkey_is_refused_and_a_code_by_mail_still_works(
    terminal: Terminal, address: str
) -> None:
    with opened(address) as page:
        Authenticator(page)
        signs_in_by_mail(page, terminal, address)
        adds(page, "Phone")
        page.click(".things button")
        page.wait_for_selector(".things", state="detached")
        page.click("text=Sign out here")
        page.click("#with-passkey")
        page.wait_for_selector(".errors:focus")
        page.fill("#address", COORDINATOR)
        page.click("main button.btn-primary")
        page.wait_for_selector("#code")


def test_without_a_script_nothing_is_offered_and_one_is_removed(terminal: Terminal, address: str) -> None:
    with opened(address) as page:
        Authenticator(page)
        signs_in_by_mail(page, terminal, address)
        adds(page, "Phone")
    with opened(address, script=False) as page:
        page.goto(f"{address}/sign-in")
        assert not page.locator("#with-passkey").is_visible()
        signs_in_by_mail(page, terminal, address)
        assert not page.get_by_text("Add a passkey").is_visible()
        assert page.get_by_text("A passkey is added in a browser that runs scripts.").is_visible()
        page.click(".things button")
        page.wait_for_selector(".things", state="detached")


@pytest.mark.parametrize(("width", "language"), [(1280, "en-GB"), (390, "ar-TN")])
def test_axe_finds_nothing_on_the_pages_with_passkeys(
    terminal: Terminal, address: str, width: int, language: str
) -> None:
    with opened(address, width=width, language=language) as page:
        page.goto(f"{address}/language/{language[:2]}?back=/sign-in")
        device = Authenticator(page)
        found = {}

        def look(name: str) -> None:
            found[name] = wrong_with(page)

        look("sign-in")
        signs_in_by_mail(page, terminal, address, language=language[:2])
        look("account without a passkey")
        page.fill("#name", "Work laptop")
        page.click("[data-passkey] button")
        page.wait_for_selector(".things h3")
        look("account with one")
        page.goto(f"{address}/sign-in?again=1&then=/account")
        look("sign-in once more")
        device.forgets()
        page.click("#with-passkey")
        page.wait_for_selector("[data-said=cancelled]:visible")
        look("none there")
        assert {name: ids for name, ids in found.items() if ids} == {}


def is_asked_for_a_passkey(page: Page, terminal: Terminal, address: str, who: str = COORDINATOR) -> None:
    page.goto(f"{address}/sign-in?then=/account")
    types_the_code(page, terminal, who)
    page.wait_for_url(f"{address}/sign-in/second?then=%2Faccount")


def test_who_needs_a_passkey_adds_it_after_the_code_and_uses_it_by_the_keyboard_alone(
    terminal: Terminal, strict: str
) -> None:
    with opened(strict) as page:
        device = Authenticator(page)
        is_asked_for_a_passkey(page, terminal, strict)
        presses_tab_to(page, "#name")
        page.keyboard.type("Work laptop")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{strict}/account")
        assert page.locator(".things h3:has-text('Work laptop')").is_visible()
        page.context.clear_cookies()
        is_asked_for_a_passkey(page, terminal, strict)
        device.knows_the_person(False)
        presses_tab_to(page, "[data-passkey] button")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-said=cancelled]:visible")
        page.goto(f"{strict}/account")
        page.wait_for_url(f"{strict}/sign-in/second?then=%2Faccount")
        device.knows_the_person(True)
        presses_tab_to(page, "[data-passkey] button")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{strict}/account")


def test_without_a_script_it_is_said_what_is_needed(terminal: Terminal, strict: str) -> None:
    with opened(strict, script=False) as page:
        is_asked_for_a_passkey(page, terminal, strict)
        assert page.get_by_text("A passkey is added in a browser that runs scripts.").is_visible()
        assert not page.locator("[data-passkey]").is_visible()


@pytest.mark.looks_at("/sign-in/second", "/sign-in/second/add")
@pytest.mark.parametrize(("width", "language"), [(1280, "en-GB"), (390, "ar-TN")])
def test_axe_finds_nothing_where_a_passkey_is_needed(
    terminal: Terminal, strict: str, width: int, language: str
) -> None:
    with opened(strict, width=width, language=language) as page:
        device = Authenticator(page)
        found = {}

        def look(name: str) -> None:
            found[name] = wrong_with(page)

        is_asked_for_a_passkey(page, terminal, strict)
        look("none yet")
        page.goto(f"{strict}/sign-in/second/add?then=/account")
        look("none yet, opened again")
        page.fill("#name", "Phone")
        page.click("[data-passkey] button")
        page.wait_for_url(f"{strict}/account")
        look("account, where one is needed")
        page.context.clear_cookies()
        is_asked_for_a_passkey(page, terminal, strict)
        look("one to be used")
        device.forgets()
        page.click("[data-passkey] button")
        page.wait_for_selector("[data-said=cancelled]:visible")
        look("none there")
        assert {name: ids for name, ids in found.items() if ids} == {}
