"""A headless Chromium, and somebody who uses Prefect's pages in it, who notices what no page of ours may do."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Dialog, Locator, Page, Request, TimeoutError, sync_playwright

from tests.support.patience import PATIENCE

CHROMIUM = shutil.which("chromium")
TRIES = 4
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Person:
    """Somebody at a screen, before the pages of one Prefect server."""

    def __init__(self, page: Page, ui_url: str) -> None:
        self.page = page
        self.ui_url = ui_url
        self.dialogs: list[str] = []
        self.strange_requests: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("request", self._look_at)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _look_at(self, request: Request) -> None:
        if not request.url.startswith((self.ui_url, "data:", "blob:")):
            self.strange_requests.append(request.url)

    def opens_runs(self) -> None:
        """The page with all runs."""
        self.page.goto(f"{self.ui_url}/runs")
        self.page.get_by_text("Suspended").first.wait_for()

    def opens_run(self, run: str | None) -> None:
        """The page of one run."""
        self.page.goto(f"{self.ui_url}/runs/flow-run/{run}")
        self.page.get_by_role("button", name="Cancel").or_(
            self.page.get_by_text("Completed")
        ).first.wait_for()

    def opens_form(self, run: str | None) -> ResumeForm:
        """The Resume dialog of a suspended run."""
        self.opens_run(run)
        self.page.get_by_role("button", name="Resume", exact=True).first.click()
        form = ResumeForm(self.page)
        form.fields.first.wait_for()
        return form

    def opens_artifact(self, identifier: str) -> Locator:
        """The page of one artifact; returns its text as it is shown."""
        self.page.goto(f"{self.ui_url}/artifacts/artifact/{identifier}")
        shown = self.page.locator("article.markdown-renderer").nth(1)  # the first is its description
        shown.wait_for()
        return shown


class ResumeForm:
    """The form in the Resume dialog, by what its fields are called."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.locator(".p-modal")
        self.fields = self.dialog.locator(".schema-form-property:has(> .p-label__header)")

    @property
    def code(self) -> Locator:
        """The field for the one-time code, which is the first."""
        return self.fields.first

    def field(self, title: str) -> Locator:
        """The field whose title begins so."""
        return self.fields.filter(
            has=self.page.locator(f'.schema-form-property__label:text-matches("^{title}")')
        )

    def writes(self, field: Locator | str, text: str) -> None:
        """Types into a field."""
        box = self.field(field) if isinstance(field, str) else field
        box.locator("textarea").fill(text)

    def gives(self, title: str, points: object) -> None:
        """Types points beside a criterion."""
        self.field(title).locator("input").fill(str(points))

    def submits(self) -> None:
        """Presses Submit."""
        self.dialog.get_by_role("button", name="Submit").click()

    def sends(self) -> None:
        """Presses Submit and sees the dialog close; again where Prefect was too busy to take it."""
        for _ in range(TRIES):
            self.submits()
            with contextlib.suppress(TimeoutError):
                self.dialog.wait_for(state="hidden", timeout=60_000)
                return
        raise AssertionError(f"the form was not taken: {self.dialog.inner_text()[-500:]}")

    def says(self) -> str:
        """Everything that the dialog shows."""
        return self.dialog.inner_text()


@contextlib.contextmanager
def launched(*more: str) -> Iterator[Browser]:
    """A browser of its own, with these arguments beside the usual ones."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_QUIET, *more])
        try:
            yield browser
        finally:
            browser.close()


class _Shared:
    """The browser of the module whose tests run, once one of them has asked for it."""

    def __init__(self) -> None:
        self.opened = contextlib.ExitStack()
        self.browser: Browser | None = None

    def get(self) -> Browser:
        if self.browser is None:
            self.browser = self.opened.enter_context(launched())
        return self.browser

    def close(self) -> None:
        self.browser = None
        self.opened.close()


_shared = _Shared()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that a module's tests share; what was opened in it is closed with the block.

    To start one takes longer than most tests do. While it is there, Playwright has a loop running in this
    thread, and `asyncio.run` refuses: `tests/desk/conftest.py` closes it behind each module.
    """
    browser = _shared.get()
    try:
        yield browser
    finally:
        for context in browser.contexts:
            context.close()


def close_shared() -> None:
    """Ends the browser that tests share, if one was asked for."""
    _shared.close()


@contextlib.contextmanager
def person_at(ui_url: str, width: int = 1400, height: int = 900) -> Iterator[Person]:
    """A new browser with one page."""
    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
        page.set_default_timeout(PATIENCE * 1000)
        yield Person(page, ui_url)
