"""Pages that are nobody's in particular, in a real browser: signing in, checking papers, and what says that something failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

import desk.signing_in
from adapters.mail.folder import MailFolder
from cli.services import free_port
from desk.app import public_app
from labels.errors import LabelsError, NotAllowed, NotFound, OutOfReach
from labels.record.schema import Award
from labels.sessions.signing_in import TRIES
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.cli.test_verify import awarded_application, code_of_paper, paper
from tests.desk.test_in_chromium import code_for, opened
from tests.support.accessibility import wrong_with
from tests.support.browser import CHROMIUM
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.parametrize(("width", "language"), [(1280, "en-GB"), (390, "ar-TN")]),
]


@pytest.fixture
def address(terminal: Terminal) -> Iterator[str]:
    """The desk of the terminal's record, served as in the demo."""
    port = free_port()
    settings = terminal.here.settings.model_copy(update={"listen": f"127.0.0.1:{port}"})
    object.__setattr__(terminal.here, "settings", settings)
    with in_a_thread(public_app(terminal.here, mail_shown=True), port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.looks_at("/sign-in", "/sign-in/code", "/mail", "/who", "/account")
def test_the_pages_of_whoever_signs_in_are_for_everybody(
    terminal: Terminal, address: str, width: int, language: str
) -> None:
    found: dict[str, list[str]] = {}
    with opened(address, width=width, language=language) as page:
        page.goto(f"{address}/sign-in")
        page.fill("#address", "no address")
        page.click("main button.btn-primary")
        page.wait_for_selector(".errors")
        found["no address"] = wrong_with(page)
        page.fill("#address", COORDINATOR)
        page.click("main button.btn-primary")
        page.wait_for_selector("#code")
        found["code"] = wrong_with(page)
        for left in range(TRIES, 0, -1):
            page.fill("#code", "0000-0000")
            with page.expect_navigation():
                page.click("main button.btn-primary")
            if left == TRIES:
                found["wrong code"] = wrong_with(page)
        assert page.locator("#code").count() == 0
        found["a code that is over"] = wrong_with(page)
        terminal.shared_mailbox()
        page.goto(f"{address}/sign-in?then=/account")
        page.fill("#address", COORDINATOR)
        page.click("main button.btn-primary")
        page.wait_for_selector("#code")
        page.fill("#code", code_for(terminal, COORDINATOR))
        page.click("main button.btn-primary")
        page.wait_for_selector("form:has([name=person]) button")
        found["who of several"] = wrong_with(page)
        with page.expect_navigation():
            page.locator("form:has([name=person]) button").first.click()
        page.goto(f"{address}/account")
        found["account"] = wrong_with(page)
        assert MailFolder(terminal.here.settings.mail_folder).messages()
        for path in ("/mail", f"/mail?to={TEACHER}"):
            page.goto(f"{address}{path}")
            found[path] = wrong_with(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.looks_at("/sign-in", "/sign-in/provider/back")
def test_the_pages_with_an_identity_provider_are_for_everybody(
    terminal: Terminal, address: str, width: int, language: str
) -> None:
    provider = {"oidc_issuer": "https://login.example", "oidc_client_id": "labels"}
    settings = terminal.here.settings.model_copy(update=provider)
    object.__setattr__(terminal.here, "settings", settings)
    found: dict[str, list[str]] = {}
    with opened(address, width=width, language=language) as page:
        for path in ("/sign-in", "/sign-in/provider/back?state=forged&code=x"):
            page.goto(f"{address}{path}")
            assert page.locator("a[href^='/sign-in']").count() >= 1
            found[path] = wrong_with(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.looks_at("/verify", "/verify/{code}")
def test_the_pages_on_which_papers_are_checked_are_for_everybody(
    terminal: Terminal, address: str, width: int, language: str
) -> None:
    application = awarded_application(terminal)
    code = code_of_paper(terminal, application)
    own = terminal.folder / "certificate.pdf"
    own.write_bytes(paper(terminal, application))
    found: dict[str, list[str]] = {}
    with opened(address, width=width, language=language) as page:
        for path in ("/verify", f"/verify/{code}", "/verify/ABCD-EFGH"):
            page.goto(f"{address}{path}")
            found[path] = wrong_with(page)
        for name, content in (("the paper", own.read_bytes()), ("another file", b"no paper")):
            own.write_bytes(content)
            page.goto(f"{address}/verify")
            page.set_input_files("input[type=file]", own)
            page.locator("form[enctype] button").click()
            page.wait_for_load_state()
            found[name] = wrong_with(page)
        with terminal.here.record.writing() as session:
            session.get_one(Award, application).revoked_at = terminal.here.now()
        page.goto(f"{address}/verify/{code}")
        found["taken back"] = wrong_with(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


FAULTS: dict[int, Callable[[], Exception]] = {
    400: lambda: LabelsError("The school has no principal."),
    403: lambda: NotAllowed("Only who coordinates the case does that."),
    404: lambda: NotFound("There is no such page."),
    500: lambda: ZeroDivisionError(),
    503: lambda: OutOfReach("The record", "no answer.", "Nothing was changed."),
}


@pytest.mark.looks_at("/")
def test_the_pages_that_say_what_failed_are_for_everybody(
    terminal: Terminal, address: str, width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[int, list[str]] = {}
    with opened(address, width=width, language=language) as page:
        page.goto(f"{address}/sign-in?then=/account")
        page.fill("#address", TEACHER)
        page.click("main button.btn-primary")
        page.wait_for_selector("#code")
        page.fill("#code", code_for(terminal, TEACHER))
        page.click("main button.btn-primary")
        page.wait_for_url("**/account")
        for status, fault in FAULTS.items():

            def fails(*_: object, fault: Callable[[], Exception] = fault) -> str:
                raise fault()

            with monkeypatch.context() as patch:
                patch.setattr(desk.signing_in, "first_place", fails)
                answer = page.goto(f"{address}/")
                assert answer
                assert answer.status == status
                found[status] = wrong_with(page)
        found[413] = too_large(page, address)
    assert {status: wrong for status, wrong in found.items() if wrong} == {}


def too_large(page: Page, address: str) -> list[str]:
    """Sends a form of two million letters."""
    page.goto(f"{address}/account")
    with page.expect_navigation():
        page.evaluate(
            """() => {
                const form = document.querySelector("main form[method=post]");
                const area = document.createElement("textarea");
                area.name = "more";
                area.value = "x".repeat(2 << 20);
                form.append(area);
                form.submit();
            }"""
        )
    assert page.locator("main h1").count() == 1
    return wrong_with(page)
