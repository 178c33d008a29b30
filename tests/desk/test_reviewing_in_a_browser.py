"""Reviewers in a real browser: forty reviews by keyboard alone, and pages that everybody can use."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, Page, Request

from adapters.documents.opening import open_store
from adapters.languages.desk import languages
from adapters.workspace import Workspace
from cli.services import free_port
from desk.app import public_app
from desk.languages import COOKIE
from labels.answering import reviewing
from labels.clock import frozen_clock
from labels.record import Record
from labels.record.schema import (
    Application,
    Document,
    Mail,
    Person,
    Project,
    Review,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import coordinating
from labels.sessions import session as sessions
from labels.sessions.codes import sign_in_code
from labels.settings import PROJECT, Settings
from labels.steps.answers import ReviewTyped
from labels.steps.proof import SignedIn
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM, chromium
from tests.support.case import COORDINATOR, Case, open_case
from tests.support.patience import PATIENCE
from tests.support.people import CRITERIA, KEY, points
from tests.support.serving import in_a_thread

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]

FORTY = 40


class Scene:
    """A reviewer with reviews, and the desk at an address of this machine."""

    def __init__(self, case: Case, here: Workspace, url: str) -> None:
        self.case, self.here, self.url = case, here, url
        first, second, *_ = case.ask()
        self.first, self.second = first, second
        self.who = first.assignee

    def more(self, number: int) -> None:
        """Gives the reviewer so many reviews in all."""
        with self.here.record.writing() as session:
            of = session.get_one(Application, self.case.id)
            columns = {c.name: getattr(of, c.name) for c in Application.__table__.columns}
            for n in range(1, number):
                title = f"Rzeki {n}" if n % 2 else f"أنهار {n}"
                session.add(
                    Project(id=f"P-{n}x", title=title, started_on=datetime(2025, 9, 1), ended_on=None)
                )
                session.flush()
                session.add(Application(**columns | {"id": f"NQL-{n:010}", "project": f"P-{n}x"}))
                session.flush()
                session.add(
                    Step(
                        id=f"STEP-{n:010}", application=f"NQL-{n:010}", kind=StepKind.REVIEW, number=1,
                        assignee=self.who, organisation="NSS-PL", state=StepState.OPEN, opened_at=self.case.now,
                        due_at=self.case.now + timedelta(days=n - 2), code_hash="",
                    )
                )  # fmt: skip

    def evidence(self) -> None:
        """Puts a PDF and a picture before the reviewers."""
        photo = io.BytesIO()
        Image.new("RGB", (900, 600), (20, 80, 90)).save(photo, "JPEG")
        files = [
            ("atlas.pdf", "application/pdf", (PROJECT / "examples/evidence/atlas.pdf").read_bytes()),
            ("river.jpg", "image/jpeg", photo.getvalue()),
        ]
        with self.here.record.writing() as session:
            session.add_all(
                Document(
                    application=self.case.id, kind="evidence", name=name, key=self.here.documents.put(content, kind),
                    media_type=kind, size=len(content), stored_at=self.case.now, meets=None, award=None,
                )
                for name, kind, content in files
            )  # fmt: skip

    def begins(self, step: str) -> None:
        self.case.do(reviewing.say_no_conflict, step, SignedIn(self.first.person, "mail code", self.case.now))

    def drafts(self, step: str, typed: ReviewTyped) -> None:
        self.case.do(
            reviewing.save_draft, step, SignedIn(self.first.person, "mail code", self.case.now), typed, None
        )

    def signs_in(self, page: Page, language: str = "en") -> None:
        """With a session that is there already."""
        with self.here.record.writing() as session:
            token = sessions.begin(self.here.turn(session), self.who, "mail code")
        for name, value in (("session", token or ""), ("language", language)):
            page.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def code(self) -> str:
        """The code for signing in, from the newest mail."""
        with self.here.record.reading() as session:
            reason = session.scalars(
                sa.select(Mail.reason).where(Mail.template == "sign_in").order_by(Mail.queued_at.desc())
            ).first()
        assert reason
        return sign_in_code(KEY, reason.split("/")[1])

    def reviews(self) -> list[Review]:
        with self.here.record.reading() as session:
            return list(session.scalars(sa.select(Review)))


@pytest.fixture
def scene(record: Record, settings: Settings) -> Iterator[Scene]:
    case = open_case(record)
    with record.writing() as session:
        session.execute(sa.update(Person).values(language="en"))
    port = free_port()
    settings = settings.model_copy(update={"listen": f"127.0.0.1:{port}"})
    here = Workspace(settings, record, open_store(settings), KEY, frozen_clock(case.now))
    with in_a_thread(public_app(here), port):
        yield Scene(case, here, f"http://127.0.0.1:{port}")


def opened(browser: Browser, width: int = 1280, **more: Any) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, **more)
    page.set_default_timeout(PATIENCE * 1000)
    return page


def focused(page: Page) -> str:
    """What has the focus: its name or id, or the text on it."""
    return str(
        page.evaluate(
            "() => { const e = document.activeElement; return e.name || e.id || e.textContent.trim().slice(0, 40) }"
        )
    )


def has_the_focus(page: Page, words: str) -> None:
    """Waits until what says this has the focus, on a page that is being loaded."""
    page.wait_for_function(
        "(words) => document.activeElement?.textContent.includes(words) && document.activeElement !== document.body",
        arg=words,
    )


def tabs_to(page: Page, wanted: str) -> None:
    """Presses Tab until something has the focus."""
    for _ in range(80):
        if focused(page) == wanted:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by Tab; the focus is on {focused(page)!r}")


def test_forty_reviews_are_written_and_sent_by_keyboard_alone(scene: Scene) -> None:
    scene.more(FORTY)
    with chromium() as browser:
        page = opened(browser)
        page.add_init_script(
            "addEventListener('pointerdown', () => sessionStorage.setItem('touched', '1'), true)"
        )
        page.goto(f"{scene.url}/reviews/{scene.first.id}")  # the link of the mail
        tabs_to(page, "address")
        page.keyboard.type(scene.who)
        page.keyboard.press("Enter")
        page.wait_for_url("**/sign-in/code**")
        tabs_to(page, "code")
        page.keyboard.type(scene.code())
        page.keyboard.press("Enter")
        for number in range(1, FORTY + 1):
            page.wait_for_selector("#conflict-no")
            tabs_to(page, "conflict")
            page.keyboard.press("Space")
            page.keyboard.press("Enter")
            page.wait_for_selector("#sum[data-pass]")
            tabs_to(page, f"points.{CRITERIA[0]}")
            page.keyboard.type("345434")  # a digit chooses, and goes on to the next row
            assert page.evaluate("document.querySelector('[data-total]').textContent") == "23"
            assert focused(page) == "comment"
            page.keyboard.type(f"Number {number}: the maps are good.")
            tabs_to(page, "go")
            page.keyboard.press("Enter")
            has_the_focus(page, "Send the review")
            page.keyboard.press("Enter")
            has_the_focus(page, "Next review")
            page.keyboard.press("Enter")
        page.wait_for_url(f"{scene.url}/reviews")
        assert page.evaluate("sessionStorage.getItem('touched')") is None
        assert "Nothing waits for you." in page.inner_text("main")
    sent = scene.reviews()
    assert len(sent) == FORTY
    assert {sum(one.scores.values()) for one in sent} == {23}
    assert len({one.comment for one in sent}) == FORTY


def test_a_draft_saves_itself_while_one_types_and_a_lost_connection_is_said_and_made_good(
    scene: Scene,
) -> None:
    scene.begins(scene.first.id)
    with chromium() as browser:
        page = opened(browser)
        scene.signs_in(page)
        page.goto(f"{scene.url}/reviews/{scene.first.id}")
        page.get_by_label("To the applicant").fill("The maps")
        page.wait_for_selector("#saved.saved >> text=/Saved \\d\\d:\\d\\d/")
        page.context.set_offline(True)
        page.get_by_label("To the applicant").fill("The maps are good.")
        page.wait_for_selector("#saved.fail >> text=Not saved")
        assert page.get_by_label("To the applicant").input_value() == "The maps are good."
        page.context.set_offline(False)
        page.wait_for_selector("#saved.saved:not(.fail) >> text=/Saved/")
        page.reload()
        assert page.get_by_label("To the applicant").input_value() == "The maps are good."
        assert "Words: 4" in page.inner_text("#comment-count")


def test_the_sum_the_pass_mark_and_what_is_missing_move_with_each_choice(scene: Scene) -> None:
    scene.begins(scene.first.id)
    with chromium() as browser:
        page = opened(browser)
        scene.signs_in(page)
        page.goto(f"{scene.url}/reviews/{scene.first.id}")
        said = page.locator("#sum strong:visible")
        assert said.inner_text() == "Points are missing still"
        for name in CRITERIA:
            page.locator(f'[name="points.{name}"][value="2"]').check(force=True)
        assert (page.locator("[data-total]").inner_text(), said.inner_text()) == ("12", "Not enough points")
        for name in CRITERIA:
            page.locator(f'[name="points.{name}"][value="5"]').check(force=True)
        assert (page.locator("[data-total]").inner_text(), said.inner_text()) == ("30", "Enough points")


def test_a_review_is_written_and_sent_without_a_script(scene: Scene) -> None:
    with chromium() as browser:
        page = opened(browser, java_script_enabled=False)
        scene.signs_in(page)
        page.goto(f"{scene.url}/reviews/{scene.first.id}")
        page.locator("#conflict-no").check()
        page.get_by_role("button", name="Go on").click()
        for name in CRITERIA[1:]:
            page.locator(f'[name="points.{name}"][value="4"]').check(force=True)
        page.get_by_role("button", name="Check and send").click()
        assert "Give points for" in page.inner_text(".errors")
        page.locator(f'[name="points.{CRITERIA[0]}"][value="4"]').check(force=True)
        page.get_by_role("button", name="Check and send").click()
        page.get_by_role("button", name="Send the review").click()
        assert "Your review is sent" in page.inner_text("h1")
    assert [one.scores for one in scene.reviews()] == [points(4)]


def test_evidence_is_shown_without_our_cookies_and_can_run_nothing(scene: Scene) -> None:
    scene.begins(scene.first.id)
    scene.evidence()
    asked: list[tuple[str, str]] = []
    with chromium() as browser:
        page = opened(browser)
        scene.signs_in(page)

        def note(request: Request) -> None:
            if "/evidence/" in request.url:
                asked.append((request.url, request.all_headers().get("cookie", "")))

        page.on("requestfinished", note)
        page.goto(f"{scene.url}/reviews/{scene.first.id}")
        for frame in page.locator("iframe.pages").all():
            frame.scroll_into_view_if_needed()
            shown = frame.content_frame.locator("img").first
            shown.wait_for()
            page.wait_for_function("() => true")
            assert frame.get_attribute("sandbox") == ""
        page.wait_for_timeout(1000)
        drawn = [url for url, _ in asked if url.endswith("/1")]
        assert len(drawn) == 2, asked
    assert {cookie for _, cookie in asked} == {""}


@pytest.mark.looks_at(
    "/reviews",
    "/reviews/{step}",
    "/reviews/{step}/conflict",
    "/reviews/{step}/check",
    "/reviews/{step}/ask",
    "/reviews/{step}/decline",
    "/reviews/statistics",
    "/reviews/offline",
)
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "en"), (390, "ar")])
def test_every_page_of_a_reviewer_can_be_used_by_everybody(
    scene: Scene, language: str, width: int, tmp_path: Path
) -> None:
    scene.more(30)
    scene.evidence()
    scene.begins(scene.first.id)
    begun = ReviewTyped(scores={CRITERIA[0]: 4, CRITERIA[1]: 0}, comment="Recenzent 2 mówi, że dobrze.")
    scene.drafts(scene.first.id, begun)
    for n in (2, 3, 4):
        scene.begins(f"STEP-{n:010}")
        scene.drafts(f"STEP-{n:010}", ReviewTyped(scores=points(4), comment="As Recenzent 2 says."))
    by = SignedIn(scene.first.person, "mail code", scene.case.now)
    scene.case.do(reviewing.send, "STEP-0000000003", by, 1)
    scene.case.do_as(COORDINATOR, coordinating.send_back, "STEP-0000000003", "the maps")
    scene.case.do(reviewing.send, "STEP-0000000004", by, 1)
    pages = [
        "/reviews", "/reviews?due=week&q=rzeki", "/reviews?state=sent", "/reviews?state=waiting", "/reviews?q=nothing+there",
        "/reviews/STEP-0000000001", f"/reviews/{scene.first.id}", f"/reviews/{scene.first.id}?mend=1",
        "/reviews/STEP-0000000002/check", "/reviews/STEP-0000000002/ask", "/reviews/STEP-0000000002/decline",
        "/reviews/STEP-0000000003", "/reviews/STEP-0000000004", "/reviews/statistics", "/reviews/offline",
    ]  # fmt: skip
    found: dict[str, list[str]] = {}
    with chromium() as browser:
        page = opened(browser, width)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        scene.signs_in(page, language)
        for path in pages:
            answer = page.goto(scene.url + path)
            assert answer
            assert answer.status == 200, path
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert page.get_attribute("html", "lang") == language, path
            found[path] = [*violations(page), *([f"is {wide} wide"] if wide > width else [])]
        assert said == []
        for path, field in (
            ("/reviews/STEP-0000000001/conflict", "conflict-no"), ("/reviews/STEP-0000000002/decline", "words"),
        ):  # fmt: skip
            page.goto(scene.url + path)
            page.locator("main form button").first.click()
            page.wait_for_selector(".errors")
            assert page.evaluate("document.activeElement.className") == "errors", field
            found[path] = violations(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_no_page_of_a_reviewer_is_wider_than_a_phone_in_any_language(scene: Scene) -> None:
    scene.more(6)
    scene.begins(scene.first.id)
    wide = set()
    with chromium() as browser:
        page = opened(browser, 390)
        scene.signs_in(page)
        for language in languages():
            page.context.add_cookies([{"name": COOKIE, "value": language, "url": scene.url}])
            for path in ("/reviews", f"/reviews/{scene.first.id}", "/reviews/offline", "/reviews/statistics"):
                page.goto(f"{scene.url}{path}")
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    wide.add((language, path))
    assert wide == set()
