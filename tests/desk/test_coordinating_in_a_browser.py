"""Coordinators in a real browser: finding as one types, and pages that everybody can use."""

from __future__ import annotations

import shutil

import pytest

from labels.registry import search_index
from tests.desk.test_reviewing_in_a_browser import Scene, chromium, opened, scene
from tests.support.accessibility import violations
from tests.support.case import COORDINATOR

__all__ = ["scene"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
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


def test_the_pages_are_for_everybody(desk: Scene) -> None:
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
                "/find?q=rz",
                "/find?q=qqq",
            ):
                page.goto(desk.url + path)
                assert page.get_attribute("html", "lang") == language, path
                assert violations(page) == [], (path, width, language)
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, (path, width, language)


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
