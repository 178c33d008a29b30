"""A first visit is light: what a browser that has nothing yet fetches of a page, besides fonts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Request

from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.test_in_chromium import address, code_for
from tests.support.browser import CHROMIUM, chromium
from tests.support.patience import PATIENCE

__all__ = ["address"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
MOST = 100_000
"""Bytes over the wire, headers and all."""


@pytest.mark.parametrize(
    ("who", "path", "language"),
    [
        ("", "/sign-in", "en"),
        ("", "/sign-in", "ar"),
        ("", "/help", "pl"),
        (TEACHER, "/projects", "en"),
        (TEACHER, "/projects/P-1/apply", "ar"),
        (COORDINATOR, "/overview", "en"),
        (COORDINATOR, "/cases", "el"),
        ("r1@nss.example", "/reviews", "en"),
    ],
)
def test_a_first_visit_is_under_a_hundred_kilobytes_besides_fonts(
    terminal: Terminal, address: str, who: str, path: str, language: str
) -> None:
    with chromium() as browser:
        first = browser.new_context()
        page = first.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        if who:
            page.goto(f"{address}/sign-in")
            page.fill("#address", who)
            page.click("main button.btn-primary")
            page.fill("#code", code_for(terminal, who))
            page.click("main button.btn-primary")
            page.wait_for_selector(".masthead a[href='/account']")
        # Another browser with the same session has none of it yet.
        fresh = browser.new_context()
        fresh.add_cookies(
            [
                {"name": one["name"], "value": one["value"], "url": address}
                for one in first.cookies()
                if one["name"] == "session"
            ]
        )
        fresh.add_cookies([{"name": "language", "value": language, "url": address}])
        visit = fresh.new_page()
        fetched: list[Request] = []
        visit.on("requestfinished", lambda one: fetched.append(one))
        answer = visit.goto(f"{address}{path}", wait_until="networkidle")
        assert answer
        assert (answer.status, visit.url) == (200, f"{address}{path}")
        weights = {}
        for one in fetched:
            if one.resource_type != "font":
                sizes = one.sizes()
                weights[one.url] = sizes["responseBodySize"] + sizes["responseHeadersSize"]
    assert len(weights) > 2, "the page and what it is dressed in"
    assert sum(weights.values()) < MOST, weights
