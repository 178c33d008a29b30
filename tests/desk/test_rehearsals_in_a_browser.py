"""The pages of rehearsals in a real browser: for everybody, on a screen and on a phone."""

from __future__ import annotations

import pytest

from tests.desk.test_rehearsals import ready
from tests.desk.test_reviewing_in_a_browser import Scene, opened, scene
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM, chromium
from tests.support.case import COORDINATOR

__all__ = ["scene"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed"),
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]


@pytest.mark.looks_at("/rehearsals", "/rehearsals/{organisation}/{name}")
def test_the_pages_of_rehearsals_are_for_everybody(scene: Scene) -> None:
    folder = ready(scene.here)
    scene.who = COORDINATOR
    with chromium() as browser:
        for width, language in ((1280, "en"), (390, "en"), (390, "ar")):
            page = opened(browser, width)
            scene.signs_in(page, language)
            for path in ("/rehearsals", f"/rehearsals/NSS-PL/{folder.name}"):
                page.goto(scene.url + path)
                assert violations(page) == [], (path, width, language)
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, (path, width, language)
